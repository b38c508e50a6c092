//! The whole, a Kubernetes of three nodes and the disk on it, in less than two gigabytes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)] // a test: all of it

use internet_disk_e2e::command::cluster_command;
use internet_disk_e2e::demo::Demo;
use internet_disk_e2e::memory::{self, Process};

/// Whether a process belongs to the embedded cluster: its own program, a container runtime that works in its
/// state directory, or something in a pod.
fn belongs(pid: u32, command: &str, state: &str) -> bool {
    let read = |file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let program = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
    program.to_string_lossy().starts_with(command)
        || read("cmdline").contains(state)
        || read("cgroup").contains("kubepods")
}

#[tokio::test]
async fn the_cluster_with_the_demo_is_small() {
    Demo::find().await.unwrap();
    let command = cluster_command().canonicalize().unwrap();
    let state = command.parent().unwrap().join("state");
    let (command, state) = (command.to_string_lossy().into_owned(), state.to_string_lossy().into_owned());
    let mut found: Vec<Process> = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok())
        .filter(|pid| belongs(*pid, &command, &state))
        .filter_map(memory::process)
        .collect();
    found.sort_by_key(|process| std::cmp::Reverse(process.pss));
    for process in &found {
        println!("{:>6} MB  {} ({})", process.pss / 1_000_000, process.name, process.pid);
    }
    let sum: u64 = found.iter().map(|process| process.pss).sum();
    println!("{:>6} MB  in {} processes", sum / 1_000_000, found.len());
    assert!(found.len() > 10, "the cluster's processes were not found");
    assert!(sum < 2_000_000_000, "{sum} bytes");
}
