//! Reading one password.

use std::sync::Arc;

use api::kubernetes::condition::Reason;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use roster::credentials::Verifier;
use secrecy::SecretString;
use tokio::sync::Semaphore;

use super::SecretKey;
use super::hash::Hashing;

/// Web pods refuse longer ones unseen.
const LONGEST: usize = 1024;

/// A password to be read.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) secrets: Api<Secret>,
    pub(super) secret: SecretKey,
    pub(super) made: Option<(String, Verifier)>,
    pub(super) reads: Arc<Semaphore>,
    pub(super) hashing: Hashing,
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Outcome {
    /// This is what is checked against.
    Made { source: String, verifier: Verifier },
    /// The Secret has to change first.
    Unusable { reason: Reason, message: String },
    /// It has to be tried again.
    Failed { message: String },
}

impl Wanted {
    pub(super) async fn read(self) -> Outcome {
        let Self { secrets, secret: SecretKey { name, key }, made, reads, hashing } = self;
        let read = {
            let Ok(_turn) = reads.acquire().await else {
                return Outcome::Failed { message: "the operator ends".to_owned() };
            };
            secrets.get_opt(&name).await
        };
        let secret = match read {
            Ok(Some(secret)) => secret,
            Ok(None) => {
                return Outcome::Unusable {
                    reason: Reason::SecretNotFound,
                    message: format!(
                        "there is no Secret {name} with the password: kubectl create secret generic {name} \
                         --from-literal={key}=…"
                    ),
                };
            }
            Err(error) => {
                return Outcome::Failed { message: format!("Secret {name} cannot be read: {error}") };
            }
        };
        let uid = secret.metadata.uid.as_deref().unwrap_or_default();
        let source = format!("{uid}/{}", secret.metadata.resource_version.as_deref().unwrap_or_default());
        if let Some((known, verifier)) = &made
            && *known == source
        {
            return Outcome::Made { source, verifier: verifier.clone() };
        }
        let password = match password(&secret, &name, &key) {
            Ok(password) => password,
            Err((reason, message)) => return Outcome::Unusable { reason, message },
        };
        match hashing.verifier(password, made.map(|(_, verifier)| verifier)).await {
            Ok(verifier) => Outcome::Made { source, verifier },
            Err(error) => Outcome::Failed {
                message: format!("the password of Secret {name} cannot be hashed: {error}"),
            },
        }
    }
}

/// Takes the password out of a Secret. A line end, which `--from-file` leaves there, is no part of it: nobody can type
/// one into the page.
fn password(secret: &Secret, name: &str, key: &str) -> Result<SecretString, (Reason, String)> {
    let Some(value) = secret.data.as_ref().and_then(|data| data.get(key)) else {
        let message =
            format!("Secret {name} has no key {key}: add it, or name another in spec.passwordSecretRef.key");
        return Err((Reason::SecretKeyNotFound, message));
    };
    let unusable = |what: &str| Err((Reason::SecretUnusable, format!("{key} in Secret {name} {what}")));
    let Ok(text) = std::str::from_utf8(&value.0) else { return unusable("is not text in UTF-8") };
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return unusable("is empty");
    }
    if text.len() > LONGEST {
        return unusable("is longer than 1024 bytes");
    }
    Ok(SecretString::from(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use k8s_openapi::ByteString;
    use secrecy::ExposeSecret;

    use super::*;

    fn read(value: Option<&[u8]>) -> Result<String, (Reason, String)> {
        let data = value.map(|value| BTreeMap::from([("password".to_owned(), ByteString(value.to_vec()))]));
        let secret = Secret { data, ..Secret::default() };
        password(&secret, "alice", "password").map(|password| password.expose_secret().to_owned())
    }

    #[test]
    fn a_password_is_text_without_its_line_end() {
        for (value, expected) in [
            ("correct horse", "correct horse"),
            ("line\n", "line"),
            ("line\r\n", "line"),
            (" 앨리스 ", " 앨리스 "),
        ] {
            assert_eq!(read(Some(value.as_bytes())).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_no_password_says_so_and_shows_nothing() {
        let long = "x".repeat(1025);
        for (value, reason) in [
            (None, Reason::SecretKeyNotFound),
            (Some(&b""[..]), Reason::SecretUnusable),
            (Some(&b"\n"[..]), Reason::SecretUnusable),
            (Some(&b"\xff\xfe"[..]), Reason::SecretUnusable),
            (Some(long.as_bytes()), Reason::SecretUnusable),
        ] {
            let (said, message) = read(value).unwrap_err();
            assert_eq!(said, reason);
            assert!(message.contains("alice") && message.len() < 120, "{message}");
        }
    }
}
