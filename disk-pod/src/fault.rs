//! For tests alone: makes a volume seem hung, broken, full, stale or slow to this pod, by a file in a directory of the pod
//! (never on the volume). The image has no shell, so the program itself is the switch.

use std::fs;
use std::io;
use std::path::Path;

use clap::{Args, ValueEnum};

/// What a volume is made to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Fault {
    /// No call returns.
    Hang,
    /// Every call fails.
    Eio,
    /// Every call takes long.
    Slow,
    /// Every call that needs room fails.
    Enospc,
    /// Every call fails as when the server does not know the volume any more.
    Estale,
    /// As it is.
    None,
}

impl Fault {
    const INJECTED: [Self; 5] = [Self::Hang, Self::Eio, Self::Slow, Self::Enospc, Self::Estale];

    fn ending(self) -> Option<&'static str> {
        match self {
            Self::Hang => Some("hang"),
            Self::Eio => Some("eio"),
            Self::Slow => Some("slow"),
            Self::Enospc => Some("enospc"),
            Self::Estale => Some("estale"),
            Self::None => None,
        }
    }
}

/// `disk-pod fault`: switch a fault of a volume on, or all off.
#[derive(Args, Debug)]
pub struct FaultArguments {
    /// The volume, as named in the DiskCluster.
    pub volume: String,
    /// What it does from now on.
    pub fault: Fault,
    /// The directory that `serve --fault-dir` watches.
    #[arg(long, env = "INTERNET_DISK_FAULT_DIR", default_value = "/faults")]
    pub fault_dir: std::path::PathBuf,
}

/// Sets one fault of a volume and takes the others away.
///
/// # Errors
/// When the directory cannot be written: is the pod made for fault injection?
pub fn switch(directory: &Path, volume: &str, fault: Fault) -> io::Result<()> {
    if volume.is_empty() || volume.contains(['/', '.']) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "name a volume of the DiskCluster"));
    }
    for other in Fault::INJECTED.into_iter().filter(|other| *other != fault) {
        let Some(ending) = other.ending() else { continue };
        match fs::remove_file(directory.join(format!("{volume}.{ending}"))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    match fault.ending() {
        Some(ending) => fs::write(directory.join(format!("{volume}.{ending}")), b""),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(directory: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn one_fault_of_a_volume_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        switch(directory.path(), "a", Fault::Hang).unwrap();
        switch(directory.path(), "b", Fault::Slow).unwrap();
        assert_eq!(set(directory.path()), ["a.hang", "b.slow"]);
        switch(directory.path(), "a", Fault::Eio).unwrap();
        assert_eq!(set(directory.path()), ["a.eio", "b.slow"]);
        switch(directory.path(), "a", Fault::None).unwrap();
        assert_eq!(set(directory.path()), ["b.slow"]);
    }

    #[test]
    fn a_pod_without_fault_injection_says_so() {
        let directory = tempfile::tempdir().unwrap();
        assert!(switch(&directory.path().join("missing"), "a", Fault::Hang).is_err());
        assert!(switch(directory.path(), "../a", Fault::Hang).is_err());
    }
}
