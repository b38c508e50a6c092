//! A disk is filled to its last byte through all disk pods at once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)] // a test: all of it

use std::time::{Duration, Instant};

use internet_disk_e2e::demo::Demo;
use internet_disk_e2e::disk::Disk;
use internet_disk_e2e::noise::noise;
use internet_disk_e2e::people::Person;
use internet_disk_e2e::wait;

/// No round number: the last files are single bytes.
const LIMIT: u64 = 4_000_003;
const PODS: usize = 3;
const CLIENTS_OF_A_POD: u64 = 2;

/// Puts files, smaller and smaller ones, until not one byte goes in. Says how many bytes were acknowledged.
async fn fill(disk: Disk, me: u64) -> u64 {
    let (mut stored, mut most) = (0, 90_000_u64);
    for number in 0_u64.. {
        // Any length up to the most there may be room for.
        let length = 1 + (number * 7_919 + me * 104_729) % most;
        let content = noise(me * 1_000_000 + number, usize::try_from(length).unwrap());
        let answer = disk.put(&format!("{me}-{number}"), content).await.unwrap();
        if answer.status.is_success() {
            stored += length;
        } else if answer.problem().unwrap() == "quota-exceeded" {
            if length == 1 {
                break;
            }
            most = (length / 2).max(1);
        } else {
            panic!("a file of {length} bytes through {}: {answer:?}", disk.pod);
        }
    }
    stored
}

#[tokio::test]
async fn all_pods_fill_a_disk_to_its_last_byte() {
    let demo = Demo::find().await.unwrap();
    let person = Person::create(&demo.cluster, "race", &LIMIT.to_string()).await.unwrap();
    let session = person.sign_in(&demo.settings).await.unwrap();
    let space = session.own_space().await.unwrap();
    let (disks, _) = wait::until("three disk pods are named", Duration::from_secs(60), async || {
        Ok(Some(session.disks(&space).await?).filter(|disks| disks.len() == PODS))
    })
    .await
    .unwrap();
    let began = Instant::now();
    let fillers: Vec<_> = (0..CLIENTS_OF_A_POD)
        .flat_map(|client| disks.iter().zip(client * 10..))
        .map(|(disk, me)| tokio::spawn(fill(disk.clone(), me)))
        .collect();
    let count = fillers.len();
    let mut stored = 0;
    for filler in fillers {
        stored += filler.await.unwrap();
    }
    let took = began.elapsed();
    assert_eq!(stored, LIMIT, "what was acknowledged is the limit to the byte");
    for disk in &disks {
        let over = disk.put("one", "x".into()).await.unwrap();
        assert_eq!(over.problem().unwrap(), "quota-exceeded", "through {}", disk.pod);
        let usage = disk.usage().await.unwrap();
        assert_eq!((usage.limit, usage.used, usage.reserved), (LIMIT, LIMIT, 0), "through {}", disk.pod);
    }
    let files: Vec<u64> =
        disks[0].list("").await.unwrap().iter().map(|entry| entry["size"].as_u64().unwrap()).collect();
    assert_eq!(files.iter().sum::<u64>(), LIMIT);
    println!(
        "{count} clients through {PODS} pods stored {stored} of {LIMIT} bytes in {} files in {took:.1?}",
        files.len()
    );
    person.remove(&demo.cluster).await.unwrap();
}
