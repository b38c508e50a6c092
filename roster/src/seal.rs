//! Signing what the operator publishes, and believing nothing that is not signed.

use std::fmt;

use api::generation::RosterGeneration;
use api::ids::ClusterUid;
use api::keys::{self, SigningKey, Trust, purpose};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::FORMAT;

/// A part of a roster that is signed by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The index.
    Index,
    /// One of the shards.
    Shard(u8),
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index => formatter.write_str("index"),
            Self::Shard(shard) => write!(formatter, "shard-{shard}"),
        }
    }
}

/// A body and its signature, as they are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// JSON.
    pub body: String,
    /// A PASETO over the digest of the body.
    pub signature: String,
}

/// Why a part of a roster is not believed.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// No key that is trusted has signed it.
    #[error("its signature is not one that this pod trusts ({0})")]
    Signature(#[from] keys::KeyError),
    /// The signature is of something else.
    #[error("its signature is of another part, or of other content")]
    Mismatch,
    /// It is no JSON of this form.
    #[error("it cannot be read ({0})")]
    Unreadable(#[from] serde_json::Error),
    /// It is in a form of another version.
    #[error("it has format {format}, and this pod knows format {FORMAT} only")]
    Format {
        /// What it says.
        format: u32,
    },
    /// It is of another DiskCluster.
    #[error("it is of DiskCluster {cluster}, not of the one this pod serves")]
    OtherCluster {
        /// Which.
        cluster: ClusterUid,
    },
    /// It contradicts itself.
    #[error("it contradicts itself or its signature")]
    Inconsistent,
    /// It is older than what the index names.
    #[error("it has generation {generation}, and the index names generation {named}")]
    Outdated {
        /// What it has.
        generation: RosterGeneration,
        /// What is wanted.
        named: RosterGeneration,
    },
}

#[derive(Serialize, Deserialize)]
struct Claims {
    blake3: String,
    what: String,
    generation: RosterGeneration,
}

/// The digest by which an index names a shard: BLAKE3, in hexadecimal.
pub fn digest(body: &[u8]) -> String {
    blake3::hash(body).to_hex().to_string()
}

/// Signs a part of a roster.
///
/// # Errors
/// When it cannot be written as JSON, or not be signed.
pub fn seal(
    key: &SigningKey,
    part: Part,
    generation: RosterGeneration,
    content: &impl Serialize,
) -> Result<Sealed, keys::KeyError> {
    let body = serde_json::to_string(content).map_err(|_| keys::KeyError::Signing)?;
    let claims = Claims { blake3: digest(body.as_bytes()), what: part.to_string(), generation };
    let signature = keys::sign(key, purpose::ROSTER, &claims)?;
    Ok(Sealed { body, signature })
}

/// Reads a part of a roster, and says of which generation it is signed to be.
///
/// # Errors
/// When the signature is not of a trusted key, or not of this part and content, or the content is no JSON of
/// that form.
pub fn open<T: DeserializeOwned>(
    trust: &Trust,
    part: Part,
    body: &str,
    signature: &str,
) -> Result<(T, RosterGeneration), Refused> {
    let Claims { blake3, what, generation } = keys::verify(signature.trim(), purpose::ROSTER, trust)?;
    if what != part.to_string() || blake3 != digest(body.as_bytes()) {
        return Err(Refused::Mismatch);
    }
    Ok((serde_json::from_str(body)?, generation))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_signed_is_believed() {
        let (ours, theirs) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let trust = Trust::new([ours.verifying_key().clone()]);
        let generation = RosterGeneration(7);
        let sealed = seal(&ours, Part::Shard(3), generation, &["content"]).unwrap();
        let read = |part, body: &str, signature: &str| open::<Vec<String>>(&trust, part, body, signature);
        let (content, signed) = read(Part::Shard(3), &sealed.body, &sealed.signature).unwrap();
        assert_eq!((content, signed), (vec!["content".to_owned()], generation));
        let with_line_end = format!("{}\n", sealed.signature);
        assert!(read(Part::Shard(3), &sealed.body, &with_line_end).is_ok(), "a file may end with a line");

        let other_part = read(Part::Shard(4), &sealed.body, &sealed.signature);
        assert!(matches!(other_part, Err(Refused::Mismatch)));
        let other_body = read(Part::Shard(3), "[\"contenT\"]", &sealed.signature);
        assert!(matches!(other_body, Err(Refused::Mismatch)));
        let foreign = seal(&theirs, Part::Shard(3), generation, &["content"]).unwrap();
        let foreign = read(Part::Shard(3), &foreign.body, &foreign.signature);
        assert!(matches!(foreign, Err(Refused::Signature(keys::KeyError::UnknownKey))));
    }
}
