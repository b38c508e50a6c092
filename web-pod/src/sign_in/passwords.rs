//! Checking a password: slow and hungry on purpose, hence bounded.

use std::sync::Arc;
use std::time::Duration;

use api::problem::ProblemCode;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use http::{HeaderValue, header};
use roster::credentials::Verifier;
use secrecy::{ExposeSecret, SecretString};
use serve::problem::Refusal;
use tokio::sync::Semaphore;

/// Passwords beyond this are no passwords, and hashing them would cost.
const LONGEST: usize = 1024;

/// How long an attempt waits for its turn: each turn takes some tens of milliseconds.
const PATIENCE: Duration = Duration::from_secs(3);

/// How many attempts may wait for each core.
const QUEUE: usize = 32;

/// Checks passwords, as many at once as there are cores: each takes a core and 19 MiB.
#[derive(Debug)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    /// Of a password that nobody knows; it stands in for those that do not exist.
    nobody: Verifier,
}

/// Why passwords cannot be checked at all.
#[derive(Debug, thiserror::Error)]
#[error("cannot prepare the check of passwords: {0}")]
pub struct PasswordsError(String);

impl Passwords {
    /// Prepares checking `cores` passwords at once.
    ///
    /// # Errors
    /// When there are no random numbers.
    pub fn new(cores: usize) -> Result<Self, PasswordsError> {
        let mut unknown = [0; 32];
        getrandom::fill(&mut unknown).map_err(|error| PasswordsError(error.to_string()))?;
        let nobody = hashed(&unknown).map_err(|error| PasswordsError(error.to_string()))?;
        Ok(Self {
            turns: Arc::new(Semaphore::new(cores)),
            queue: Arc::new(Semaphore::new(cores.saturating_mul(QUEUE))),
            nobody,
        })
    }

    /// Whether this is the password; never, when there is none to compare with, and after the same time.
    pub(crate) async fn check(
        &self,
        password: SecretString,
        verifier: Option<Verifier>,
    ) -> Result<bool, Refusal> {
        let known = verifier.is_some();
        let verifier = verifier.unwrap_or_else(|| self.nobody.clone());
        let _place = self.queue.try_acquire().map_err(|_| busy())?;
        let turn = Arc::clone(&self.turns).acquire_owned();
        let turn = tokio::time::timeout(PATIENCE, turn)
            .await
            .map_err(|_| busy())?
            .map_err(|_| Refusal::internal("the turns of password checks are closed"))?;
        let check = move || {
            let _until_done = turn;
            matches(&password, &verifier)
        };
        let right = tokio::task::spawn_blocking(check).await.map_err(Refusal::internal)?;
        Ok(right && known)
    }
}

fn busy() -> Refusal {
    Refusal::new(ProblemCode::Overloaded, "too many members are signing in at the moment; try again shortly")
        .header(header::RETRY_AFTER, HeaderValue::from_static("1"))
}

fn matches(password: &SecretString, verifier: &Verifier) -> bool {
    let password = password.expose_secret().as_bytes();
    if password.len() > LONGEST {
        return false;
    }
    match PasswordHash::new(verifier.expose()) {
        // The parameters are those of the hash, so that they can be raised from one password to the next.
        Ok(hash) => Argon2::default().verify_password(password, &hash).is_ok(),
        Err(error) => {
            tracing::error!(%error, "A password verifier is none; nobody can sign in with it. Set the password anew.");
            false
        }
    }
}

/// Hashes as the operator does: argon2id with 19 MiB and two passes.
fn hashed(password: &[u8]) -> Result<Verifier, argon2::password_hash::Error> {
    let params = Params::new(19_456, 2, 1, None)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash: PasswordHash = argon2.hash_password(password)?;
    Ok(Verifier::new(hash.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_password_matches() {
        let passwords = Passwords::new(2).unwrap();
        let verifier = hashed("correct horse".as_bytes()).unwrap();
        let check = |password: &str, verifier: Option<&Verifier>| {
            passwords.check(SecretString::from(password.to_owned()), verifier.cloned())
        };
        assert!(check("correct horse", Some(&verifier)).await.unwrap());
        assert!(!check("correct hors", Some(&verifier)).await.unwrap());
        assert!(!check("", Some(&verifier)).await.unwrap());
        assert!(!check(&"x".repeat(5000), Some(&verifier)).await.unwrap());
        assert!(!check("correct horse", None).await.unwrap());
        assert!(!check("x", Some(&Verifier::new("no hash"))).await.unwrap());
    }

    #[tokio::test]
    async fn a_crowd_is_told_to_come_back() {
        let passwords = Passwords::new(1).unwrap();
        let _all = passwords.queue.acquire_many(32).await.unwrap();
        assert!(passwords.check(SecretString::from(String::from("x")), None).await.is_err());
    }
}
