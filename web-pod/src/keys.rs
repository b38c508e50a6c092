//! The keys of this web pod, which may be exchanged while it runs.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use api::keys::{SigningKey, Trust};
use roster::Settings;
use roster::web_keys::{WebKeys, WebKeysError};

const INTERVAL: Duration = Duration::from_secs(1);

/// A handle to the newest keys; clones share it.
#[derive(Clone, Debug)]
pub struct Keys {
    ring: Arc<RwLock<Arc<Ring>>>,
}

#[derive(Debug)]
pub(crate) struct Ring {
    keys: WebKeys,
    sessions: Trust,
}

impl Keys {
    /// These keys, for good.
    pub fn fixed(keys: WebKeys) -> Self {
        Self { ring: Arc::new(RwLock::new(Arc::new(Ring::new(keys)))) }
    }

    /// Reads `keys.json` of a directory.
    ///
    /// # Errors
    /// When it is not there or not of its form; the message says what to look at.
    pub fn read(directory: PathBuf) -> Result<(Self, KeysFile), KeysError> {
        let mut file = KeysFile { path: directory.join("keys.json"), seen: None };
        let keys = file.read()?;
        Ok((Self::fixed(keys), file))
    }

    /// Takes new keys whenever the file changes; runs until dropped.
    pub async fn follow(self, mut file: KeysFile) {
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let looked = tokio::task::spawn_blocking(move || {
                let new = file.changed().then(|| file.read());
                (file, new)
            });
            let Ok((back, new)) = looked.await else { return };
            file = back;
            match new {
                None => {}
                Some(Ok(keys)) => {
                    let ring = Arc::new(Ring::new(keys));
                    *self.ring.write().unwrap_or_else(PoisonError::into_inner) = ring;
                    tracing::info!("Signing with new keys from here on.");
                }
                Some(Err(error)) => {
                    tracing::warn!(%error, "The new keys cannot be used; the old ones stay in use.");
                }
            }
        }
    }

    pub(crate) fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Ring {
    fn new(keys: WebKeys) -> Self {
        let sessions = keys.session.iter().map(|key| key.verifying_key().clone()).collect();
        Self { keys, sessions }
    }

    /// Signs sessions.
    pub(crate) fn session(&self) -> Option<&SigningKey> {
        self.keys.session.first()
    }

    /// Whose sessions are good.
    pub(crate) fn sessions(&self) -> &Trust {
        &self.sessions
    }

    /// Signs tickets: the first key that disk pods know of, for a new key reaches them in its own time.
    pub(crate) fn ticket(&self, settings: &Settings) -> Option<&SigningKey> {
        let known =
            |key: &&SigningKey| settings.ticket_keys.iter().any(|one| one.key == *key.verifying_key());
        self.keys.ticket.iter().find(known).or(self.keys.ticket.first())
    }
}

/// The file that keys are in, and what it was like when it was read.
#[derive(Debug)]
pub struct KeysFile {
    path: PathBuf,
    seen: Option<(SystemTime, u64)>,
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The file cannot be read.
    #[error("cannot read the keys at {path}: {source}; is the Secret mounted there?")]
    Read {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is read, and cannot be used.
    #[error(transparent)]
    Form(#[from] WebKeysError),
}

impl KeysFile {
    fn stamp(&self) -> Option<(SystemTime, u64)> {
        let metadata = std::fs::metadata(&self.path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    }

    fn changed(&self) -> bool {
        let stamp = self.stamp();
        stamp.is_some() && stamp != self.seen
    }

    fn read(&mut self) -> Result<WebKeys, KeysError> {
        self.seen = self.stamp();
        let body = std::fs::read(&self.path)
            .map_err(|source| KeysError::Read { path: self.path.clone(), source })?;
        Ok(WebKeys::from_json(&body)?)
    }
}
