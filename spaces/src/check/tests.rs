//! Checks of real directories, alone and by several pods at once.

use std::path::Path;
use std::time::Duration;

use api::ids::ClusterUid;
use uuid::Uuid;

use super::{CheckConfig, CheckReport, Level, Peer, Verdict, check};

fn config(place: &Path) -> CheckConfig {
    CheckConfig {
        directory: place.to_owned(),
        cluster: None,
        adopt: None,
        peer: None,
        limit: Duration::from_secs(60),
    }
}

fn peer(number: u32, patience: Duration) -> Peer {
    Peer { rendezvous: "together".to_owned(), number, of: 2, patience }
}

fn is_bad(report: &CheckReport, about: &str, what: &str) -> bool {
    report.verdict == Verdict::Unsuitable
        && report.findings.iter().any(|finding| {
            finding.level == Level::Unsuitable && finding.check == about && finding.says.contains(what)
        })
}

#[test]
fn a_good_volume_stands_it_and_nothing_is_left() {
    let place = tempfile::tempdir().unwrap();
    let report = check(config(place.path()));
    assert_ne!(report.verdict, Verdict::Unsuitable, "{report:?}");
    assert_eq!(
        (report.facts.links, report.facts.races, report.facts.pods),
        (Some(64), Some(100), 1),
        "{report:?}"
    );
    assert!(report.facts.commit_ms.is_some() && report.facts.file_system.is_some(), "{report:?}");
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
}

#[test]
fn two_pods_find_each_other() {
    let place = tempfile::tempdir().unwrap();
    let reports: Vec<CheckReport> = std::thread::scope(|scope| {
        let pods: Vec<_> = [1, 2]
            .map(|number| {
                let peer = Some(peer(number, Duration::from_secs(30)));
                let config = CheckConfig { peer, ..config(place.path()) };
                scope.spawn(move || check(config))
            })
            .into_iter()
            .collect();
        pods.into_iter().map(|pod| pod.join().unwrap()).collect()
    });
    for report in &reports {
        assert_ne!(report.verdict, Verdict::Unsuitable, "{report:?}");
        assert_eq!((report.facts.pods, report.facts.races), (2, Some(100)), "{report:?}");
    }
    assert!(reports[0].facts.seen_ms.is_some() && reports[0].facts.unseen_ms.is_some(), "{:?}", reports[0]);
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
}

#[test]
fn pods_that_do_not_share_it_say_so() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (number, place) in [(1, &one), (2, &other)] {
        let peer = Some(peer(number, Duration::from_millis(200)));
        let report = check(CheckConfig { peer, ..config(place.path()) });
        assert!(is_bad(&report, "shared", "do not find each other"), "{report:?}");
    }
    assert_eq!(std::fs::read_dir(one.path()).unwrap().count(), 0, "the first clears up");
}

#[test]
fn what_is_somebody_elses_is_not_touched() {
    let place = tempfile::tempdir().unwrap();
    let (owner, cluster) = (ClusterUid(Uuid::new_v4()), ClusterUid(Uuid::new_v4()));
    let file = place.path().join("internet-disk.json");
    let identity =
        |format: u32| format!(r#"{{"format":{format},"volume":"{}","cluster":"{owner}"}}"#, Uuid::new_v4());
    for (content, about) in [
        (identity(1), "belongs to the DiskCluster"),
        (identity(9999), "use a newer version"),
        ("nonsense".to_owned(), "can not be understood"),
    ] {
        std::fs::write(&file, content).unwrap();
        let report = check(CheckConfig { cluster: Some(cluster), ..config(place.path()) });
        assert!(is_bad(&report, "identity", about), "{about}: {report:?}");
        assert_eq!(report.facts.commit_ms, None, "nothing was tried");
    }
    std::fs::write(&file, identity(1)).unwrap();
    let adopted = check(CheckConfig { cluster: Some(cluster), adopt: Some(owner), ..config(place.path()) });
    assert_ne!(adopted.verdict, Verdict::Unsuitable, "{adopted:?}");
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1, "the identity alone");
}

#[test]
fn what_can_not_be_opened_or_written_says_why() {
    let place = tempfile::tempdir().unwrap();
    let report = check(config(&place.path().join("missing")));
    assert!(is_bad(&report, "volume", "missing"), "{report:?}");
    // A name that is taken by a file stands for a directory that can not be made: root may write anywhere.
    std::fs::write(place.path().join("check"), b"").unwrap();
    let report = check(config(place.path()));
    assert!(is_bad(&report, "volume", "can not make a directory"), "{report:?}");
}

#[test]
fn what_a_dead_check_left_is_taken_away() {
    let place = tempfile::tempdir().unwrap();
    for (name, age) in [("old", 7200), ("young", 60)] {
        let left = place.path().join("check").join(name);
        std::fs::create_dir_all(left.join("spaces/00")).unwrap();
        std::fs::write(left.join("spaces/00/n"), b"left").unwrap();
        let then = std::time::SystemTime::now() - Duration::from_secs(age);
        std::fs::File::open(&left).unwrap().set_modified(then).unwrap();
    }
    assert_ne!(check(config(place.path())).verdict, Verdict::Unsuitable);
    let left: Vec<_> =
        std::fs::read_dir(place.path().join("check")).unwrap().map(|one| one.unwrap().file_name()).collect();
    assert_eq!(left, ["young"]);
}

#[test]
fn who_can_take_part() {
    for (rendezvous, number, of, possible) in [
        ("a-1", 1, 2, true),
        ("a", 2, 2, true),
        ("a", 0, 2, false),
        ("a", 3, 2, false),
        ("a", 1, 1, false),
        ("", 1, 2, false),
        ("../a", 1, 2, false),
        ("a/b", 1, 2, false),
        ("A", 1, 2, false),
    ] {
        let peer = Peer { rendezvous: rendezvous.to_owned(), number, of, patience: Duration::ZERO };
        assert_eq!(peer.is_possible(), possible, "{peer:?}");
    }
}

#[test]
fn one_that_takes_too_long_is_told_where_it_stands() {
    let place = tempfile::tempdir().unwrap();
    let peer = Some(peer(1, Duration::from_secs(2)));
    let report = check(CheckConfig { peer, limit: Duration::from_millis(300), ..config(place.path()) });
    assert!(is_bad(&report, "time", "it still "), "{report:?}");
}
