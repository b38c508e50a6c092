//! Eight processes fill one space to its last byte at once.

use std::sync::mpsc::channel;
use std::time::Duration;

use api::ids::{ClusterUid, SpaceId};
use uuid::Uuid;

use super::super::world::Short;
use super::mounted::Mounted;
use super::slot::Process;
use super::talk::{Role, Said, Work};
use super::walk::Walk;
use super::{judge, writer};
use crate::Error;

const PROCESSES: usize = 8;
const MOUNTS: usize = 3;
/// No round number: the last files are single bytes.
const LIMIT: u64 = 4_000_003;
const PATIENCE: Duration = Duration::from_secs(120);

pub(super) fn race(name: &str, test: &'static str) {
    if writer::was_one() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let mounted = Mounted::start(name, MOUNTS, "quota");
        let (cluster, id) = (ClusterUid(Uuid::new_v4()), SpaceId(Uuid::new_v4()));
        judge::limit(&judge::space(&mounted.mounts[0], cluster, id).await, LIMIT).await;
        let (sender, events) = channel();
        let mut processes: Vec<Process> = (0..PROCESSES)
            .map(|number| {
                let role = Role {
                    mount: mounted.mounts[number % MOUNTS].clone(),
                    cluster: cluster.0,
                    space: id.0,
                    seed: number as u64,
                    work: Work::Fill { name: format!("p{number}") },
                };
                let log = mounted.mounts[0].parent().unwrap().join(format!("log/filler{number}.log"));
                Process::start(number, 0, test, &role, &log, &sender)
            })
            .collect();
        let (mut stored, mut ended, mut filled) = (0, 0, 0);
        while ended < PROCESSES {
            match events.recv_timeout(PATIENCE).expect("the space is filled in time").2 {
                Some(Said::Filled { bytes, refused }) => {
                    assert!(refused > 0, "each sees that it is full");
                    stored += bytes;
                    filled += 1;
                }
                Some(Said::Slept { .. }) => {}
                Some(other) => panic!("{other:?}"),
                None => ended += 1,
            }
        }
        assert!(processes.drain(..).all(Process::ended_well));
        assert_eq!((filled, stored), (PROCESSES, LIMIT), "what was acknowledged is the limit to the byte");
        let mut walk = Walk::begin(&mounted.mounts[0], id);
        walk.go_on();
        assert!(walk.wrong.is_empty(), "{:?}", walk.wrong);
        for mount in &mounted.mounts {
            let space = judge::space(mount, cluster, id).await;
            let snapshot = judge::look(&space).await;
            assert!(**snapshot.state() == walk.state, "{}", mount.display());
            let usage = snapshot.usage();
            assert_eq!((usage.used.0, usage.reserved.0), (LIMIT, 0));
            assert!(matches!(space.put("one", b"1").await, Err(Error::QuotaExceeded { .. })));
        }
        println!(
            "{name}: {PROCESSES} processes stored {stored} of {LIMIT} bytes in {} entries",
            walk.state.generation
        );
    });
}
