//! The real program: started with directories, asked over the network, ended by SIGTERM.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::world::{PASSWORD, PATIENCE, World};

struct Program {
    child: Child,
    public: SocketAddr,
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

fn start(world: &World, keys: &std::path::Path) -> Program {
    let (public, admin) = (free(), free());
    let directory = |path: &std::path::Path| path.display().to_string();
    let child = Command::new(env!("CARGO_BIN_EXE_web-pod"))
        .arg("serve")
        .args(["--cluster-uid", &world.cluster.to_string()])
        .args(["--roster", &directory(world.roster.path()), "--keys", &directory(keys)])
        .args(["--credentials", &directory(world.credentials.path())])
        .args(["--trust", &world.operator.verifying_key().to_paserk()])
        .args(["--pod-name", "demo-web-0", "--grace-seconds", "2", "--log-format", "text"])
        .args(["--listen", &public.to_string(), "--admin-listen", &admin.to_string()])
        .args(["--internal-listen", &free().to_string()])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Program { child, public, admin }
}

fn ask(address: SocketAddr, head: &str, body: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    write!(stream, "{head}\r\nHost: a\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

fn until(address: SocketAddr, path: &str, wanted: impl Fn(&str) -> bool) -> String {
    let begun = Instant::now();
    loop {
        let answer = ask(address, &format!("GET {path} HTTP/1.1"), "").unwrap_or_default();
        if wanted(&answer) {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "{path} still answers: {answer}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_program_serves_and_ends_when_told() {
    let world = World::new();
    let keys = tempfile::tempdir().unwrap();
    std::fs::write(keys.path().join("keys.json"), &world.keys_json).unwrap();
    let mut program = start(&world, keys.path());
    until(program.admin, "/live", |answer| answer.starts_with("HTTP/1.1 200"));
    until(program.admin, "/ready", |answer| answer.starts_with("HTTP/1.1 200"));
    let head =
        "POST /api/session HTTP/1.1\r\nX-Requested-With: internet-disk\r\nContent-Type: application/json";
    let body = format!(r#"{{"member":"alice","password":"{PASSWORD}"}}"#);
    let signed_in = ask(program.public, head, &body).unwrap();
    assert!(signed_in.starts_with("HTTP/1.1 200") && signed_in.contains("set-cookie:"), "{signed_in}");
    let metrics = until(program.admin, "/metrics", |answer| answer.starts_with("HTTP/1.1 200"));
    assert!(metrics.contains(r#"internet_disk_sign_ins_total{outcome="success"} 1"#), "{metrics}");
    assert!(!metrics.contains("alice"), "{metrics}");

    let told = Command::new("kill").args(["-TERM", &program.child.id().to_string()]).status().unwrap();
    assert!(told.success());
    let begun = Instant::now();
    let ended = loop {
        if let Some(status) = program.child.try_wait().unwrap() {
            break status;
        }
        assert!(begun.elapsed() < PATIENCE, "SIGTERM was not heard");
        std::thread::sleep(Duration::from_millis(10));
    };
    assert!(ended.success(), "{ended}");
}

#[test]
fn without_keys_it_says_what_to_look_at() {
    let world = World::new();
    let nothing = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_web-pod"))
        .arg("serve")
        .args(["--cluster-uid", &world.cluster.to_string()])
        .args(["--trust", &world.operator.verifying_key().to_paserk(), "--pod-name", "demo-web-0"])
        .args(["--listen", &free().to_string(), "--admin-listen", &free().to_string()])
        .args(["--roster", "/nowhere", "--credentials", "/nowhere"])
        .args(["--keys", &nothing.path().display().to_string()])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("keys.json") && said.contains("Secret"), "{said}");
}
