//! Keys, and what is signed with them: PASETO v4.public (Ed25519), with the purpose as implicit assertion, so that a
//! token made for one purpose is worth nothing for another.
//!
//! Source: PASETO and PASERK specifications, version 4.

use std::fmt;

use pasetors::Public;
use pasetors::keys::{AsymmetricKeyPair, AsymmetricPublicKey, AsymmetricSecretKey, Generate};
use pasetors::paserk::{FormatAsPaserk, Id};
use pasetors::token::UntrustedToken;
use pasetors::version4::{PublicToken, V4};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What tokens are made for.
pub mod purpose {
    /// Ticket: a member may use a space at disk pods.
    pub const TICKET: &str = "internet-disk ticket v1";
    /// Session: a browser is signed in.
    pub const SESSION: &str = "internet-disk session v1";
    /// Limits: the operator tells a disk pod what limits hold.
    pub const LIMITS: &str = "internet-disk limits v1";
    /// Roster: the operator tells pods who the members are.
    pub const ROSTER: &str = "internet-disk roster v1";
    /// Link: a web pod asks a disk pod about a share link.
    pub const LINK: &str = "internet-disk link v1";
    /// Credential check: a disk pod asks a web pod whose a name and a password are.
    pub const CREDENTIAL_CHECK: &str = "internet-disk credential check v1";
    /// Credential answer: what the web pod says.
    pub const CREDENTIAL_ANSWER: &str = "internet-disk credential answer v1";
}

/// The largest token that is looked at.
const LONGEST_TOKEN: usize = 16 * 1024;

/// Why a key or a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The text is no key.
    #[error("this is not a PASERK v4 key")]
    NotAKey,
    /// No random numbers, or the claims are no JSON.
    #[error("a token could not be signed")]
    Signing,
    /// The text is no token.
    #[error("this is not a token")]
    Malformed,
    /// It was signed by a key that is not trusted, or no longer.
    #[error("the token was signed by a key that is not trusted here")]
    UnknownKey,
    /// The signature, or the purpose, is wrong.
    #[error("the signature of the token is wrong, or it was made for another purpose")]
    BadSignature,
}

/// Names a key without telling it: PASERK `k4.pid.…`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(String);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A key that signs. It is erased from memory when dropped, and prints nothing of itself.
pub struct SigningKey {
    secret: AsymmetricSecretKey<V4>,
    public: VerifyingKey,
}

impl SigningKey {
    /// A new one.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn generate() -> Result<Self, KeyError> {
        let pair = AsymmetricKeyPair::<V4>::generate().map_err(|_| KeyError::Signing)?;
        Ok(Self { secret: pair.secret, public: VerifyingKey::new(pair.public)? })
    }

    /// Reads `k4.secret.…`.
    ///
    /// # Errors
    /// When it is not one.
    pub fn from_paserk(text: &str) -> Result<Self, KeyError> {
        let secret = AsymmetricSecretKey::<V4>::try_from(text.trim()).map_err(|_| KeyError::NotAKey)?;
        // The second half of an Ed25519 secret key is its public key.
        let public = secret.as_bytes().get(32..).ok_or(KeyError::NotAKey)?;
        let public = AsymmetricPublicKey::<V4>::from(public).map_err(|_| KeyError::NotAKey)?;
        Ok(Self { secret, public: VerifyingKey::new(public)? })
    }

    /// Writes `k4.secret.…`, for a Secret and nothing else.
    ///
    /// # Errors
    /// Never in practice: formatting does not fail.
    pub fn to_paserk(&self) -> Result<String, KeyError> {
        let mut text = String::new();
        self.secret.fmt(&mut text).map_err(|_| KeyError::NotAKey)?;
        Ok(text)
    }

    /// The half that may be shown.
    #[must_use]
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.public
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public.id)
    }
}

/// A key that verifies: PASERK `k4.public.…`.
#[derive(Clone)]
pub struct VerifyingKey {
    key: AsymmetricPublicKey<V4>,
    id: KeyId,
}

impl VerifyingKey {
    fn new(key: AsymmetricPublicKey<V4>) -> Result<Self, KeyError> {
        let mut id = String::new();
        Id::from(&key).fmt(&mut id).map_err(|_| KeyError::NotAKey)?;
        Ok(Self { key, id: KeyId(id) })
    }

    /// Reads `k4.public.…`.
    ///
    /// # Errors
    /// When it is not one.
    pub fn from_paserk(text: &str) -> Result<Self, KeyError> {
        Self::new(AsymmetricPublicKey::<V4>::try_from(text.trim()).map_err(|_| KeyError::NotAKey)?)
    }

    /// Writes `k4.public.…`.
    #[must_use]
    pub fn to_paserk(&self) -> String {
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = self.key.fmt(&mut text);
        text
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &KeyId {
        &self.id
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_paserk())
    }
}

impl PartialEq for VerifyingKey {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for VerifyingKey {}

impl std::str::FromStr for VerifyingKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::from_paserk(text)
    }
}

impl Serialize for VerifyingKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_paserk())
    }
}

impl<'de> Deserialize<'de> for VerifyingKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_paserk(&text).map_err(serde::de::Error::custom)
    }
}

/// The keys whose signatures are believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    keys: Vec<VerifyingKey>,
}

impl Trust {
    /// Believes these. Whoever rotates keys leaves out those whose time is over.
    #[must_use]
    pub fn new(keys: impl IntoIterator<Item = VerifyingKey>) -> Self {
        Self { keys: keys.into_iter().collect() }
    }

    /// Whether it believes nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys.
    #[must_use]
    pub fn keys(&self) -> &[VerifyingKey] {
        &self.keys
    }

    fn find(&self, id: &KeyId) -> Option<&VerifyingKey> {
        self.keys.iter().find(|key| key.id == *id)
    }
}

impl FromIterator<VerifyingKey> for Trust {
    fn from_iter<I: IntoIterator<Item = VerifyingKey>>(keys: I) -> Self {
        Self::new(keys)
    }
}

impl std::str::FromStr for Trust {
    type Err = KeyError;

    /// Reads keys separated by commas.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        text.split(',').filter(|part| !part.trim().is_empty()).map(VerifyingKey::from_paserk).collect()
    }
}

#[derive(Serialize, Deserialize)]
struct Footer {
    kid: KeyId,
}

/// Signs claims for one purpose.
///
/// # Errors
/// When the claims can not be written as JSON.
pub fn sign(key: &SigningKey, purpose: &'static str, claims: &impl Serialize) -> Result<String, KeyError> {
    let message = serde_json::to_vec(claims).map_err(|_| KeyError::Signing)?;
    let footer = serde_json::to_vec(&Footer { kid: key.public.id.clone() }).map_err(|_| KeyError::Signing)?;
    PublicToken::sign(&key.secret, &message, Some(&footer), Some(purpose.as_bytes()))
        .map_err(|_| KeyError::Signing)
}

/// The claims of a token, if a trusted key signed them for this purpose.
///
/// # Errors
/// [`KeyError::Malformed`], [`KeyError::UnknownKey`], [`KeyError::BadSignature`].
pub fn verify<C: DeserializeOwned>(token: &str, purpose: &'static str, trust: &Trust) -> Result<C, KeyError> {
    if token.len() > LONGEST_TOKEN {
        return Err(KeyError::Malformed);
    }
    let token = UntrustedToken::<Public, V4>::try_from(token).map_err(|_| KeyError::Malformed)?;
    let footer: Footer = serde_json::from_slice(token.untrusted_footer()).map_err(|_| KeyError::Malformed)?;
    let key = trust.find(&footer.kid).ok_or(KeyError::UnknownKey)?;
    let trusted = PublicToken::verify(&key.key, &token, None, Some(purpose.as_bytes()))
        .map_err(|_| KeyError::BadSignature)?;
    serde_json::from_str(trusted.payload()).map_err(|_| KeyError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_back_and_prints_no_secret() {
        let key = SigningKey::generate().unwrap();
        let text = key.to_paserk().unwrap();
        let again = SigningKey::from_paserk(&text).unwrap();
        assert_eq!(again.verifying_key(), key.verifying_key());
        assert!(!format!("{key:?}").contains(&text[10..]));
        let public = key.verifying_key().to_paserk();
        assert_eq!(VerifyingKey::from_paserk(&public).as_ref(), Ok(key.verifying_key()));
        assert!(VerifyingKey::from_paserk(&text).is_err());
        assert!(SigningKey::from_paserk(&public).is_err());
    }

    #[test]
    fn what_is_signed_for_one_purpose_by_a_trusted_key_is_believed() {
        let (ours, theirs) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let trust = Trust::new([ours.verifying_key().clone()]);
        let token = sign(&ours, purpose::TICKET, &"claims").unwrap();
        assert_eq!(verify::<String>(&token, purpose::TICKET, &trust).as_deref(), Ok("claims"));
        assert_eq!(verify::<String>(&token, purpose::SESSION, &trust), Err(KeyError::BadSignature));
        let foreign = sign(&theirs, purpose::TICKET, &"claims").unwrap();
        assert_eq!(verify::<String>(&foreign, purpose::TICKET, &trust), Err(KeyError::UnknownKey));
        let mut forged = token.clone().into_bytes();
        forged[20] ^= 1;
        let forged = String::from_utf8(forged).unwrap();
        assert!(verify::<String>(&forged, purpose::TICKET, &trust).is_err());
        // The footer of ours under a message of theirs.
        let footer = token.rsplit('.').next().unwrap();
        let swapped = format!("{}.{footer}", foreign.rsplit_once('.').unwrap().0);
        assert_eq!(verify::<String>(&swapped, purpose::TICKET, &trust), Err(KeyError::BadSignature));
        for junk in ["", "x", "v4.public.", "v4.public.AAAA.AAAA", &"v4.public.".repeat(4000)] {
            assert!(verify::<String>(junk, purpose::TICKET, &trust).is_err());
        }
    }
}
