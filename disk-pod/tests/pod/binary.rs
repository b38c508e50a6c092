//! The real program: started with a roster in a directory, asked over the network, ended by SIGTERM.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::world::{PATIENCE, World};

struct Program {
    child: Child,
    public: SocketAddr,
    internal: SocketAddr,
    admin: SocketAddr,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn start(world: &World, faults: &std::path::Path) -> Program {
    let (public, internal, admin) = (free(), free(), free());
    let child = Command::new(env!("CARGO_BIN_EXE_disk-pod"))
        .arg("serve")
        .args(["--volume", &format!("a={}", world.volume.path().display())])
        .args(["--cluster-uid", &world.cluster.to_string()])
        .args(["--roster", &world.roster.path().display().to_string()])
        .args(["--trust", &world.operator.verifying_key().to_paserk()])
        .args(["--pod-name", "demo-disk-0", "--grace-seconds", "2", "--log-format", "text"])
        .args(["--listen", &public.to_string(), "--internal-listen", &internal.to_string()])
        .args(["--admin-listen", &admin.to_string(), "--fault-dir", &faults.display().to_string()])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Program { child, public, internal, admin }
}

/// One request, on a connection of its own; nothing when nobody answers in time.
fn ask(address: SocketAddr, head: &str, body: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    write!(stream, "{head}\r\nHost: a\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

fn get(address: SocketAddr, path: &str) -> Option<String> {
    ask(address, &format!("GET {path} HTTP/1.1"), "")
}

/// Asks again and again until the answer is as wanted.
fn until(address: SocketAddr, path: &str, wanted: impl Fn(&str) -> bool) -> String {
    let begun = Instant::now();
    loop {
        let answer = get(address, path).unwrap_or_default();
        if wanted(&answer) {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "{path} still answers: {answer}");
        std::thread::yield_now();
    }
}

#[test]
fn the_program_serves_says_when_its_volume_hangs_and_ends_when_told() {
    let world = World::new();
    let faults = tempfile::tempdir().unwrap();
    let mut program = start(&world, faults.path());
    until(program.admin, "/live", |answer| answer.starts_with("HTTP/1.1 200"));
    until(program.admin, "/ready", |answer| answer.starts_with("HTTP/1.1 200"));
    assert!(get(program.public, "/v1/ping").unwrap().starts_with("HTTP/1.1 204"));
    assert!(get(program.internal, "/v1/load").unwrap().contains("\"pod\":\"demo-disk-0\""));

    let space = world.own("alice");
    let authorization = format!("Authorization: Bearer {}", world.ticket("alice", space));
    let listed =
        ask(program.public, &format!("GET /v1/spaces/{space}/list/ HTTP/1.1\r\n{authorization}"), "");
    assert!(listed.as_deref().unwrap_or_default().contains("\"entries\":[]"), "{listed:?}");
    let metrics = get(program.admin, "/metrics").unwrap();
    assert!(metrics.contains("route=\"/v1/spaces/{space}/list/\""), "{metrics}");
    assert!(metrics.contains("internet_disk_volume_canary_age_seconds{volume=\"a\"}"), "{metrics}");

    let switch = |fault: &str| {
        let switched = Command::new(env!("CARGO_BIN_EXE_disk-pod"))
            .args(["fault", "a", fault, "--fault-dir", &faults.path().display().to_string()])
            .status();
        assert!(switched.unwrap().success());
    };
    switch("hang");
    let unready = until(program.admin, "/ready", |answer| answer.starts_with("HTTP/1.1 503"));
    assert!(unready.contains("volume a"), "{unready}");
    assert!(get(program.admin, "/live").unwrap().starts_with("HTTP/1.1 200"));
    assert!(get(program.public, "/v1/ping").unwrap().starts_with("HTTP/1.1 204"));
    let stalled =
        ask(program.public, &format!("GET /v1/spaces/{space}/list/ HTTP/1.1\r\n{authorization}"), "");
    let stalled = stalled.unwrap();
    assert!(stalled.starts_with("HTTP/1.1 503") && stalled.contains("storage-stalled"), "{stalled}");
    assert!(stalled.contains("retry-after: 1\r\n"), "{stalled}");
    switch("none");
    until(program.admin, "/ready", |answer| answer.starts_with("HTTP/1.1 200"));

    let told = Command::new("kill").args(["-TERM", &program.child.id().to_string()]).status().unwrap();
    assert!(told.success());
    let begun = Instant::now();
    let ended = loop {
        if let Some(status) = program.child.try_wait().unwrap() {
            break status;
        }
        assert!(begun.elapsed() < PATIENCE, "SIGTERM was not heard");
        std::thread::yield_now();
    };
    assert!(ended.success(), "{ended}");
}

#[test]
fn a_volume_of_another_disk_cluster_is_not_touched() {
    let world = World::new();
    let faults = tempfile::tempdir().unwrap();
    let first = start(&world, faults.path());
    until(first.admin, "/ready", |answer| answer.starts_with("HTTP/1.1 200"));
    drop(first);
    let other = World::new();
    let output = Command::new(env!("CARGO_BIN_EXE_disk-pod"))
        .arg("serve")
        .args(["--volume", &format!("a={}", world.volume.path().display())])
        .args(["--cluster-uid", &other.cluster.to_string(), "--pod-name", "other-disk-0"])
        .args(["--roster", &other.roster.path().display().to_string()])
        .args(["--trust", &other.operator.verifying_key().to_paserk()])
        .args(["--listen", &free().to_string(), "--internal-listen", &free().to_string()])
        .args(["--admin-listen", &free().to_string()])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("adoptClusterUID") && said.contains(&world.cluster.to_string()), "{said}");
}

#[test]
fn a_wrong_command_line_says_what_to_write() {
    let output = Command::new(env!("CARGO_BIN_EXE_disk-pod"))
        .args(["serve", "--volume", "nonsense=", "--pod-name", "x"])
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said: Vec<_> = BufReader::new(&output.stderr[..]).lines().map_while(Result::ok).collect();
    assert!(said.iter().any(|line| line.contains("NAME=DIR")), "{said:?}");
}
