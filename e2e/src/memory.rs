//! How much memory processes use: the proportional set size, in which a shared page counts once.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};

/// Memory of one process.
#[derive(Clone, Debug)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// The program's name as the kernel has it.
    pub name: String,
    /// Proportional set size in bytes.
    pub pss: u64,
    /// Resident set size in bytes.
    pub rss: u64,
}

/// Every process of this machine whose control group contains `part`.
///
/// # Errors
/// When `/proc` cannot be read.
pub fn in_control_group(part: &str) -> Result<Vec<Process>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").context("/proc cannot be read")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let group = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        if group.contains(part) {
            // A process may end while it is looked at.
            found.extend(process(pid));
        }
    }
    Ok(found)
}

/// Every process below the given ones, and those themselves.
///
/// # Errors
/// When `/proc` cannot be read.
pub fn descendants(roots: &[u32]) -> Result<Vec<Process>> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").context("/proc cannot be read")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if let Some(parent) = parent(pid) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut all = Vec::new();
    let mut open = roots.to_vec();
    while let Some(pid) = open.pop() {
        if all.iter().any(|process: &Process| process.pid == pid) {
            continue;
        }
        all.extend(process(pid));
        open.extend(children.get(&pid).into_iter().flatten());
    }
    Ok(all)
}

/// One process, while it lives.
pub fn process(pid: u32) -> Option<Process> {
    let directory = format!("/proc/{pid}");
    let directory = Path::new(&directory);
    let rollup = std::fs::read_to_string(directory.join("smaps_rollup")).ok()?;
    let name = std::fs::read_to_string(directory.join("comm")).ok()?.trim().to_owned();
    Some(Process { pid, name, pss: field(&rollup, "Pss:")?, rss: field(&rollup, "Rss:")? })
}

fn field(rollup: &str, name: &str) -> Option<u64> {
    let line = rollup.lines().find(|line| line.starts_with(name))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}

fn parent(pid: u32) -> Option<u32> {
    // The name in parentheses may hold blanks and parentheses: what follows the last one is regular.
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}
