//! Several pods over one space at the same time.

use bytes::Bytes;
use futures::future::join_all;

use super::world::{MIB, Short, World, path};
use crate::{Condition, Error, Operation};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_is_made_once() {
    let world = World::new();
    let mut pods = vec![world.roomy(MIB).await];
    for _ in 0..3 {
        pods.push(world.pod().await);
    }
    for round in 0..25 {
        let at = format!("n{round}");
        let make = |pod: crate::Space| {
            let at = at.clone();
            async move { pod.act(Operation::MakeDirectory { path: path(&at), parents: false }).await }
        };
        let made = join_all(pods.iter().cloned().map(|pod| tokio::spawn(make(pod)))).await;
        let made: Vec<_> = made.into_iter().map(Result::unwrap).collect();
        assert_eq!(made.iter().filter(|one| one.is_ok()).count(), 1, "{made:?}");
        assert!(made.iter().all(|one| matches!(one, Ok(_) | Err(Error::Exists))), "{made:?}");
    }
    let first = pods[0].now().await;
    for pod in &pods {
        assert!(pod.now().await.same(&first));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_quota_holds_to_the_last_byte() {
    let world = World::new();
    let mut pods = vec![world.roomy(1000).await];
    for _ in 0..2 {
        pods.push(world.pod().await);
    }
    // 3 pods times 40 files of 9 to 11 bytes: more than there is room for.
    let fill = |(number, pod): (usize, crate::Space)| async move {
        let mut stored = 0;
        for file in 0..40 {
            let content = vec![b'x'; 9 + (file + number) % 3];
            match pod.put(&format!("f{number}-{file}"), &content).await {
                Ok(_) => stored += content.len() as u64,
                Err(Error::QuotaExceeded { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        stored
    };
    let stored = join_all(pods.iter().cloned().enumerate().map(|pod| tokio::spawn(fill(pod)))).await;
    let stored: u64 = stored.into_iter().map(Result::unwrap).sum();
    let usage = pods[0].now().await.usage();
    assert_eq!(usage.used.0, stored);
    assert!(usage.used.0 <= 1000 && usage.used.0 > 990, "{usage:?}");
    let rest = vec![b'y'; (1000 - usage.used.0) as usize];
    pods[1].put("rest", &rest).await.unwrap();
    assert!(matches!(pods[2].put("one", b"1").await, Err(Error::QuotaExceeded { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operations_that_wait_share_an_entry() {
    let world = World::new();
    let space = world.roomy(MIB).await;
    let before = space.now().await.generation();
    let puts = (0..200).map(|number| {
        let space = space.clone();
        tokio::spawn(
            async move { space.put(&format!("f{number}"), format!("content {number}").as_bytes()).await },
        )
    });
    for put in join_all(puts).await {
        put.unwrap().unwrap();
    }
    let entries = space.now().await.generation().0 - before.0;
    assert!(entries < 100, "{entries} entries for 200 operations");
    for number in [0, 99, 199] {
        assert_eq!(space.get(&format!("f{number}")).await.unwrap(), format!("content {number}").as_bytes());
    }
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_is_not_done() {
    let world = World::new();
    let space = world.roomy(MIB).await;
    let content = space.staged(b"x").await.unwrap();
    let put = Operation::Put { path: path("a"), content, condition: Condition::None, parents: false };
    // Asked and dropped before the actor could begin: one thread runs both.
    let mut asked = Box::pin(space.act(put));
    assert!(futures::poll!(&mut asked).is_pending());
    drop(asked);
    space.put("b", b"y").await.unwrap();
    assert_eq!(space.names("").await, ["b"]);
}

#[tokio::test]
async fn a_body_cut_short_leaves_nothing() {
    let world = World::new();
    let space = world.roomy(8 * MIB).await;
    let mut stage = space.stage(Some(api::bytes::Bytes(4 * MIB))).await.unwrap();
    stage.write(Bytes::from(vec![1; 2 << 20])).await.unwrap();
    assert_eq!(space.now().await.usage().reserved.0, 4 * MIB);
    drop(stage);
    let empty = || {
        let objects = walk(&world.directory().join("objects"));
        objects.is_empty()
    };
    let given_back = async {
        while space.now().await.usage().reserved.0 != 0 || !empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(super::world::PATIENCE, given_back).await.expect("something is left");
    assert!(space.names("").await.is_empty());
    let over =
        space.stage(Some(api::bytes::Bytes(3))).await.unwrap().write(Bytes::from_static(b"four")).await;
    assert!(matches!(over, Err(Error::TooLong)));
}

fn walk(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten() {
        let at = entry.unwrap().path();
        if at.is_dir() { files.extend(walk(&at)) } else { files.push(at) }
    }
    files
}
