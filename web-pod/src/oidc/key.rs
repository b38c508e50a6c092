//! Public keys of a provider (JWK), and whether they signed something.
//!
//! Source: RFC 7517, RFC 7518, RFC 8037.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;

/// A set of them, as it is fetched. Keys of kinds that are not known are skipped: others may do.
#[derive(Debug, Deserialize)]
pub(super) struct KeySet {
    keys: Vec<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct Jwk {
    kty: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default, rename = "use")]
    usage: Option<String>,
    #[serde(default)]
    alg: Option<String>,
    #[serde(default)]
    crv: Option<String>,
    #[serde(default)]
    n: Option<String>,
    #[serde(default)]
    e: Option<String>,
    #[serde(default)]
    x: Option<String>,
    #[serde(default)]
    y: Option<String>,
}

/// A key that verifies.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) id: Option<String>,
    /// The one algorithm it is for, if it says so.
    algorithm: Option<String>,
    public: Public,
}

#[derive(Debug)]
enum Public {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

impl KeySet {
    /// Those of the keys that sign, and that are understood.
    pub(super) fn keys(self) -> Vec<Key> {
        self.keys.into_iter().filter_map(|key| Key::read(serde_json::from_value(key).ok()?)).collect()
    }
}

fn bytes(text: Option<String>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text?).ok()
}

/// Both coordinates, as long as the curve says: shorter ones were written without their leading zeros.
fn point(x: Option<String>, y: Option<String>, length: usize) -> Option<Vec<u8>> {
    let mut point = vec![4];
    for coordinate in [bytes(x)?, bytes(y)?] {
        let missing = length.checked_sub(coordinate.len())?;
        point.extend(std::iter::repeat_n(0, missing));
        point.extend(coordinate);
    }
    Some(point)
}

impl Key {
    fn read(jwk: Jwk) -> Option<Self> {
        let Jwk { kty, kid, usage, alg, crv, n, e, x, y } = jwk;
        if usage.is_some_and(|usage| usage != "sig") {
            return None;
        }
        let public = match (kty.as_str(), crv.as_deref()) {
            ("RSA", _) => Public::Rsa { n: bytes(n)?, e: bytes(e)? },
            ("EC", Some("P-256")) => Public::P256(point(x, y, 32)?),
            ("EC", Some("P-384")) => Public::P384(point(x, y, 48)?),
            ("OKP", Some("Ed25519")) => Public::Ed25519(bytes(x)?),
            _ => return None,
        };
        Some(Self { id: kid, algorithm: alg, public })
    }

    /// Whether this key signed the message by that algorithm. The algorithm is the token's word: it has to fit the
    /// key, so that no key is used in a way it was not made for.
    pub(super) fn signed(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> bool {
        if self.algorithm.as_ref().is_some_and(|one| one != algorithm) {
            return false;
        }
        match (&self.public, algorithm) {
            (Public::Rsa { n, e }, _) => {
                let parameters = match algorithm {
                    "RS256" => &signature::RSA_PKCS1_2048_8192_SHA256,
                    "RS384" => &signature::RSA_PKCS1_2048_8192_SHA384,
                    "RS512" => &signature::RSA_PKCS1_2048_8192_SHA512,
                    "PS256" => &signature::RSA_PSS_2048_8192_SHA256,
                    "PS384" => &signature::RSA_PSS_2048_8192_SHA384,
                    "PS512" => &signature::RSA_PSS_2048_8192_SHA512,
                    _ => return false,
                };
                RsaPublicKeyComponents { n, e }.verify(parameters, message, signature).is_ok()
            }
            (Public::P256(point), "ES256") => {
                UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point)
                    .verify(message, signature)
                    .is_ok()
            }
            (Public::P384(point), "ES384") => {
                UnparsedPublicKey::new(&signature::ECDSA_P384_SHA384_FIXED, point)
                    .verify(message, signature)
                    .is_ok()
            }
            (Public::Ed25519(key), "EdDSA" | "Ed25519") => {
                UnparsedPublicKey::new(&signature::ED25519, key).verify(message, signature).is_ok()
            }
            _ => false,
        }
    }
}
