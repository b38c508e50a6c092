//! Real processes over real shared file systems, killed and stopped at any moment, with the file system's own client
//! and server killed under them. `make filesystems` runs a part of it, `make soak` the whole.
//!
//! They need root and FUSE, and install what is missing. A test's process starts itself again for each writer.

mod judge;
mod mounted;
mod quota;
mod slot;
mod standstill;
mod talk;
mod walk;
mod worlds;
mod writer;

use api::ids::ClusterUid;
use uuid::Uuid;

use self::judge::{Harm, Judge, Outcome, check};
use self::mounted::Mounted;

/// Over each space so many are killed and stopped; then all is compared, and the next space begun.
const KILLS: u32 = 20;
const STOPS: u32 = 2;
/// Two for the writers, one for the judge.
const MOUNTS: usize = 3;

/// How many spaces are gone through. Fifty make a thousand kills and a hundred stops.
fn rounds() -> u32 {
    std::env::var("SPACES_ROUNDS").map_or(3, |rounds| rounds.parse().expect("SPACES_ROUNDS is a number"))
}

fn seed() -> u64 {
    std::env::var("SPACES_SEED")
        .map_or_else(|_| fastrand::u64(..), |seed| seed.parse().expect("SPACES_SEED is a number"))
}

fn kills(name: &str, test: &'static str, parts: &'static [&'static str]) {
    if writer::was_one() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let mounted = Mounted::start(name, MOUNTS, "kills");
        let (seed, cluster) = (seed(), ClusterUid(Uuid::new_v4()));
        let harm = Harm { kills: KILLS, stops: STOPS, parts, prompt: parts.is_empty() };
        let (mut sum, mut longest) = (Outcome::default(), 0);
        for round in 0..rounds() {
            let judge = Judge::new(&mounted, cluster, test, seed.wrapping_add(u64::from(round))).await;
            let outcome = judge.run(harm).await.and_then(|outcome| check(harm, &outcome).map(|()| outcome));
            let outcome = outcome.unwrap_or_else(|wrong| panic!("{name}, round {round} of seed {seed}: {wrong}"));
            println!("{name} {round}: {outcome:?}");
            sum.kills += outcome.kills;
            sum.stops += outcome.stops;
            sum.done += outcome.done;
            longest = longest.max(outcome.longest);
        }
        println!(
            "{name}: {} kills and {} stops; {} operations acknowledged and none lost; the longest wait was {longest} ms",
            sum.kills, sum.stops, sum.done
        );
    });
}

#[test]
#[ignore = "needs root and several minutes: make filesystems"]
fn killed_on_ext4() {
    kills("ext4", "tests::processes::killed_on_ext4", &[]);
}

#[test]
#[ignore = "needs root, FUSE and several minutes: make filesystems"]
fn killed_on_moosefs() {
    kills("moosefs", "tests::processes::killed_on_moosefs", &["kill-client"]);
}

#[test]
#[ignore = "needs root, FUSE and several minutes: make filesystems"]
fn killed_on_cephfs() {
    kills("cephfs", "tests::processes::killed_on_cephfs", &["kill-client", "kill-server"]);
}

#[test]
#[ignore = "needs root: make filesystems"]
fn quota_on_ext4() {
    quota::race("ext4", "tests::processes::quota_on_ext4");
}

#[test]
#[ignore = "needs root and FUSE: make filesystems"]
fn quota_on_moosefs() {
    quota::race("moosefs", "tests::processes::quota_on_moosefs");
}

#[test]
#[ignore = "needs root and FUSE: make filesystems"]
fn quota_on_cephfs() {
    quota::race("cephfs", "tests::processes::quota_on_cephfs");
}
