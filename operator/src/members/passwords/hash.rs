//! Hashing passwords: argon2id with 19 MiB and two passes, one at a time, so that the operator stays small.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use roster::credentials::Verifier;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

/// Hashes passwords on threads of their own; clones take turns.
#[derive(Clone, Debug)]
pub(crate) struct Hashing {
    turn: Arc<Semaphore>,
}

impl Default for Hashing {
    fn default() -> Self {
        Self { turn: Arc::new(Semaphore::new(1)) }
    }
}

impl Hashing {
    /// What the password is to be checked against. The verifier known before stays if it is for the same password:
    /// sessions are bound to it.
    ///
    /// # Errors
    /// When there are no random numbers, or no memory.
    pub(crate) async fn verifier(
        &self,
        password: SecretString,
        known: Option<Verifier>,
    ) -> Result<Verifier, String> {
        let turn = Arc::clone(&self.turn).acquire_owned().await.map_err(|error| error.to_string())?;
        let hash = move || {
            let _until_done = turn;
            if let Some(known) = known
                && fits(&password, &known)
            {
                return Ok(known);
            }
            hashed(&password).map_err(|error| error.to_string())
        };
        tokio::task::spawn_blocking(hash).await.map_err(|error| error.to_string())?
    }
}

fn fits(password: &SecretString, known: &Verifier) -> bool {
    PasswordHash::new(known.expose()).is_ok_and(|hash| {
        Argon2::default().verify_password(password.expose_secret().as_bytes(), &hash).is_ok()
    })
}

fn hashed(password: &SecretString) -> Result<Verifier, argon2::password_hash::Error> {
    let params = Params::new(19_456, 2, 1, None)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash: PasswordHash = argon2.hash_password(password.expose_secret().as_bytes())?;
    Ok(Verifier::new(hash.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_same_password_keeps_its_verifier_and_another_gets_another() {
        let hashing = Hashing::default();
        let password = |text: &str| SecretString::from(text.to_owned());
        let first = hashing.verifier(password("correct horse"), None).await.unwrap();
        let same = hashing.verifier(password("correct horse"), Some(first.clone())).await.unwrap();
        assert_eq!(same, first);
        let other = hashing.verifier(password("battery staple"), Some(first.clone())).await.unwrap();
        assert_ne!(other, first);
        assert!(fits(&password("battery staple"), &other) && !fits(&password("correct horse"), &other));
        assert!(first.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    }
}
