//! What is known of one provider: where its ends are, and its keys. Both are fetched when they are needed, kept for a
//! while, and the keys are fetched anew when a token was signed by one that is not known yet.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use roster::Provider;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::sync::{Mutex, MutexGuard, Semaphore};

use super::client::{Client, Silent};
use super::form;
use super::id_token::{Claims, Expected, IdToken, Unbelievable};
use super::key::{Key, KeySet};

const AUTHORITIES: &str = "ca.crt";
/// What a provider said of itself counts so long.
const REMEMBERED: Duration = Duration::from_secs(600);
/// Unknown keys make nobody ask more often than this.
const KEYS_EACH: Duration = Duration::from_secs(1);
/// Somebody else is asking; his answer is waited for.
const TURN: Duration = Duration::from_secs(5);
/// So many may wait for one provider at once: when it hangs, nothing else does.
const AT_ONCE: usize = 32;

/// Why nobody could be signed in. These are for the log.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    #[error(transparent)]
    Silent(#[from] Silent),
    #[error(transparent)]
    Unbelievable(#[from] Unbelievable),
    #[error("it calls itself {0:?}: spec.signIn.oidc[].issuerURL must be exactly that")]
    Issuer(String),
    #[error("too many are waiting for it already")]
    Busy,
    #[error("its client secret cannot be read: {0}; is the Secret of clientSecretRef there?")]
    Secret(std::io::Error),
}

/// A provider, and how it is asked.
#[derive(Debug)]
pub(super) struct Relation {
    pub(super) provider: Provider,
    /// Where its secret and its certificate authorities are mounted.
    directory: PathBuf,
    /// When the certificate authorities were last changed.
    authorities: Option<SystemTime>,
    client: Client,
    places: Semaphore,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    ends: Option<(Instant, Arc<Ends>)>,
    keys: Option<(Instant, Arc<Vec<Key>>)>,
}

/// OpenID Connect Discovery 1.0, section 3: what of it is needed.
#[derive(Debug, Deserialize)]
pub(super) struct Ends {
    issuer: String,
    pub(super) authorization_endpoint: String,
    token_endpoint: String,
    #[serde(default)]
    userinfo_endpoint: Option<String>,
    jwks_uri: String,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
    access_token: String,
}

/// What somebody came back with, and what was kept of his going there.
pub(super) struct Return<'a> {
    pub(super) code: &'a str,
    pub(super) verifier: &'a str,
    pub(super) nonce: &'a str,
    pub(super) here: &'a str,
}

fn changed(directory: &Path) -> Option<SystemTime> {
    std::fs::metadata(directory.join(AUTHORITIES)).ok()?.modified().ok()
}

impl Relation {
    pub(super) fn new(provider: Provider, directory: PathBuf) -> Result<Self, Silent> {
        let authorities = changed(&directory);
        let client = Client::new(&directory.join(AUTHORITIES))?;
        let (places, known) = (Semaphore::new(AT_ONCE), Mutex::default());
        Ok(Self { provider, directory, authorities, client, places, known })
    }

    /// Whether it is that of this provider, with the certificate authorities that are there now.
    pub(super) fn is_with(&self, provider: &Provider) -> bool {
        self.provider == *provider && self.authorities == changed(&self.directory)
    }

    /// One asks and the others wait for the answer, but not one after the other for answers that do not come.
    async fn known(&self) -> Result<MutexGuard<'_, Known>, Failed> {
        tokio::time::timeout(TURN, self.known.lock()).await.map_err(|_| Failed::Busy)
    }

    pub(super) async fn ends(&self) -> Result<Arc<Ends>, Failed> {
        let _place = self.places.try_acquire().map_err(|_| Failed::Busy)?;
        let mut known = self.known().await?;
        if let Some((since, ends)) = &known.ends
            && since.elapsed() < REMEMBERED
        {
            return Ok(Arc::clone(ends));
        }
        let issuer = &self.provider.issuer;
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let ends: Ends = self.client.get(&url, None).await?;
        if ends.issuer != *issuer {
            return Err(Failed::Issuer(ends.issuer));
        }
        let ends = Arc::new(ends);
        known.ends = Some((Instant::now(), Arc::clone(&ends)));
        Ok(ends)
    }

    /// The keys; those of before a moment only if they are younger than that.
    async fn keys(&self, ends: &Ends, younger: Duration) -> Result<Arc<Vec<Key>>, Failed> {
        let mut known = self.known().await?;
        if let Some((since, keys)) = &known.keys
            && since.elapsed() < younger
        {
            return Ok(Arc::clone(keys));
        }
        let set: KeySet = self.client.get(&ends.jwks_uri, None).await?;
        let keys = Arc::new(set.keys());
        known.keys = Some((Instant::now(), Arc::clone(&keys)));
        Ok(keys)
    }

    /// Exchanges the code for what the provider says of the person.
    pub(super) async fn redeem(&self, back: &Return<'_>) -> Result<Claims, Failed> {
        let ends = self.ends().await?;
        let _place = self.places.try_acquire().map_err(|_| Failed::Busy)?;
        let tokens = self.tokens(&ends, back).await?;
        let token = IdToken::read(&tokens.id_token)?;
        let mut keys = self.keys(&ends, REMEMBERED).await?;
        if !token.is_by(&keys) {
            keys = self.keys(&ends, KEYS_EACH).await?;
        }
        let Provider { issuer, client_id: client, .. } = &self.provider;
        let now = Timestamp::now().as_second();
        let mut claims = token.claims(&keys, &Expected { issuer, client, nonce: back.nonce, now })?;
        self.complete(&ends, &tokens, &mut claims).await?;
        Ok(claims)
    }

    async fn tokens(&self, ends: &Ends, back: &Return<'_>) -> Result<Tokens, Failed> {
        let Provider { client_id, .. } = &self.provider;
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", back.code),
            ("redirect_uri", back.here),
            ("code_verifier", back.verifier),
        ];
        let secret = self.secret()?;
        let methods = ends.token_endpoint_auth_methods_supported.as_deref();
        // Without a word the method is basic (OpenID Connect Discovery, section 3).
        let basic = methods.is_none_or(|all| all.iter().any(|one| one == "client_secret_basic"));
        let authorization = match &secret {
            Some(secret) if basic => {
                let pair = format!("{}:{}", form::encoded(client_id), form::encoded(secret.expose_secret()));
                Some(format!("Basic {}", STANDARD.encode(pair)))
            }
            Some(secret) => {
                fields.extend([("client_id", client_id.as_str()), ("client_secret", secret.expose_secret())]);
                None
            }
            None => {
                fields.push(("client_id", client_id));
                None
            }
        };
        Ok(self.client.post(&ends.token_endpoint, authorization, form::body(&fields)).await?)
    }

    /// Read each time: the Secret may have been exchanged. A public client has none.
    fn secret(&self) -> Result<Option<SecretString>, Failed> {
        match std::fs::read_to_string(self.directory.join("clientSecret")) {
            Ok(text) => Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned().into())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failed::Secret(error)),
        }
    }

    /// Some providers tell name, address and groups only there.
    async fn complete(&self, ends: &Ends, tokens: &Tokens, claims: &mut Claims) -> Result<(), Failed> {
        let Provider { display_name_claim, email_claim, subject_claim, rules, .. } = &self.provider;
        let mut wanted =
            rules.iter().map(|rule| &rule.claim).chain([display_name_claim, email_claim, subject_claim]);
        if wanted.all(|claim| claims.has(claim)) {
            return Ok(());
        }
        let Some(url) = &ends.userinfo_endpoint else { return Ok(()) };
        let more: Map<String, Value> = self.client.get(url, Some(&tokens.access_token)).await?;
        // It must be about the same person (OpenID Connect Core, section 5.3.2).
        if more.get("sub").and_then(Value::as_str) != Some(claims.text("sub")?) {
            return Err(Unbelievable::Claim("sub".to_owned()).into());
        }
        claims.add(more);
        Ok(())
    }
}
