//! The arrows of `ARCHITECTURE.md` point downwards only.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test: all of it

use std::collections::{BTreeMap, BTreeSet};

/// What each room may use of the others. A room that is missing here may use nothing.
fn allowed() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    [
        ("api", &[][..]),
        ("serve", &["api"][..]),
        ("roster", &["api"]),
        ("spaces", &["api"]),
        ("operator", &["roster", "serve", "api"]),
        ("disk-pod", &["spaces", "roster", "serve", "api"]),
        ("web-pod", &["roster", "serve", "api"]),
        ("bench", &["spaces", "api"]),
        ("e2e", &["api", "roster"]),
        ("tidy", &[]),
    ]
    .into_iter()
    .map(|(room, uses)| (room, uses.iter().copied().collect()))
    .collect()
}

fn edges() -> Vec<(String, String)> {
    let text =
        tidy::output_of(env!("CARGO"), &["metadata", "--no-deps", "--format-version", "1", "--offline"])
            .unwrap();
    let metadata: serde_json::Value = serde_json::from_str(&text).unwrap();
    let room = |name: &str| name.strip_prefix("internet-disk-").map(str::to_owned);
    let mut edges = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let from = room(package["name"].as_str().unwrap()).expect("packages are named internet-disk-<room>");
        for dependency in package["dependencies"].as_array().unwrap() {
            // Tests may look at more than the room itself may: only what ships counts.
            if dependency["kind"].as_str() == Some("dev") {
                continue;
            }
            if let Some(to) = room(dependency["name"].as_str().unwrap()) {
                edges.push((from.clone(), to));
            }
        }
    }
    edges
}

#[test]
fn arrows_point_downwards_only() {
    let allowed = allowed();
    let wrong: Vec<String> = edges()
        .into_iter()
        .filter(|(from, to)| !allowed.get(from.as_str()).is_some_and(|uses| uses.contains(to.as_str())))
        .map(|(from, to)| format!("{from} must not use {to}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_engine_knows_neither_http_nor_kubernetes() {
    let manifest = std::fs::read_to_string(tidy::root().join("spaces/Cargo.toml")).unwrap();
    for stranger in ["axum", "hyper", "http", "kube", "k8s-openapi"] {
        let found = manifest.lines().any(|line| {
            line.strip_prefix(stranger).is_some_and(|rest| rest.starts_with('.') || rest.starts_with(' '))
        });
        assert!(!found, "spaces must not depend on {stranger}");
    }
}

#[test]
fn only_the_engine_touches_the_volume() {
    // Other rooms read configuration files, never the volume: they have no business with links or unlinks.
    for file in tidy::files().unwrap() {
        let ships = file.ends_with(".rs") && file.contains("/src/") && !file.contains("/tests");
        let elsewhere = ["spaces/", "bench/", "e2e/", "tidy/"];
        if !ships || elsewhere.iter().any(|room| file.starts_with(room)) {
            continue;
        }
        let text = std::fs::read_to_string(tidy::root().join(&file)).unwrap();
        // Tests at the end of a file do not ship: they make files of their own.
        let text = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap();
        for call in ["hard_link(", "rustix::fs", "fs::rename("] {
            assert!(!text.contains(call), "{file} calls {call}: only spaces touches the volume");
        }
    }
}
