//! Disk pods as processes of their own.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crate::world::{PATIENCE, World};

/// A disk pod as its own process. Dropped, it ends.
pub(super) struct Program {
    child: Child,
    pub(super) address: SocketAddr,
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(super) fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

impl Program {
    pub(super) fn start(world: &World, number: usize, address: SocketAddr) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_disk-pod"))
            .arg("serve")
            .args(["--volume", &format!("a={}", world.volume.path().join("a").display())])
            .args(["--cluster-uid", &world.cluster.to_string()])
            .args(["--roster", &world.roster.path().display().to_string()])
            .args(["--trust", &world.operator.verifying_key().to_paserk()])
            .args(["--pod-name", &format!("demo-disk-{number}"), "--log-format", "text"])
            .args(["--listen", &address.to_string(), "--internal-listen", &free().to_string()])
            .args(["--admin-listen", &free().to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, address }
    }

    /// As SIGKILL does, at any moment.
    pub(super) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// What it has in memory, in bytes.
    pub(super) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    pub(super) fn await_it(&self) {
        let begun = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            assert!(begun.elapsed() < PATIENCE, "the pod does not listen");
            std::thread::yield_now();
        }
    }
}

/// The disks have their room, and nobody serves them yet.
pub(super) async fn prepared() -> World {
    let world = World::new();
    drop(world.pod().await);
    world
}
