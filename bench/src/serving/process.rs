//! A server under measurement: started on a core of its own, watched from outside, ended with all its children.

use std::fs::File;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// The longest that a server may take to listen.
const START: Duration = Duration::from_secs(30);
/// How long it may take to end when it is asked to.
const END: Duration = Duration::from_secs(10);
/// How often the system counts the time of a processor (USER_HZ of Linux).
const TICKS_A_SECOND: f64 = 100.0;

/// A server and what it has started itself.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Process {
    /// Starts a program on the first core; waits until it listens.
    pub(crate) fn start(mut command: Vec<String>, address: SocketAddr, log: &Path) -> anyhow::Result<Self> {
        let mut words: Vec<String> = ["taskset", "-c", "0"].map(str::to_owned).to_vec();
        words.append(&mut command);
        let (program, arguments) = words.split_first().context("no program")?;
        let log = File::create(log)?;
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {arguments:?}"))?;
        let mut process = Self { child, address };
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Some(status) = process.child.try_wait()? {
                bail!("{:?} ended with {status} before it listened", words.get(3));
            }
            if start.elapsed() > START {
                bail!("{:?} did not listen on {address} within {START:?}", words.get(3));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(process)
    }

    /// Seconds of processors that it and its children have used.
    pub(crate) fn processor_time(&self) -> anyhow::Result<f64> {
        let mut sum = 0.0;
        for pid in self.family()? {
            let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
            sum += ticks(&stat).context("/proc/PID/stat has another form")? / TICKS_A_SECOND;
        }
        Ok(sum)
    }

    /// What it and its children have in memory, in MiB; what they share is counted once.
    pub(crate) fn memory(&self) -> anyhow::Result<f64> {
        let mut kibibytes = 0.0;
        for pid in self.family()? {
            let Ok(rollup) = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")) else { continue };
            let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap_or_default();
            let number: Option<f64> = line.split_whitespace().next().and_then(|number| number.parse().ok());
            kibibytes += number.unwrap_or_default();
        }
        Ok(kibibytes / 1024.0)
    }

    fn family(&self) -> anyhow::Result<Vec<u32>> {
        let mut parents = Vec::new();
        for entry in std::fs::read_dir("/proc")? {
            let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
                continue;
            };
            let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
            if let Some(parent) = fields(&stat).and_then(|mut fields| fields.nth(1)?.parse::<u32>().ok()) {
                parents.push((pid, parent));
            }
        }
        let mut family = vec![self.child.id()];
        let mut next = 0;
        while let Some(&above) = family.get(next) {
            family.extend(parents.iter().filter(|(_, parent)| *parent == above).map(|(pid, _)| *pid));
            next += 1;
        }
        Ok(family)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A shell's `kill` is the one way to ask without unsafe code.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let start = Instant::now();
        while start.elapsed() < END {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The fields of `/proc/PID/stat` from the state on: the name before it can have spaces and brackets.
fn fields(stat: &str) -> Option<std::str::SplitAsciiWhitespace<'_>> {
    Some(stat.rsplit_once(')')?.1.split_ascii_whitespace())
}

/// Its own time and that of the children it has waited for (fields 14 to 17 of proc(5)).
fn ticks(stat: &str) -> Option<f64> {
    fields(stat)?.skip(11).take(4).map(|field| field.parse::<f64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_read_behind_a_name_with_brackets() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 11 22 3 4 20 0 1 0 5 6 7";
        assert_eq!(ticks(stat), Some(40.0));
        assert_eq!(ticks("7 (short) S 1"), Some(0.0));
        assert_eq!(ticks("nothing"), None);
    }
}
