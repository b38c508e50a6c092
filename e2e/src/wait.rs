//! Waiting for something to become true, with a limit.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

const STEP: Duration = Duration::from_millis(50);

/// Asks until there is an answer, and says how long that took.
///
/// An error of `ask` counts as "not yet"; the last one is told when the limit is reached.
///
/// # Errors
/// When `limit` passes without an answer.
pub async fn until<T>(
    what: &str,
    limit: Duration,
    mut ask: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<(T, Duration)> {
    let began = Instant::now();
    let mut last = String::from("no error, only not so");
    loop {
        match ask().await {
            Ok(Some(answer)) => return Ok((answer, began.elapsed())),
            Ok(None) => {}
            Err(error) => last = format!("{error:#}"),
        }
        if began.elapsed() >= limit {
            bail!("waited {limit:?} in vain until {what} (last: {last})");
        }
        tokio::time::sleep(STEP).await;
    }
}
