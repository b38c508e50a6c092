//! Programs of others against three pods: what people use to reach their disk.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use super::forwarder::Forwarder;
use super::program::{Program, free, prepared};
use crate::standalone::Place;

/// How many files go up and come back through three pods.
const FILES: usize = 300;
/// How many to one pod, and how many at a time: rclone of its own accord makes a hundred requests a second.
const MANY: usize = 5000;
const AT_ONCE: usize = 16;

/// Three pods, and where they are reached as one.
struct Disk {
    address: SocketAddr,
    _pods: Vec<Program>,
    _world: crate::world::World,
}

async fn disk() -> Disk {
    let world = prepared().await;
    let pods: Vec<_> = (0..3).map(|number| Program::start(&world, number, free())).collect();
    pods.iter().for_each(Program::await_it);
    let addresses = pods.iter().map(|pod| pod.address).collect();
    let forwarder = Forwarder::start(addresses, &world.ticket("alice", world.own("alice"))).await;
    Disk { address: forwarder.address, _pods: pods, _world: world }
}

/// Runs a program to its end, and gives what it said.
pub(super) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}: run `make tools`"));
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{command:?}: {said}");
    said
}

/// A tree with names of many kinds.
fn tree(root: &Path) {
    for number in 0..FILES {
        let directory = root.join(format!("ordner {}/한글 é/%20 &", number % 7));
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join(format!("{number} #+;?.txt")), format!("{number}").repeat(number)).unwrap();
    }
}

fn rclone(arguments: &[&str], address: SocketAddr) -> String {
    rclone_at(&format!("http://{address}/dav/home/"), arguments)
}

fn rclone_at(url: &str, arguments: &[&str]) -> String {
    let fixed =
        ["--config", "/dev/null", "--webdav-vendor", "owncloud", "--retries", "1", "--webdav-url", url];
    run(Command::new("rclone").args(arguments).args(fixed))
}

#[tokio::test(flavor = "multi_thread")]
async fn rclone_copies_compares_and_synchronises() {
    let disk = disk().await;
    tokio::task::spawn_blocking(move || {
        let (here, back) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        tree(here.path());
        let (source, target) = (here.path().to_str().unwrap(), back.path().to_str().unwrap());
        rclone(&["copy", source, ":webdav:tree"], disk.address);
        rclone(&["check", "--download", source, ":webdav:tree"], disk.address);
        // The times of the files came along: nothing is to be done again.
        let again = rclone(&["copy", "-v", source, ":webdav:tree"], disk.address);
        assert!(!again.contains("Copied"), "{again}");
        fs::remove_dir_all(here.path().join("ordner 0")).unwrap();
        fs::write(here.path().join("new"), "new").unwrap();
        rclone(&["sync", source, ":webdav:tree"], disk.address);
        rclone(&["moveto", ":webdav:tree", ":webdav:moved"], disk.address);
        rclone(&["copy", ":webdav:moved", target], disk.address);
        run(Command::new("diff").args(["-r", source, target]));
        rclone(&["purge", ":webdav:moved"], disk.address);
        assert_eq!(rclone(&["lsf", ":webdav:"], disk.address), "");
    })
    .await
    .unwrap();
}

/// Many at once send and fetch; one looks at all of it.
#[test]
fn rclone_does_it_with_five_thousand_files() {
    let place = Place::roomy();
    let pod = place.start();
    let (here, back) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for number in 0..MANY {
        let directory = here.path().join((number % AT_ONCE).to_string()).join((number / 500).to_string());
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join(format!("{number}.txt")), format!("{number}").repeat(number % 100)).unwrap();
    }
    let obscured = run(Command::new("rclone").args(["obscure", "secret"]));
    let url = format!("http://{}/dav/home/", pod.public);
    let rclone = |arguments: &[&str]| {
        let who = ["--webdav-user", "alice", "--webdav-pass", obscured.trim()];
        rclone_at(&url, &[arguments, &who].concat())
    };
    let in_parts = |way: &(dyn Fn(&str, &str) + Sync)| {
        std::thread::scope(|scope| {
            for part in 0..AT_ONCE {
                let local = here.path().join(part.to_string()).display().to_string();
                scope.spawn(move || way(&local, &format!(":webdav:tree/{part}")));
            }
        });
    };
    let source = here.path().to_str().unwrap();
    in_parts(&|local, remote| drop(rclone(&["copy", local, remote])));
    let said = rclone(&["check", source, ":webdav:tree"]);
    assert!(said.contains(&format!("{MANY} matching files")), "{said}");
    fs::remove_dir_all(here.path().join("3/1")).unwrap();
    fs::write(here.path().join("3/new"), "new").unwrap();
    rclone(&["sync", source, ":webdav:tree"]);
    rclone(&["check", source, ":webdav:tree"]);
    in_parts(&|local, remote| {
        let part = Path::new(local).file_name().unwrap();
        drop(rclone(&["copy", remote, &back.path().join(part).display().to_string()]));
    });
    run(Command::new("diff").args(["-r", source, &back.path().display().to_string()]));
}

/// Nothing stands between: rclone signs in itself, and both disks are one tree to it.
#[test]
fn rclone_copies_and_moves_between_disks_by_name_and_password() {
    let place = Place::new();
    let pod = place.start();
    let here = tempfile::tempdir().unwrap();
    tree(here.path());
    let source = here.path().to_str().unwrap();
    let obscured = run(Command::new("rclone").args(["obscure", "secret"]));
    let url = format!("http://{}/dav/", pod.public);
    let rclone = |arguments: &[&str]| {
        let who = ["--webdav-user", "alice", "--webdav-pass", obscured.trim()];
        rclone_at(&url, &[arguments, &who].concat())
    };
    rclone(&["copy", source, ":webdav:home/tree"]);
    rclone(&["check", "--download", source, ":webdav:home/tree"]);
    // rclone asks the server to do these.
    rclone(&["copy", ":webdav:home/tree", ":webdav:groups/design/copy"]);
    rclone(&["check", "--download", source, ":webdav:groups/design/copy"]);
    rclone(&["moveto", ":webdav:home/tree", ":webdav:groups/design/moved"]);
    rclone(&["check", "--download", source, ":webdav:groups/design/moved"]);
    assert_eq!(rclone(&["lsf", ":webdav:home"]), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn cadaver_walks_copies_locks_and_keeps_properties() {
    let disk = disk().await;
    tokio::task::spawn_blocking(move || {
        let here = tempfile::tempdir().unwrap();
        fs::write(here.path().join("a b.txt"), "content").unwrap();
        let mut child = Command::new("cadaver")
            .arg(format!("http://{}/dav/", disk.address))
            .current_dir(here.path())
            .env("HOME", here.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("cadaver is missing: run `make tools`");
        let commands = "ls\ncd home\nmkcol d\nput 'a b.txt' d/a\ncopy d/a d/b\nmove d/b d/c\nls d\nlock d/a\n\
                        discover d/a\nunlock d/a\npropset d/a colour blue\npropget d/a colour\nget d/c c\ndelete d/a\n\
                        rmcol d\nls\nquit\n";
        child.stdin.take().unwrap().write_all(commands.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!said.contains("fail") && !said.contains("error"), "{said}");
        for part in ["groups", "home", "blue", "urn:uuid:"] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert_eq!(fs::read_to_string(here.path().join("c")).unwrap(), "content");
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_sends_and_fetches_by_name_and_password() {
    let disk = disk().await;
    tokio::task::spawn_blocking(move || {
        let here = tempfile::tempdir().unwrap();
        let file = here.path().join("large");
        let content: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
        fs::write(&file, &content).unwrap();
        let url = format!("http://{}/dav/home/large", disk.address);
        let curl = |arguments: &[&str]| {
            run(Command::new("curl")
                .args(["--silent", "--show-error", "--fail", "--user", "alice:any"])
                .args(arguments))
        };
        curl(&["--upload-file", file.to_str().unwrap(), &url]);
        // Without a length, as from a pipe.
        curl(&["--header", "Transfer-Encoding: chunked", "--upload-file", file.to_str().unwrap(), &url]);
        let back = here.path().join("back");
        curl(&["--output", back.to_str().unwrap(), &url]);
        assert_eq!(fs::read(&back).unwrap(), content);
        curl(&["--range", "1000000-1000999", "--output", back.to_str().unwrap(), &url]);
        assert_eq!(fs::read(&back).unwrap(), &content[1_000_000..1_001_000]);
    })
    .await
    .unwrap();
}
