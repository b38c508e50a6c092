//! More disk servers and fewer again, while files go up: no transfer fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)] // a test: all of it

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bytes::Bytes;
use internet_disk_e2e::command::kubectl;
use internet_disk_e2e::demo::Demo;
use internet_disk_e2e::noise::noise;
use internet_disk_e2e::people::Person;
use internet_disk_e2e::wait;
use internet_disk_e2e::web::Session;
use internet_disk_e2e::{tus, web};
use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;

const PIECE: usize = 256 << 10;
const UPLOADERS: u64 = 4;

async fn scale(demo: &Demo, replicas: usize) -> Result<Duration> {
    let began = Instant::now();
    let wanted = format!("--replicas={replicas}");
    kubectl(&demo.settings, &["-n", "disk", "scale", "diskcluster", "demo", &wanted])
        .await?
        .expect_success()?;
    let pods = demo.cluster.core::<Pod>();
    let params =
        ListParams::default().labels("app.kubernetes.io/instance=demo,app.kubernetes.io/component=disk");
    wait::until(&format!("{replicas} disk pods serve"), Duration::from_secs(240), async || {
        let found = pods.list(&params).await?.items;
        let ready = found.iter().filter(|pod| is_ready(pod)).count();
        Ok((found.len() == replicas && ready == replicas).then_some(()))
    })
    .await?;
    Ok(began.elapsed())
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.is_some_and(|all| all.iter().any(|one| one.type_ == "Ready" && one.status == "True"))
}

/// Uploads one file after the other until told to stop; says how many, and how often a pod had to be changed.
async fn keep_uploading(
    session: Session,
    space: String,
    me: u64,
    stop: Arc<AtomicBool>,
) -> Result<(Vec<(String, Bytes)>, usize)> {
    let mut sent = Vec::new();
    let mut moves = 0;
    while !stop.load(Ordering::Relaxed) {
        let number = sent.len() as u64;
        let content = noise(me * 1_000_000 + number, 600_000 + usize::try_from(number % 7)? * 200_000);
        let path = format!("from-{me}/{number}");
        moves += upload(&session, &space, &path, &content)
            .await
            .with_context(|| format!("the transfer of {path} failed"))?;
        sent.push((path, content));
    }
    Ok((sent, moves))
}

/// As the page does it: two or three servers are in hand, and fresh ones are asked for when all have failed.
async fn upload(session: &Session, space: &str, path: &str, content: &Bytes) -> Result<usize> {
    let mut last = None;
    for _ in 0..3 {
        let disks = session.disks(space).await?;
        match tus::send_anywhere(&disks, path, content, PIECE, disks.len() * 2).await {
            Ok(moves) => return Ok(moves),
            Err(error) => last = Some(error),
        }
    }
    Err(last.context("no try was made")?)
}

#[tokio::test]
async fn no_transfer_fails_while_the_disk_is_scaled() {
    let demo = Demo::find().await.unwrap();
    let person = Person::create(&demo.cluster, "scale", "3Gi").await.unwrap();
    let session: web::Session = person.sign_in(&demo.settings).await.unwrap();
    let space = session.own_space().await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let uploaders: Vec<_> = (0..UPLOADERS)
        .map(|me| tokio::spawn(keep_uploading(session.clone(), space.clone(), me, Arc::clone(&stop))))
        .collect();

    let up = scale(&demo, 5).await;
    let down = scale(&demo, 2).await;
    stop.store(true, Ordering::Relaxed);
    let mut files = Vec::new();
    let mut moves = 0;
    for uploader in uploaders {
        let (sent, moved) = uploader.await.unwrap().unwrap();
        files.extend(sent);
        moves += moved;
    }
    println!("to 5 disk pods in {:?}, to 2 in {:?}", up.unwrap(), down.unwrap());
    println!("{} files went up meanwhile, {moves} times on another pod than they began", files.len());
    scale(&demo, 3).await.unwrap();

    let disk = session.disk(&space).await.unwrap();
    for (path, content) in &files {
        let (length, hash) = disk.hash(path, None).await.unwrap();
        assert_eq!((length, hash), (content.len() as u64, blake3::hash(content)), "{path}");
    }
    assert!(!files.is_empty());
    person.remove(&demo.cluster).await.unwrap();
}
