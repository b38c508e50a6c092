//! What a provider says of somebody, and whether it is to be believed.
//!
//! Source: OpenID Connect Core 1.0, section 3.1.3.7.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use roster::ClaimRule;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::key::Key;

/// Clocks may differ by so many seconds.
const LEEWAY: i64 = 120;

/// Why a token is not believed. These are for the log: who comes back from a provider is told less.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unbelievable {
    #[error("the ID token has no form that is understood")]
    Form,
    #[error("no key of the provider signed the ID token (algorithm {algorithm:?}, key {key:?})")]
    Signature { algorithm: String, key: Option<String> },
    #[error("the ID token is of issuer {0:?}: spec.signIn.oidc[].issuerURL must be exactly that")]
    Issuer(String),
    #[error("the ID token is for another client than this disk")]
    Audience,
    #[error("the ID token expired {0} s ago: do the clocks differ?")]
    Expired(i64),
    #[error("the ID token was made {0} s from now: do the clocks differ?")]
    Future(i64),
    #[error("the ID token belongs to another attempt to sign in")]
    Nonce,
    #[error("claim {0:?} is missing or no text")]
    Claim(String),
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
}

/// What must be in the token.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client: &'a str,
    pub(super) nonce: &'a str,
    /// In seconds since 1970.
    pub(super) now: i64,
}

/// The claims of a token.
#[derive(Clone, Debug)]
pub(super) struct Claims(Map<String, Value>);

/// A token that was read, and not yet believed.
pub(super) struct IdToken<'a> {
    header: Header,
    claims: Map<String, Value>,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> IdToken<'a> {
    pub(super) fn read(token: &'a str) -> Result<Self, Unbelievable> {
        let read = || {
            let (signed, signature) = token.rsplit_once('.')?;
            let (header, claims) = signed.split_once('.')?;
            let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
            Some(Self {
                header: serde_json::from_slice(&decoded(header)?).ok()?,
                claims: serde_json::from_slice(&decoded(claims)?).ok()?,
                signed,
                signature: decoded(signature)?,
            })
        };
        read().ok_or(Unbelievable::Form)
    }

    /// Whether one of these keys may have signed it: if none, the provider may have new ones.
    pub(super) fn is_by(&self, keys: &[Key]) -> bool {
        keys.iter().any(|key| {
            (self.header.kid.is_none() || key.id.is_none() || key.id == self.header.kid)
                && key.signed(&self.header.alg, self.signed.as_bytes(), &self.signature)
        })
    }

    /// The claims, if all is as it must be.
    pub(super) fn claims(self, keys: &[Key], expected: &Expected<'_>) -> Result<Claims, Unbelievable> {
        if !self.is_by(keys) {
            let Header { alg: algorithm, kid: key } = self.header;
            return Err(Unbelievable::Signature { algorithm, key });
        }
        let claims = Claims(self.claims);
        let issuer = claims.text("iss")?;
        if issuer != expected.issuer {
            return Err(Unbelievable::Issuer(issuer.to_owned()));
        }
        let for_us = |value: &Value| value.as_str() == Some(expected.client);
        let audience = match claims.0.get("aud") {
            Some(Value::Array(several)) if several.len() > 1 => {
                // Of several the one it was made for is named.
                several.iter().any(for_us) && claims.0.get("azp").is_some_and(for_us)
            }
            Some(Value::Array(one)) => one.iter().any(for_us),
            Some(one) => for_us(one),
            None => false,
        };
        if !audience || claims.0.get("azp").is_some_and(|azp| !for_us(azp)) {
            return Err(Unbelievable::Audience);
        }
        let expires = claims.seconds("exp")?;
        if expires + LEEWAY <= expected.now {
            return Err(Unbelievable::Expired(expected.now - expires));
        }
        let made = claims.seconds("iat")?;
        if made > expected.now + LEEWAY {
            return Err(Unbelievable::Future(made - expected.now));
        }
        if claims.text("nonce").ok() != Some(expected.nonce) {
            return Err(Unbelievable::Nonce);
        }
        Ok(claims)
    }
}

impl Claims {
    pub(super) fn text(&self, claim: &str) -> Result<&str, Unbelievable> {
        let text = self.0.get(claim).and_then(Value::as_str).filter(|text| !text.is_empty());
        text.ok_or_else(|| Unbelievable::Claim(claim.to_owned()))
    }

    fn seconds(&self, claim: &str) -> Result<i64, Unbelievable> {
        let number = self.0.get(claim).and_then(|value| {
            // Some providers write fractions.
            value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))
        });
        number.ok_or_else(|| Unbelievable::Claim(claim.to_owned()))
    }

    pub(super) fn has(&self, claim: &str) -> bool {
        self.0.contains_key(claim)
    }

    /// Adds what the provider tells elsewhere. What is signed stays as it is.
    pub(super) fn add(&mut self, others: Map<String, Value>) {
        for (claim, value) in others {
            self.0.entry(claim).or_insert(value);
        }
    }

    /// Whether the claim, or an item of it, is what the rule wants.
    pub(super) fn keeps(&self, rule: &ClaimRule) -> bool {
        let is = |value: &Value| match value {
            Value::String(text) => *text == rule.required,
            Value::Bool(flag) => flag.to_string() == rule.required,
            Value::Number(number) => number.to_string() == rule.required,
            Value::Null | Value::Array(_) | Value::Object(_) => false,
        };
        match self.0.get(&rule.claim) {
            Some(Value::Array(several)) => several.iter().any(is),
            Some(one) => is(one),
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::{Ed25519KeyPair, KeyPair};
    use serde_json::json;

    use super::super::key::KeySet;
    use super::*;

    const NOW: i64 = 1_800_000_000;

    struct Issuer(Ed25519KeyPair);

    impl Issuer {
        fn new() -> Self {
            let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
            Self(Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap())
        }

        fn keys(&self) -> Vec<Key> {
            let x = URL_SAFE_NO_PAD.encode(self.0.public_key());
            let other = json!({ "kty": "oct", "k": "AA" });
            let mine = json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": "one", "use": "sig" });
            let set: KeySet = serde_json::from_value(json!({ "keys": [other, mine] })).unwrap();
            set.keys()
        }

        fn token(&self, header: &Value, claims: &Value) -> String {
            let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
            let signed = format!("{}.{}", part(header), part(claims));
            let signature = URL_SAFE_NO_PAD.encode(self.0.sign(signed.as_bytes()));
            format!("{signed}.{signature}")
        }
    }

    fn expected() -> Expected<'static> {
        Expected { issuer: "https://id.example.org", client: "disk", nonce: "n1", now: NOW }
    }

    fn good() -> Value {
        json!({ "iss": "https://id.example.org", "aud": "disk", "sub": "u1", "nonce": "n1", "iat": NOW - 1, "exp": NOW + 60 })
    }

    #[test]
    fn a_token_is_believed_only_whole() {
        let issuer = Issuer::new();
        let header = json!({ "alg": "EdDSA", "kid": "one" });
        let with = |name: &str, value: Value| {
            let mut claims = good();
            claims[name] = value;
            claims
        };
        let table = [
            ("good", good(), None),
            ("for several", with("aud", json!(["disk", "other"])), Some(Unbelievable::Audience)),
            ("for one of a list", with("aud", json!(["disk"])), None),
            ("made for another", with("azp", json!("other")), Some(Unbelievable::Audience)),
            ("for another", with("aud", json!("other")), Some(Unbelievable::Audience)),
            (
                "of another",
                with("iss", json!("https://id.example.org/")),
                Some(Unbelievable::Issuer("https://id.example.org/".into())),
            ),
            ("expired", with("exp", json!(NOW - 600)), Some(Unbelievable::Expired(600))),
            ("a clock two minutes off", with("exp", json!(NOW - 119)), None),
            ("from the future", with("iat", json!(NOW + 600)), Some(Unbelievable::Future(600))),
            ("of another attempt", with("nonce", json!("n2")), Some(Unbelievable::Nonce)),
            ("of no attempt", with("nonce", Value::Null), Some(Unbelievable::Nonce)),
            ("without an end", with("exp", Value::Null), Some(Unbelievable::Claim("exp".into()))),
        ];
        for (what, claims, error) in table {
            let token = issuer.token(&header, &claims);
            let believed = IdToken::read(&token).unwrap().claims(&issuer.keys(), &expected());
            assert_eq!(believed.err(), error, "{what}");
        }
    }

    #[test]
    fn a_token_that_the_provider_did_not_sign_is_nothing() {
        let (issuer, other) = (Issuer::new(), Issuer::new());
        let header = json!({ "alg": "EdDSA", "kid": "one" });
        let token = issuer.token(&header, &good());
        assert!(!IdToken::read(&token).unwrap().is_by(&other.keys()));
        assert!(!IdToken::read(&token).unwrap().is_by(&[]));
        let unsigned = [
            issuer.token(&json!({ "alg": "none" }), &good()),
            issuer.token(&json!({ "alg": "HS256", "kid": "one" }), &good()),
            issuer.token(&json!({ "alg": "EdDSA", "kid": "two" }), &good()),
            format!("{}.", token.rsplit_once('.').unwrap().0),
        ];
        for token in &unsigned {
            assert!(!IdToken::read(token).unwrap().is_by(&issuer.keys()), "{token}");
        }
        for nonsense in ["", ".", "..", "a.b.c", "e30.e30.!"] {
            assert!(IdToken::read(nonsense).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn rules_are_about_one_item_or_the_whole() {
        let claims = Claims(
            json!({ "groups": ["a", "b"], "email_verified": true, "org": "x" }).as_object().unwrap().clone(),
        );
        let rule = |claim: &str, required: &str| ClaimRule { claim: claim.into(), required: required.into() };
        for (claim, required, keeps) in [
            ("groups", "b", true),
            ("groups", "c", false),
            ("email_verified", "true", true),
            ("org", "x", true),
            ("org", "", false),
            ("missing", "", false),
        ] {
            assert_eq!(claims.keeps(&rule(claim, required)), keeps, "{claim}={required}");
        }
    }
}
