//! What programs use to speak WebDAV: webdav4 and webdavclient3 of Python, webdav of Node. Their steps are in
//! `tests/clients/`, so that other servers can be tried with the same.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::programs::run;
use crate::standalone::Place;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn steps(script: &str) -> Command {
    let node = script.ends_with(".mjs");
    let python = root().join("target/tools/webdav-python/bin/python");
    let mut command = Command::new(if node { Path::new("node") } else { &python });
    command.env("PYTHONDONTWRITEBYTECODE", "1").arg(root().join("disk-pod/tests/clients").join(script));
    command
}

fn every_step(script: &str, count: usize) {
    let place = Place::roomy();
    let pod = place.start();
    for disk in ["home", "groups/design"] {
        let url = format!("http://{}/dav/{disk}/", pod.public);
        let said = run(steps(script).args([&url, "alice", "secret"]));
        let done = said.lines().filter(|line| line.ends_with(": ok")).count();
        assert_eq!(done, count, "{said}");
    }
}

#[test]
fn webdav4_of_python_does_all_it_can() {
    every_step("webdav4_steps.py", 7);
}

#[test]
fn webdavclient3_of_python_does_all_it_can() {
    every_step("webdavclient3_steps.py", 9);
}

#[test]
fn webdav_of_node_does_all_it_can() {
    every_step("webdav_steps.mjs", 10);
}

/// What a client says, line by line.
struct Talk {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Talk {
    fn begin(command: &mut Command) -> Self {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("run `make tools`");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn line(&mut self) -> String {
        self.lines.next().expect("it says nothing more").unwrap()
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn of_two_clients_on_one_group_one_waits_for_the_lock_of_the_other() {
    let place = Place::roomy();
    let pod = place.start();
    let url = format!("http://{}/dav/groups/design/", pod.public);
    let curl = |arguments: &[&str]| {
        let file = format!("{url}held");
        run(Command::new("curl").args(["-sS", "-u", "bob:hush"]).args(arguments).arg(file))
    };
    curl(&["-X", "PUT", "-d", "of nobody"]);
    let mut holder = Talk::begin(steps("webdavclient3_steps.py").args([&url, "alice", "secret", "hold"]));
    assert_eq!(holder.line(), "held");
    let mut writer = Talk::begin(steps("webdav_steps.mjs").args([&url, "bob", "hush", "write"]));
    assert_eq!(writer.line(), "423");
    assert_eq!(curl(&[]), "of the holder");
    holder.child.stdin.take().unwrap().write_all(b"\n").unwrap();
    assert_eq!(holder.line(), "given up");
    assert_eq!(writer.line(), "written");
    assert_eq!(curl(&[]), "of the writer");
}
