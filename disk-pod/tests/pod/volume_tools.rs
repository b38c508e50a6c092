//! The tools of the real program that need no cluster: what they print, and their exit codes.

use std::path::Path;
use std::process::{Command, Output};

use crate::world::World;

fn disk_pod(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_disk-pod")).args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_volume_is_checked() {
    let place = tempfile::tempdir().unwrap();
    let result = place.path().join("result");
    let volume = tempfile::tempdir().unwrap();
    let good = disk_pod(&["check-volume", text(volume.path()), "--result", text(&result)]);
    assert!(good.status.success(), "{}", said(&good));
    assert!(said(&good).contains("names raced for: 100"), "{}", said(&good));
    let told = std::fs::read_to_string(&result).unwrap();
    assert!(told.contains(r#""pods":1"#), "{told}");

    let json = disk_pod(&["check-volume", text(volume.path()), "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(report["facts"]["races"], 100, "{report}");

    let missing = disk_pod(&["check-volume", text(&volume.path().join("missing"))]);
    assert_eq!(missing.status.code(), Some(1), "{}", said(&missing));
    assert!(said(&missing).contains("UNSUITABLE (volume): "), "{}", said(&missing));
    let lonely = disk_pod(&["check-volume", text(volume.path()), "--peer", "1/2"]);
    assert_eq!(lonely.status.code(), Some(2), "{}", said(&lonely));
    let impossible = disk_pod(&["check-volume", text(volume.path()), "--peer", "3/2", "--rendezvous", "a"]);
    assert_eq!(impossible.status.code(), Some(1), "{}", said(&impossible));
}

#[tokio::test]
async fn a_volume_is_verified_and_its_log_told() {
    let world = World::new();
    let space = world.own("alice");
    {
        let pod = world.pod().await;
        let put = world.client(&pod, "alice").put("notes.txt", "some text").await;
        assert_eq!(put.status, 201, "{put:?}");
    }
    let volume = world.volume.path().join("a");
    let directory = text(&volume);
    let sound = disk_pod(&["volume", "verify", directory, "--read"]);
    assert!(sound.status.success(), "{}", said(&sound));
    assert!(said(&sound).contains(&format!("space {space}: sound")), "{}", said(&sound));
    assert!(said(&sound).contains(&world.cluster.to_string()), "{}", said(&sound));

    let told = disk_pod(&["volume", "log", directory, "--space", &space.to_string()]);
    assert!(said(&told).contains("makes the file \"/notes.txt\" (9 bytes)"), "{}", said(&told));
    let listed = disk_pod(&["volume", "log", directory]);
    assert!(said(&listed).lines().any(|line| line == space.to_string()), "{}", said(&listed));
    let lines =
        disk_pod(&["volume", "log", directory, "--space", &space.to_string(), "--json", "--from", "2"]);
    let line: serde_json::Value =
        serde_json::from_str(String::from_utf8_lossy(&lines.stdout).lines().next().unwrap()).unwrap();
    assert_eq!(line["generation"], 2, "{line}");

    let name = space.to_string();
    let objects = volume.join("spaces").join(&name[..2]).join(&name).join("objects");
    std::fs::remove_dir_all(objects).unwrap();
    let unsound = disk_pod(&["volume", "verify", directory]);
    assert_eq!(unsound.status.code(), Some(1), "{}", said(&unsound));
    assert!(said(&unsound).contains("WRONG: "), "{}", said(&unsound));
    assert!(said(&unsound).contains("1 of 4 spaces are not sound"), "{}", said(&unsound));
    let json = disk_pod(&["volume", "verify", directory, "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(
        (&report["sound"], report["spaces"].as_array().unwrap().len()),
        (&false.into(), 4),
        "{report}"
    );
}

#[tokio::test]
async fn a_volume_is_backed_up_and_brought_back() {
    let world = World::new();
    let space = world.own("alice");
    let pod = world.pod().await;
    let put = world.client(&pod, "alice").put("notes.txt", "some text").await;
    assert_eq!(put.status, 201, "{put:?}");
    let (volume, target) = (world.volume.path().join("a"), tempfile::tempdir().unwrap());
    // The pod goes on meanwhile.
    let taken = disk_pod(&["backup", "take", text(&volume), "--to", text(target.path()), "--keep", "3"]);
    assert!(taken.status.success(), "{}", said(&taken));
    assert!(said(&taken).contains("4 spaces on 1 volumes"), "{}", said(&taken));
    let listed = disk_pod(&["backup", "list", text(target.path())]);
    let listed = said(&listed);
    let name = listed.split_whitespace().next().unwrap();
    let backup = target.path().join(name);
    let verified = disk_pod(&["backup", "verify", text(&backup)]);
    assert!(
        verified.status.success() && said(&verified).contains("is as it was taken"),
        "{}",
        said(&verified)
    );

    let in_use = disk_pod(&["backup", "restore", text(&backup), text(&volume)]);
    assert_eq!(in_use.status.code(), Some(1), "{}", said(&in_use));
    assert!(said(&in_use).contains("in use"), "{}", said(&in_use));
    let new = tempfile::tempdir().unwrap();
    let restored = disk_pod(&["backup", "restore", text(&backup), text(new.path())]);
    assert!(restored.status.success(), "{}", said(&restored));
    let adopt = format!("spec.adoptClusterUID: {}", world.cluster);
    assert!(said(&restored).contains(&adopt), "{}", said(&restored));
    let sound = disk_pod(&["volume", "verify", text(new.path()), "--read"]);
    assert!(said(&sound).contains(&format!("space {space}: sound")), "{}", said(&sound));

    let list = backup.join("files");
    std::fs::write(&list, "").unwrap();
    let tampered = disk_pod(&["backup", "verify", text(&backup)]);
    assert_eq!(tampered.status.code(), Some(1), "{}", said(&tampered));
    assert!(said(&tampered).contains("not the list"), "{}", said(&tampered));
}
