//! Real directories as volumes, and the faults that tests can switch on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::os::unix::fs::{FileExt, symlink};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::ids::VolumeName;
use bytes::Bytes;
use internet_disk_spaces::{FileSystem, FsError, LocalVolume};

/// No step of a test takes so long.
const LIMIT: Duration = Duration::from_secs(20);

struct Volume {
    files: Arc<dyn FileSystem>,
    place: tempfile::TempDir,
    faults: tempfile::TempDir,
    name: &'static str,
}

impl Volume {
    fn open(name: &'static str) -> Self {
        let (place, faults) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let files = open(name, place.path().to_owned(), Some(faults.path().to_owned()));
        Self { files, place, faults, name }
    }

    fn fault(&self, fault: &str) -> PathBuf {
        let file = self.faults.path().join(format!("{}.{fault}", self.name));
        fs::write(&file, b"").unwrap();
        file
    }

    fn age(&self) -> Duration {
        self.files.health().canary_age.unwrap_or(LIMIT)
    }

    async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !holds(self) {
            assert!(begun.elapsed() < LIMIT, "{}: still not {what}", self.name);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn open(name: &str, path: PathBuf, faults: Option<PathBuf>) -> Arc<dyn FileSystem> {
    let name: VolumeName = name.parse().unwrap();
    LocalVolume::open(&name, path, faults).unwrap()
}

#[tokio::test]
async fn what_is_written_is_there() {
    let volume = Volume::open("main");
    let files = &volume.files;
    files.make_directory("log").await.unwrap();
    assert_eq!(files.make_directory("log").await, Err(FsError::Exists));
    assert_eq!(files.make_directory("none/log").await, Err(FsError::NotFound));
    files.write("log/a", Bytes::from_static(b"content")).await.unwrap();
    assert_eq!(files.write("log/a", Bytes::new()).await, Err(FsError::Exists));
    files.link("log/a", "log/b").await.unwrap();
    assert_eq!(files.link("log/a", "log/b").await, Err(FsError::Exists));
    assert_eq!(files.link("log/none", "log/c").await, Err(FsError::NotFound));
    files.sync_directory("log").await.unwrap();
    files.sync_directory("").await.unwrap();
    files.unlink("log/a").await.unwrap();
    assert_eq!(files.unlink("log/a").await, Err(FsError::NotFound));
    assert_eq!(files.list("log").await.unwrap(), ["b"]);
    assert_eq!(files.list("none").await, Err(FsError::NotFound));
    assert_eq!(files.stat("log/b").await, Ok(7));
    assert_eq!(files.read("log/b", 1024).await.unwrap(), "content");
    assert_eq!(files.read("log/b", 3).await.unwrap(), "cont", "one more shows that there is more");
    volume.until("alive", |volume| volume.files.health().free.0 > 0 && volume.age() < LIMIT).await;
}

#[tokio::test]
async fn a_file_is_written_piece_by_piece_and_read_in_pieces() {
    let place = tempfile::tempdir().unwrap();
    let files = open("main", place.path().to_owned(), None);
    let content: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
    let file = files.create("object").await.unwrap();
    for part in content.chunks(777_777) {
        file.append(Bytes::copy_from_slice(part)).await.unwrap();
    }
    file.sync().await.unwrap();
    drop(file);
    assert_eq!(files.read("object", 1 << 30).await.unwrap(), content);
    let file = files.open("object").await.unwrap();
    assert_eq!(file.read(1_000_000, 100_000).await.unwrap(), content[1_000_000..1_100_000]);
    assert_eq!(file.read(2_999_990, 100).await.unwrap(), content[2_999_990..]);
    assert_eq!(file.read(9_000_000, 100).await.unwrap(), "");
    let mut sent = [0; 10];
    let own = fs::File::from(file.descriptor().unwrap().try_clone_to_owned().unwrap());
    own.read_exact_at(&mut sent, 250).unwrap();
    assert_eq!(sent, content[250..260]);
}

#[tokio::test]
async fn no_link_leads_out_of_a_volume() {
    let volume = Volume::open("main");
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), b"secret").unwrap();
    symlink(outside.path(), volume.place.path().join("way")).unwrap();
    symlink(outside.path().join("secret"), volume.place.path().join("file")).unwrap();
    let files = &volume.files;
    assert!(files.read("way/secret", 10).await.is_err());
    assert!(files.read("file", 10).await.is_err());
    assert!(files.list("way").await.is_err());
    assert!(files.stat("way/secret").await.is_err());
    assert!(files.write("way/new", Bytes::new()).await.is_err());
    assert!(files.make_directory("way/new").await.is_err());
    assert!(files.link("way/secret", "copy").await.is_err());
    assert!(files.unlink("way/secret").await.is_err());
    assert!(files.read("../secret", 10).await.is_err());
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_directory_that_is_none_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let name: VolumeName = "main".parse().unwrap();
    let Err(error) = LocalVolume::open(&name, place.path().join("missing"), None) else {
        panic!("it was opened");
    };
    assert!(error.to_string().contains("main"), "{error}");
}

#[tokio::test]
async fn a_hung_volume_holds_nobody_and_nothing_else() {
    let (hung, well) = (Volume::open("hung"), Volume::open("well"));
    hung.until("alive", |volume| volume.age() < LIMIT).await;
    let switch = hung.fault("hang");

    let begun = Instant::now();
    let calls = (0..100).map(|number| hung.files.write(&format!("{number}"), Bytes::new()));
    let answers = futures::future::join_all(calls).await;
    let took = begun.elapsed();
    assert!(answers.iter().all(|answer| *answer == Err(FsError::Stalled)));
    assert!(took > Duration::from_millis(500) && took < Duration::from_secs(3), "{took:?}");
    well.files.write("file", Bytes::new()).await.unwrap();

    // Once it is hopeless nobody waits at all, and the canary tells why.
    hung.until("hopeless", |volume| volume.age() > Duration::from_millis(2500)).await;
    let begun = Instant::now();
    assert_eq!(hung.files.stat("0").await, Err(FsError::Stalled));
    assert!(begun.elapsed() < Duration::from_millis(300), "{:?}", begun.elapsed());
    well.until("alive", |volume| volume.age() < Duration::from_secs(1)).await;

    fs::remove_file(switch).unwrap();
    hung.until("alive again", |volume| volume.age() < Duration::from_secs(1)).await;
    hung.files.write("after", Bytes::new()).await.unwrap();
    // Of the calls that nobody waits for any more, those that had a thread are done, late; the others never.
    let late = hung.files.list("").await.unwrap().len();
    assert!(late < 40, "{late}");
}

#[tokio::test]
async fn a_hang_in_the_midst_of_a_file_spoils_it() {
    let volume = Volume::open("main");
    let file = volume.files.create("object").await.unwrap();
    file.append(Bytes::from_static(b"one")).await.unwrap();
    let switch = volume.fault("hang");
    assert_eq!(file.append(Bytes::from_static(b"two")).await, Err(FsError::Stalled));
    fs::remove_file(switch).unwrap();
    volume.until("alive again", |volume| volume.age() < Duration::from_millis(200)).await;
    let reader = volume.files.open("object").await.unwrap();
    assert!(reader.descriptor().is_none(), "what goes past the threads goes past the faults");
    let content = reader.read(0, 100).await.unwrap();
    assert!(content == "one" || content == "onetwo", "{content:?}");
}

#[tokio::test]
async fn a_broken_volume_says_so() {
    let volume = Volume::open("main");
    volume.until("alive", |volume| volume.age() < LIMIT).await;
    let switch = volume.fault("eio");
    let answer = volume.files.write("file", Bytes::new()).await;
    assert!(matches!(answer, Err(FsError::Other(_))), "{answer:?}");
    volume.until("sick", |volume| volume.age() > Duration::from_millis(700)).await;
    fs::remove_file(switch).unwrap();
    volume.until("well", |volume| volume.age() < Duration::from_millis(500)).await;
}

#[tokio::test]
async fn a_slow_volume_is_still_used() {
    let volume = Volume::open("main");
    let _switch = volume.fault("slow");
    let begun = Instant::now();
    volume.files.write("file", Bytes::from_static(b"slow")).await.unwrap();
    assert!(begun.elapsed() > Duration::from_millis(300));
    assert_eq!(volume.files.read("file", 10).await.unwrap(), "slow");
    volume.until("alive", |volume| volume.age() < Duration::from_secs(2)).await;
}

#[tokio::test]
async fn the_threads_of_a_volume_end_with_it() {
    let volume = Volume::open("ending");
    let threads = || {
        fs::read_dir("/proc/self/task")
            .unwrap()
            .filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok())
            .filter(|name| name.trim().ends_with("-ending"))
            .count()
    };
    futures::future::join_all((0..20).map(|_| volume.files.stat(""))).await;
    assert!(threads() > 1);
    let Volume { files, place: _place, .. } = volume;
    drop(files);
    let begun = Instant::now();
    while threads() > 0 {
        assert!(begun.elapsed() < LIMIT, "{} threads are left", threads());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_full_volume_takes_names_away_and_is_read() {
    let volume = Volume::open("main");
    volume.files.write("file", Bytes::from_static(b"content")).await.unwrap();
    volume.files.write("other", Bytes::new()).await.unwrap();
    let object = volume.files.create("object").await.unwrap();
    let switch = volume.fault("enospc");
    assert_eq!(volume.files.write("more", Bytes::new()).await, Err(FsError::Full));
    assert_eq!(volume.files.create("piece").await.err(), Some(FsError::Full));
    assert_eq!(volume.files.make_directory("directory").await, Err(FsError::Full));
    assert_eq!(volume.files.link("file", "link").await, Err(FsError::Full));
    assert_eq!(object.append(Bytes::from_static(b"x")).await, Err(FsError::Full));
    assert_eq!(volume.files.read("file", 100).await.unwrap(), "content");
    volume.files.unlink("other").await.unwrap();
    volume.until("alive", |volume| volume.age() < Duration::from_secs(1)).await;
    fs::remove_file(switch).unwrap();
    volume.files.link("file", "link").await.unwrap();
}

#[tokio::test]
async fn a_stale_volume_is_not_an_empty_one() {
    let volume = Volume::open("main");
    volume.files.write("file", Bytes::from_static(b"content")).await.unwrap();
    let switch = volume.fault("estale");
    for answer in [volume.files.read("file", 9).await.map(drop), volume.files.list("").await.map(drop)] {
        let Err(FsError::Other(told)) = answer else { panic!("{answer:?}") };
        assert!(told.contains("mount the volume again"), "{told}");
    }
    fs::remove_file(switch).unwrap();
    assert_eq!(volume.files.read("file", 9).await.unwrap(), "content");
}

#[tokio::test]
async fn one_call_fails_and_no_other() {
    let volume = Volume::open("main");
    let file = volume.faults.path().join("main.nth");
    for (text, failed) in [("3 enospc", 3), ("1 eio", 1), ("2 estale", 2), ("5", 5)] {
        fs::write(&file, text).unwrap();
        for call in 1..=6 {
            assert_eq!(volume.files.list("").await.is_err(), call == failed, "{text}: {call}");
        }
        fs::remove_file(&file).unwrap();
        volume.files.list("").await.unwrap();
    }
}
