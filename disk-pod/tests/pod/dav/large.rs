//! A directory of a hundred thousand entries: listed to a slow reader in little memory.

use std::io::{Read, Write};
use std::net::TcpStream;

use spaces::{Operation, OperationId, Request};
use uuid::Uuid;

use super::program::{Program, free};
use crate::world::{MIB, Pod, World, volume_name};

const ENTRIES: usize = 100_000;
/// So many are made at once.
const AT_ONCE: usize = 1000;

async fn filled(world: &World, pod: &Pod) {
    let space = pod.app.engine.space(world.own("alice"), volume_name());
    let make = async |path: String| {
        let operation = Operation::MakeDirectory { path: path.parse().unwrap(), parents: false };
        let request = Request { id: OperationId(Uuid::new_v4()), born: None, locks: Vec::new(), operation };
        space.commit(request).await.unwrap();
    };
    make("d".to_owned()).await;
    for first in (0..ENTRIES).step_by(AT_ONCE) {
        let made = (first..first + AT_ONCE).map(|number| make(format!("d/entry {number}")));
        futures::future::join_all(made).await;
    }
}

/// Sends a PROPFIND for the directory.
fn ask(program: &Program, ticket: &str, depth: u8) -> TcpStream {
    let mut stream = TcpStream::connect(program.address).unwrap();
    let head = format!(
        "PROPFIND /dav/home/d/ HTTP/1.1\r\nHost: disk.example.org\r\nAuthorization: Bearer {ticket}\r\n\
         Depth: {depth}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

/// Not for the answer of some 50 MiB either is more memory needed than for what is under way.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_of_a_hundred_thousand_entries_costs_little_memory() {
    let world = World::new();
    let pod = world.pod().await;
    filled(&world, &pod).await;
    drop(pod);
    let program = Program::start(&world, 0, free());
    program.await_it();
    let ticket = world.ticket("alice", world.own("alice"));
    let reader = tokio::task::spawn_blocking(move || {
        // The state of the disk itself is there after that.
        let mut answer = Vec::new();
        ask(&program, &ticket, 0).read_to_end(&mut answer).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 207"), "{}", String::from_utf8_lossy(&answer));
        let before = program.memory();
        let mut slow = ask(&program, &ticket, 1);
        let (mut piece, mut length, mut most, mut entries) = (vec![0; 1 << 20], 0, before, 0);
        let mut rest = Vec::new();
        loop {
            let count = slow.read(&mut piece).unwrap();
            if count == 0 {
                break;
            }
            most = most.max(program.memory());
            length += count;
            rest.extend_from_slice(&piece[..count]);
            let word = b"</D:response>";
            entries += rest.windows(word.len()).filter(|found| found == word).count();
            rest.drain(..rest.len().saturating_sub(word.len() - 1));
        }
        eprintln!("{length} bytes; at rest {before}, at most {most} bytes of memory");
        // What cuts the answer into chunks can cut a word.
        assert!(entries > ENTRIES - 1000, "{entries}");
        assert!(length > 20 << 20, "{length}");
        assert!(most - before < 12 * MIB, "{before} bytes before, {most} while it was read");
    });
    reader.await.unwrap();
}
