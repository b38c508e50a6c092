//! A shared file system with several mounts, by the scripts of `e2e/filesystems/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file system that runs. It is stopped when this is dropped, and else by the next one of its name.
pub(super) struct Mounted {
    script: PathBuf,
    base: PathBuf,
    /// Where it is mounted.
    pub(super) mounts: Vec<PathBuf>,
}

impl Mounted {
    pub(super) fn start(name: &str, mounts: usize, purpose: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let script = root.join("e2e/filesystems").join(format!("{name}.sh"));
        let base = root.join("target/filesystems").join(format!("{name}-{purpose}"));
        let mut mounted = Self { script, base, mounts: Vec::new() };
        mounted
            .ask("start", &mounts.to_string())
            .unwrap_or_else(|what| panic!("{name} can not be started: {what}"));
        let listed = fs::read_to_string(mounted.base.join("mounts")).unwrap();
        mounted.mounts = listed.lines().map(|line| line.split_once(' ').unwrap().0.into()).collect();
        assert_eq!(mounted.mounts.len(), mounts);
        mounted
    }

    /// What the script is asked to do, and what it said when it failed.
    pub(super) fn ask(&self, verb: &str, argument: &str) -> Result<(), String> {
        ask(&self.script, verb, &self.base, argument)
    }

    /// The same, for a thread of its own.
    pub(super) fn asker(&self) -> impl Fn(&str, &str) -> Result<(), String> + Send + 'static {
        let (script, base) = (self.script.clone(), self.base.clone());
        move |verb, argument| ask(&script, verb, &base, argument)
    }
}

fn ask(script: &Path, verb: &str, base: &Path, argument: &str) -> Result<(), String> {
    let log = base.with_extension("script.log");
    fs::create_dir_all(log.parent().unwrap()).map_err(|error| error.to_string())?;
    // A file, not a pipe: the servers that a script starts would hold a pipe open.
    let output = fs::File::create(&log).map_err(|error| error.to_string())?;
    let mut command = Command::new(script);
    command.arg(verb).arg(base).arg(argument).stdin(std::process::Stdio::null());
    command.stdout(output.try_clone().map_err(|error| error.to_string())?).stderr(output);
    let status = command.status().map_err(|error| format!("{}: {error}", script.display()))?;
    if status.success() {
        return Ok(());
    }
    Err(format!("{verb} {argument}: {status}: {}", fs::read_to_string(&log).unwrap_or_default()))
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let kept = self.base.with_extension("failed");
        let _ = fs::remove_dir_all(&kept);
        if std::thread::panicking() && fs::rename(self.base.join("log"), &kept).is_ok() {
            eprintln!("what servers, clients and writers said is in {}", kept.display());
        }
        if let Err(what) = self.ask("stop", "") {
            eprintln!("it was not stopped: {what}");
        }
    }
}
