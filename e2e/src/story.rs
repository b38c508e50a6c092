//! The shipped page in a real browser, told what to upload, and what it says of it (`e2e/browser/story.mjs`).

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::people::Person;
use crate::settings::{Settings, root};

/// A browser at work.
pub struct Story {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Story {
    /// Opens the page, signs in as `person`, and begins to put every file under `folder` into `destination`.
    ///
    /// # Errors
    /// When node cannot be started.
    pub fn begin(settings: &Settings, person: &Person, folder: &Path, destination: &str) -> Result<Self> {
        let mut child = Command::new("node")
            .arg(root().join("e2e/browser/story.mjs"))
            .arg(folder)
            .arg(destination)
            .env("WEB_URL", &settings.web_url)
            .env("DEMO_MEMBER", &person.name)
            .env("DEMO_PASSWORD", &person.password)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("node cannot be started")?;
        let stdout = child.stdout.take().context("node has no standard output")?;
        Ok(Self { child, lines: BufReader::new(stdout).lines() })
    }

    /// The next thing it says; none after the last.
    ///
    /// # Errors
    /// When it says nothing for `limit`, or no JSON.
    pub async fn next(&mut self, limit: Duration) -> Result<Option<Value>> {
        let line = tokio::time::timeout(limit, self.lines.next_line()).await;
        let Some(line) = line.with_context(|| format!("the browser said nothing for {limit:?}"))?? else {
            return Ok(None);
        };
        serde_json::from_str(&line).map(Some).with_context(|| format!("no JSON: {line}"))
    }

    /// Waits until the browser is closed.
    ///
    /// # Errors
    /// When not every file is up.
    pub async fn finish(mut self) -> Result<()> {
        let status = self.child.wait().await?;
        if !status.success() {
            bail!("not every file went up: {status}");
        }
        Ok(())
    }
}
