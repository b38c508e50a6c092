//! The main job on real input: files of this machine go up through the shipped page in Chromium, the disk server
//! that takes the big one is taken away in the middle, and nothing is lost. Once for each way of losing a server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)] // a test: all of it

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use internet_disk_e2e::chaos::{self, Harm};
use internet_disk_e2e::demo::Demo;
use internet_disk_e2e::noise::noise;
use internet_disk_e2e::people::Person;
use internet_disk_e2e::story::Story;
use internet_disk_e2e::wait;
use internet_disk_e2e::web::Session;

const SMALL_FILES: usize = 520;
const BIG: u64 = 1 << 30;
/// However slow the machine, a browser that says nothing for so long hangs.
const SILENCE: Duration = Duration::from_secs(120);

/// Real files: what packages of this machine brought along, of every size up to a few megabytes.
fn real_files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![PathBuf::from("/usr/share"), PathBuf::from("/usr/include"), PathBuf::from("/etc")];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                open.push(entry.path());
            } else if kind.is_file() && entry.metadata().is_ok_and(|file| (1..4 << 20).contains(&file.len()))
            {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    // Spread over all of them: one package's files are much alike.
    let step = (found.len() / SMALL_FILES).max(1);
    found.into_iter().step_by(step).take(SMALL_FILES).collect()
}

/// Copies them to where the browser takes them from, a few to a directory, under their own names.
fn lay_out_real_files(folder: &Path) {
    let mut copied = 0;
    for (number, from) in real_files().into_iter().enumerate() {
        let directory = folder.join(format!("part-{}", number / 40));
        std::fs::create_dir_all(&directory).unwrap();
        let name = format!("{number}-{}", from.file_name().unwrap().to_string_lossy());
        copied += usize::from(std::fs::copy(&from, directory.join(name)).is_ok());
    }
    assert!(copied >= 500, "only {copied} real files were found");
}

fn lay_out_big_file(folder: &Path) {
    let mut file = File::create(folder.join("big.bin")).unwrap();
    let pieces = 64;
    for piece in 0..pieces {
        file.write_all(&noise(piece, usize::try_from(BIG / pieces).unwrap())).unwrap();
    }
}

/// What was sent: path under the destination, length and hash.
fn sent(folder: &Path) -> BTreeMap<String, (u64, blake3::Hash)> {
    let mut all = BTreeMap::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let mut hasher = blake3::Hasher::new();
            let length = std::io::copy(&mut File::open(&path).unwrap(), &mut hasher).unwrap();
            let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
            all.insert(name, (length, hasher.finalize()));
        }
    }
    all
}

/// What one run of the story came to.
struct Told {
    victim: String,
    heir: String,
    standstill: Duration,
    took: Duration,
}

async fn tell(demo: &Demo, person: &Person, folder: &Path, destination: &str, harm: Harm) -> Told {
    let mut story = Story::begin(&demo.settings, person, folder, destination).unwrap();
    let began = Instant::now();
    let mut harmed = None;
    let mut moved = None;
    while let Some(event) = story.next(SILENCE).await.unwrap() {
        let text = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
        let is_big = text("path").ends_with("big.bin");
        match event["event"].as_str().unwrap_or_default() {
            "progress" if is_big && harmed.is_none() && event["offset"].as_u64() > Some(BIG / 3) => {
                let victim = text("server");
                let done = chaos::take_away(&demo.settings, &demo.cluster, &victim, harm).await.unwrap();
                harmed = Some((victim, done));
            }
            "moved" if is_big && harmed.is_some() && moved.is_none() => {
                moved = Some((
                    text("to"),
                    Duration::from_millis(event["standstillMs"].as_u64().unwrap_or(u64::MAX)),
                ));
            }
            "failed" => panic!("{event}"),
            _ => {}
        }
    }
    let took = began.elapsed();
    story.finish().await.unwrap();
    let (victim, done) = harmed.expect("the upload was over before a server could be taken away");
    done.undo(&demo.settings, &demo.cluster).await.unwrap();
    let (heir, standstill) =
        moved.expect("the browser went on without moving: the wrong server was taken away");
    Told { victim, heir, standstill, took }
}

/// Reads everything back through a pod that took no part in the end.
async fn compare(
    session: &Session,
    space: &str,
    destination: &str,
    files: &BTreeMap<String, (u64, blake3::Hash)>,
    not: [&str; 2],
) -> String {
    // Two or three are named, and the victim has only just come back.
    let named = format!("a third pod is named beside {not:?}");
    let (third, _) = wait::until(&named, Duration::from_secs(60), async || {
        let disks = session.disks(space).await?;
        Ok(disks.into_iter().find(|disk| !not.contains(&disk.pod.as_str())))
    })
    .await
    .unwrap();
    for (path, expected) in files {
        assert_eq!(third.hash(&format!("{destination}/{path}"), None).await.unwrap(), *expected, "{path}");
    }
    third.pod.clone()
}

async fn begin() -> (Demo, Person, PathBuf) {
    let demo = Demo::find().await.unwrap();
    let person = Person::create(&demo.cluster, "story", "6Gi").await.unwrap();
    let folder = std::env::temp_dir().join(&person.name);
    std::fs::create_dir_all(&folder).unwrap();
    lay_out_big_file(&folder);
    (demo, person, folder)
}

#[tokio::test]
async fn a_server_is_taken_away_in_the_middle_of_an_upload() {
    let (demo, person, folder) = begin().await;
    lay_out_real_files(&folder);
    let session = person.sign_in(&demo.settings).await.unwrap();
    let space = session.own_space().await.unwrap();
    let mut standstills = Vec::new();
    for (round, harm) in Harm::ALL.into_iter().enumerate() {
        let destination = format!("story-{round}");
        let files = sent(&folder);
        let told = tell(&demo, &person, &folder, &destination, harm).await;
        let third = compare(&session, &space, &destination, &files, [&told.victim, &told.heir]).await;
        println!(
            "{:14} {} files in {:.1?}; {} was taken away, {} went on after {:?}; every checksum is equal through {third}",
            harm.name(),
            files.len(),
            told.took,
            told.victim,
            told.heir,
            told.standstill,
        );
        standstills.push((harm.name(), told.standstill));
        let disk = session.disk(&space).await.unwrap();
        disk.delete(&destination).await.unwrap().expect(200).unwrap();
        if round == 0 {
            // The many small files went up once: the other rounds are about the big one.
            for part in std::fs::read_dir(&folder).unwrap().flatten().filter(|entry| entry.path().is_dir()) {
                std::fs::remove_dir_all(part.path()).unwrap();
            }
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
    person.remove(&demo.cluster).await.unwrap();
    for (harm, standstill) in standstills {
        // The aim is under a second, and the figures above are what to look at. A busy machine may be slower; a
        // browser that waits for a time-out of the network is far slower than this.
        assert!(standstill < Duration::from_secs(3), "{harm}: the browser stood still for {standstill:?}");
    }
}
