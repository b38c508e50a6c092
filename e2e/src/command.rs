//! Programs the tests run: `kubectl` as a user does, and the command of the embedded cluster.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::settings::{Settings, root};

/// What a program said and how it ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Whether it ended with 0.
    pub success: bool,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Outcome {
    /// Standard output of a program that ended well.
    ///
    /// # Errors
    /// When it did not.
    pub fn expect_success(self) -> Result<String> {
        if !self.success {
            bail!("the program failed: {}{}", self.stdout, self.stderr);
        }
        Ok(self.stdout)
    }
}

/// Where the command of the embedded cluster is, when this cluster is one.
pub fn cluster_command() -> PathBuf {
    std::env::var_os("CLUSTER_COMMAND").map_or_else(|| root().join("target/cluster/cluster"), PathBuf::from)
}

/// Runs the command of the embedded cluster.
///
/// # Errors
/// When it cannot be started or fails.
pub async fn cluster(arguments: &[&str]) -> Result<String> {
    run(Command::new(cluster_command()).args(arguments)).await?.expect_success()
}

/// Runs `kubectl` against the cluster under test.
///
/// # Errors
/// When it cannot be started.
pub async fn kubectl(settings: &Settings, arguments: &[&str]) -> Result<Outcome> {
    run(&mut kubectl_command(settings, arguments)).await
}

/// The same with something on standard input.
///
/// # Errors
/// When it cannot be started.
pub async fn kubectl_with(settings: &Settings, arguments: &[&str], input: &str) -> Result<Outcome> {
    use tokio::io::AsyncWriteExt;

    let mut command = kubectl_command(settings, arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().context("kubectl cannot be started")?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes()).await?;
    }
    outcome(child.wait_with_output().await?)
}

fn kubectl_command(settings: &Settings, arguments: &[&str]) -> Command {
    let embedded = cluster_command();
    let mut command = if embedded.exists() {
        let mut command = Command::new(embedded);
        command.arg("kubectl");
        command
    } else {
        Command::new("kubectl")
    };
    command.env("KUBECONFIG", &settings.kubeconfig).args(arguments);
    command
}

async fn run(command: &mut Command) -> Result<Outcome> {
    let output = command.stdin(Stdio::null()).output().await;
    outcome(output.with_context(|| format!("{command:?} cannot be started"))?)
}

fn outcome(output: std::process::Output) -> Result<Outcome> {
    Ok(Outcome {
        success: output.status.success(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}
