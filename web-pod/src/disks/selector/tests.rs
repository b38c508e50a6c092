mod simulation;

use api::bytes::Bytes;
use api::load::Latency;
use proptest::prelude::*;

use super::*;

const NOW: i64 = 1_800_000_000;

fn space() -> SpaceId {
    SpaceId(uuid::Uuid::from_u128(5))
}

pub(super) fn report(pod: &str) -> LoadReport {
    LoadReport {
        pod: pod.parse().unwrap(),
        version: "0.1.0".to_owned(),
        started: Timestamp::from_second(NOW - 3600).unwrap(),
        draining: false,
        in_flight: 0,
        bytes_in_flight: 0,
        capacity_hint: 100,
        latency: Latency { metadata_us: None, small_us: Some(1000), bulk_us: None },
        volumes: vec![VolumeHealth {
            name: "main".parse().unwrap(),
            canary_age_ms: Some(100),
            free: Bytes(1 << 40),
        }],
        spaces_loaded: 0,
    }
}

fn server(name: &str, change: impl FnOnce(&mut LoadReport)) -> Candidate {
    let mut report = report(name);
    change(&mut report);
    Candidate {
        name: name.parse().unwrap(),
        url: format!("https://{name}.example"),
        health: Health::Answering { report: Arc::new(report), age: Duration::from_millis(50) },
        tickets: 0.0,
    }
}

fn gone(name: &str) -> Candidate {
    Candidate { health: Health::Gone, ..server(name, |_| {}) }
}

fn pick(candidates: &[Candidate], chance: f64) -> Result<Vec<String>, NoServer> {
    let now = Timestamp::from_second(NOW).unwrap();
    let main = "main".parse().unwrap();
    let picked = select(candidates, &main, space(), now, || chance)?;
    Ok(picked.into_iter().map(|candidate| candidate.name.to_string()).collect())
}

fn busy(requests: u32) -> impl Fn(&mut LoadReport) {
    move |report| report.in_flight = requests
}

fn slow(micros: u32) -> impl Fn(&mut LoadReport) {
    move |report| report.latency.small_us = Some(micros)
}

fn canary(age: Option<u64>) -> impl Fn(&mut LoadReport) {
    move |report| report.volumes[0].canary_age_ms = age
}

fn starting(report: &mut LoadReport) {
    report.started = Timestamp::from_second(NOW - 1).unwrap();
    report.volumes[0].canary_age_ms = None;
}

fn draining(report: &mut LoadReport) {
    report.draining = true;
}

#[test]
fn the_best_come_first() {
    let table: [(&str, Vec<Candidate>, &[&str]); 14] = [
        ("one", vec![server("a", |_| {})], &["a"]),
        ("the gone are left out", vec![gone("a"), server("b", |_| {}), gone("c")], &["b"]),
        ("the stopping are left out", vec![server("a", draining), server("b", |_| {})], &["b"]),
        (
            "those that start tell nothing of the volume",
            vec![server("a", starting), server("b", |_| {}), server("c", starting)],
            &["b"],
        ),
        ("slower", vec![server("a", slow(9000)), server("b", slow(1000))], &["b", "a"]),
        (
            "three at most",
            "abcde".chars().map(|c| server(&c.to_string(), |_| {})).collect(),
            &["c", "a", "b"],
        ),
        ("hot", vec![server("a", busy(50)), server("b", busy(1)), server("c", busy(1))], &["c", "b", "a"]),
        (
            "hot is worse than slow",
            vec![server("a", busy(50)), server("b", slow(90_000)), server("c", busy(1))],
            &["c", "b", "a"],
        ),
        ("less to do", vec![server("a", busy(9)), server("b", busy(8))], &["b", "a"]),
        (
            "less to do, but slower",
            vec![
                server("a", busy(9)),
                server("b", move |report| {
                    busy(8)(report);
                    slow(4000)(report);
                }),
            ],
            &["a", "b"],
        ),
        (
            "bytes weigh too",
            vec![server("a", |report| report.bytes_in_flight = 1 << 30), server("b", busy(3))],
            &["b", "a"],
        ),
        ("full", vec![server("a", busy(100)), server("b", busy(99))], &["b"]),
        (
            "a hung volume at one of them",
            vec![server("a", canary(Some(2500))), server("b", |_| {}), server("c", |_| {})],
            &["c", "b"],
        ),
        (
            "a canary that is late",
            vec![server("a", canary(Some(900))), server("b", slow(50_000)), server("c", busy(90))],
            &["b", "c", "a"],
        ),
    ];
    for (what, candidates, expected) in table {
        assert_eq!(pick(&candidates, 0.5).unwrap(), expected, "{what}");
    }
}

#[test]
fn the_reason_why_none() {
    let storage = Err(NoServer::StorageUnavailable { volume: "main".parse().unwrap() });
    let table = [
        ("no servers", vec![], Err(NoServer::NoReadyServer)),
        ("all gone", vec![gone("a"), gone("b")], Err(NoServer::NoReadyServer)),
        ("all stopping or gone", vec![server("a", draining), gone("b")], Err(NoServer::NoReadyServer)),
        ("all starting", vec![server("a", starting), server("b", starting)], Err(NoServer::NoReadyServer)),
        ("all full", vec![server("a", busy(100)), server("b", busy(200))], Err(NoServer::AllServersFull)),
        ("stalled at all", vec![server("a", canary(Some(9000))), server("b", canary(None))], storage.clone()),
        ("stalled at the only one", vec![server("a", canary(Some(9000))), gone("b")], storage.clone()),
        (
            "stalled at most",
            vec![server("a", canary(Some(9000))), server("b", canary(Some(9000))), server("c", |_| {})],
            storage.clone(),
        ),
        ("a volume that they do not have", vec![server("a", |report| report.volumes.clear())], storage),
        ("stalled at half", vec![server("a", canary(Some(9000))), server("b", |_| {})], Ok(vec!["b".into()])),
    ];
    for (what, candidates, expected) in table {
        assert_eq!(pick(&candidates, 0.5), expected, "{what}");
    }
}

#[test]
fn a_stalled_volume_of_others_is_nobodys_concern() {
    let mut candidate = server("a", |report| {
        let mut other = report.volumes[0].clone();
        other.name = "other".parse().unwrap();
        other.canary_age_ms = Some(60_000);
        report.volumes.push(other);
    });
    assert_eq!(pick(std::slice::from_ref(&candidate), 0.5).unwrap(), ["a"]);
    candidate.tickets = 100.0;
    assert_eq!(pick(&[candidate], 0.5), Err(NoServer::AllServersFull), "clients on their way count");
}

/// How often each server is picked first, over many spaces.
fn firsts(candidates: &[Candidate], rounds: u32) -> Vec<f64> {
    let now = Timestamp::from_second(NOW).unwrap();
    let main = "main".parse().unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    let mut counts = vec![0u32; candidates.len()];
    for _ in 0..rounds {
        let space = SpaceId(uuid::Uuid::from_u128(random.u128(..)));
        let first = select(candidates, &main, space, now, || random.f64()).unwrap()[0];
        let place = candidates.iter().position(|candidate| candidate.name == first.name).unwrap();
        counts[place] += 1;
    }
    counts.into_iter().map(|count| f64::from(count) / f64::from(rounds)).collect()
}

#[test]
fn equals_share_evenly() {
    let equals = [server("a", |_| {}), server("b", slow(1300)), server("c", slow(2900))];
    for share in firsts(&equals, 30_000) {
        assert!((0.31..0.36).contains(&share), "{share}");
    }
}

#[test]
fn a_newcomer_gets_a_little() {
    let new = |report: &mut LoadReport| report.started = Timestamp::from_second(NOW - 1).unwrap();
    let others = |requests| ["a", "b", "c", "d"].map(|name| server(name, busy(requests)));
    let share = |requests| {
        let mut candidates = others(requests).to_vec();
        candidates.push(server("new", new));
        firsts(&candidates, 10_000)[4]
    };
    assert_eq!(share(2), 0.0, "what others do is not much");
    assert!((0.01..0.15).contains(&share(20)), "others have much to do: {}", share(20));
}

#[test]
fn a_space_finds_the_server_that_has_its_state() {
    let all = ["a", "b", "c", "d", "e"].map(|name| server(name, |_| {}));
    let home = |candidates: &[Candidate], space| {
        let main = "main".parse().unwrap();
        let mut random = fastrand::Rng::with_seed(3);
        let mut first = || {
            let now = Timestamp::from_second(NOW).unwrap();
            select(candidates, &main, space, now, || random.f64()).unwrap()[0].name.clone()
        };
        let home = first();
        assert!((0..50).all(|_| first() == home), "every web pod, every time");
        home
    };
    let spaces = || (0..200).map(|number| SpaceId(uuid::Uuid::from_u128(number)));
    let before: Vec<PodName> = spaces().map(|space| home(&all, space)).collect();
    // One that has gone moves what was there, and nothing else.
    for (space, before) in spaces().zip(before) {
        let after = home(&all[1..], space);
        assert!(after == before || before.as_str() == "a", "{space}: from {before} to {after}");
    }
    let mut busy_home = all.to_vec();
    for candidate in &mut busy_home {
        if candidate.name == home(&all, space()) {
            candidate.tickets = 2.0;
        }
    }
    let first = pick(&busy_home, 0.5).unwrap()[0].clone();
    assert_ne!(first, home(&all, space()).to_string(), "one that has less to do is better than the home");
}

fn any_server() -> impl Strategy<Value = Candidate> {
    let report = (any::<bool>(), 0u32..200, 0u64..1 << 34, proptest::option::of(0u64..4000), 0u32..100_000);
    (report, any::<bool>(), 0.0..10.0f64, "[a-z]{1,8}").prop_map(
        |((draining, in_flight, bytes, age, micros), is_gone, tickets, name)| {
            let mut candidate = server(&name, |report| {
                report.draining = draining;
                report.in_flight = in_flight;
                report.bytes_in_flight = bytes;
                report.volumes[0].canary_age_ms = age;
                report.latency.small_us = Some(micros);
            });
            candidate.tickets = tickets;
            if is_gone {
                candidate.health = Health::Gone;
            }
            candidate
        },
    )
}

proptest! {
    /// Whoever is picked can serve, nobody is picked twice, and when somebody could serve somebody is picked,
    /// unless it is the volume that stalls.
    #[test]
    fn picks_are_sound(candidates in proptest::collection::vec(any_server(), 0..8), chance in 0.0..1.0f64) {
        let main: VolumeName = "main".parse().unwrap();
        let picked = select(&candidates, &main, space(), Timestamp::from_second(NOW).unwrap(), || chance);
        let could = |candidate: &&Candidate| match &candidate.health {
            Health::Gone => false,
            Health::Answering { report, age } => {
                !report.draining
                    && Canary::of(report, &main, *age) != Canary::Stalled
                    && f64::from(report.in_flight) + candidate.tickets < f64::from(report.capacity_hint)
            }
        };
        match picked {
            Ok(picked) => {
                prop_assert!(!picked.is_empty() && picked.len() <= MOST);
                prop_assert!(picked.iter().all(could));
                for (place, one) in picked.iter().enumerate() {
                    prop_assert!(!picked[..place].iter().any(|other| std::ptr::eq(*other, *one)));
                }
                prop_assert_eq!(picked.len(), candidates.iter().filter(could).count().min(MOST));
            }
            Err(NoServer::StorageUnavailable { .. }) => {}
            Err(_) => prop_assert_eq!(candidates.iter().filter(could).count(), 0),
        }
    }
}
