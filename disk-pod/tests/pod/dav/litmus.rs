//! litmus, the test of WebDAV servers that the field uses, against real programs.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::forwarder::Forwarder;
use super::program::{Program, free, prepared};
use crate::standalone::Place;

/// How many tests each suite of litmus 0.13 has.
const SUITES: [(&str, usize); 5] =
    [("basic", 16), ("copymove", 13), ("props", 30), ("locks", 41), ("http", 4)];

/// What litmus said: what passed in each suite, and every line that is no pass.
#[derive(Debug, Default)]
struct Outcome {
    passed: Vec<(String, usize)>,
    others: Vec<String>,
}

fn run(address: SocketAddr, password: &str) -> Outcome {
    let directory = tempfile::tempdir().unwrap();
    let output = Command::new("litmus")
        .args(["--keep-going", &format!("http://{address}/dav/home/"), "alice", password])
        .current_dir(directory.path())
        .output()
        .expect("litmus is missing: run `make tools`");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut outcome = Outcome::default();
    for line in said.split(['\n', '\r']) {
        let line = line.trim();
        if let Some(suite) = line.strip_prefix("-> running `").and_then(|rest| rest.strip_suffix("':")) {
            outcome.passed.push((suite.to_owned(), 0));
        } else if line.ends_with(" pass") {
            if let Some((_, count)) = outcome.passed.last_mut() {
                *count += 1;
            }
        } else if ["FAIL", "WARNING", "SKIPPED"].iter().any(|word| line.contains(word)) {
            let suite = outcome.passed.last().map_or("", |(suite, _)| suite);
            outcome.others.push(format!("{suite}: {line}"));
        }
    }
    assert!(!outcome.passed.is_empty(), "litmus said nothing: {output:?}");
    outcome
}

fn judge(outcome: &Outcome) {
    let wanted: Vec<_> = SUITES.map(|(suite, count)| (suite.to_owned(), count)).into();
    assert!(outcome.others.is_empty() && outcome.passed == wanted, "{outcome:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_suite_against_one_pod() {
    let world = prepared().await;
    let pod = Program::start(&world, 0, free());
    pod.await_it();
    let forwarder = Forwarder::start(vec![pod.address], &world.ticket("alice", world.own("alice"))).await;
    let address = forwarder.address;
    judge(&tokio::task::spawn_blocking(move || run(address, "any")).await.unwrap());
    assert_eq!(*forwarder.repeated.lock().unwrap(), Vec::<String>::new());
}

/// Nothing stands between: litmus signs in itself, with every request.
#[test]
fn every_suite_by_name_and_password() {
    let place = Place::new();
    let pod = place.start();
    judge(&run(pod.public, "secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_suite_while_pods_are_killed() {
    let world = prepared().await;
    let mut pods: Vec<_> = (0..3).map(|number| Program::start(&world, number, free())).collect();
    pods.iter().for_each(Program::await_it);
    let addresses: Vec<_> = pods.iter().map(|pod| pod.address).collect();
    let forwarder = Forwarder::start(addresses, &world.ticket("alice", world.own("alice"))).await;
    let (address, done) = (forwarder.address, Arc::new(AtomicBool::new(false)));
    let litmus = tokio::task::spawn_blocking({
        let done = done.clone();
        move || {
            let outcome = run(address, "any");
            done.store(true, Ordering::Relaxed);
            outcome
        }
    });
    let mut kills = 0;
    while !done.load(Ordering::Relaxed) {
        // A suite takes less than two seconds: so often that each of them meets some.
        let again = Instant::now() + Duration::from_millis(300);
        while Instant::now() < again && !done.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let number = kills % pods.len();
        let address = pods[number].address;
        pods[number].kill();
        pods[number] = Program::start(&world, number, address);
        pods[number].await_it();
        kills += 1;
    }
    let repeated = forwarder.repeated.lock().unwrap().clone();
    eprintln!("{kills} kills; {} requests were sent again:\n{}", repeated.len(), repeated.join("\n"));
    judge(&litmus.await.unwrap());
    assert!(kills > 0);
}
