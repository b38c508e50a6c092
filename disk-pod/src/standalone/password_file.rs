//! Passwords from a file: a line `name:password` for each member, where the password is written out, or is a verifier
//! of argon2 (`$argon2id$…`). Lines that are empty or begin with `#` say nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{Context, bail};
use argon2::Argon2;
use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::phc::PasswordHash;
use tokio::sync::Semaphore;

/// Longer ones are not looked at.
const LONGEST: usize = 1024;
/// Each check of a verifier takes a core, and much memory, for a moment.
const AT_ONCE: usize = 2;

/// The passwords in force; clones share them.
#[derive(Clone)]
pub struct PasswordFile {
    lines: Arc<RwLock<BTreeMap<String, Secret>>>,
    turns: Arc<Semaphore>,
}

#[derive(Clone, PartialEq, Eq)]
enum Secret {
    /// The hash of a password that is written out: hashes are compared in a time that tells nothing.
    Plain(blake3::Hash),
    /// A PHC string.
    Verifier(String),
}

impl fmt::Debug for PasswordFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PasswordFile(…)")
    }
}

impl Default for PasswordFile {
    fn default() -> Self {
        Self { lines: Arc::default(), turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl PasswordFile {
    /// Reads the file, and says whether anything is another than before.
    ///
    /// # Errors
    /// When it cannot be read or a line is none. No password is in the message.
    pub(super) fn read(&self, file: &Path) -> anyhow::Result<bool> {
        let text = std::fs::read_to_string(file).with_context(|| {
            format!("cannot read the passwords in {}: a line name:password for each member", file.display())
        })?;
        let lines = parsed(&text).with_context(|| file.display().to_string())?;
        let mut held = self.lines.write().unwrap_or_else(PoisonError::into_inner);
        let changed = *held != lines;
        *held = lines;
        Ok(changed)
    }

    /// Whether this is the member's password.
    pub(crate) async fn is_right(&self, name: &str, password: &str) -> bool {
        let secret = self.lines.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        if password.len() > LONGEST {
            return false;
        }
        match secret {
            None => false,
            Some(Secret::Plain(hash)) => blake3::hash(password.as_bytes()) == hash,
            Some(Secret::Verifier(phc)) => {
                let Ok(_turn) = self.turns.acquire().await else { return false };
                let password = password.to_owned();
                let check = move || {
                    PasswordHash::new(&phc).is_ok_and(|hash| {
                        Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
                    })
                };
                tokio::task::spawn_blocking(check).await.unwrap_or_default()
            }
        }
    }
}

fn parsed(text: &str) -> anyhow::Result<BTreeMap<String, Secret>> {
    let mut lines = BTreeMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((name, password)) = line.split_once(':') else {
            bail!("line {number} is not name:password")
        };
        if password.is_empty() {
            bail!("line {number} has no password");
        }
        let secret = if password.starts_with("$argon2") {
            if PasswordHash::new(password).is_err() {
                bail!("line {number} has a verifier of argon2 that cannot be read");
            }
            Secret::Verifier(password.to_owned())
        } else {
            Secret::Plain(blake3::hash(password.as_bytes()))
        };
        if lines.insert(name.trim().to_owned(), secret).is_some() {
            bail!("line {number} names somebody a second time");
        }
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn passwords_are_written_out_or_are_verifiers() {
        use argon2::password_hash::PasswordHasher;
        use argon2::{Algorithm, Params, Version};
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(64, 1, 1, None).unwrap());
        let verifier: PasswordHash = argon2.hash_password(b"correct horse").unwrap();
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("passwords");
        std::fs::write(&file, format!("# ours\n\nalice:a:b \nbob:{}\n", verifier)).unwrap();
        let passwords = PasswordFile::default();
        assert!(passwords.read(&file).unwrap());
        assert!(!passwords.read(&file).unwrap(), "nothing is another");
        for (name, password, right) in [
            ("alice", "a:b ", true),
            ("alice", "a:b", false),
            ("bob", "correct horse", true),
            ("bob", "correct", false),
            ("bob", &verifier.to_string(), false),
            ("carol", "", false),
        ] {
            assert_eq!(passwords.is_right(name, password).await, right, "{name} {password}");
        }
        assert!(!format!("{passwords:?}").contains("alice"));
    }

    #[test]
    fn a_line_that_is_none_is_named_and_not_quoted() {
        for (text, said) in [
            ("alice", "line 1"),
            ("# x\nalice:", "line 2"),
            ("alice:hush\nalice:hush", "line 2"),
            ("alice:$argon2id$hush", "argon2"),
        ] {
            let error = parsed(text).err().unwrap().to_string();
            assert!(error.contains(said) && !error.contains("hush"), "{error}");
        }
    }
}
