//! The secret keys of web pods, as the operator stores them: `keys.json`.

use api::keys::{KeyError, SigningKey};
use serde::{Deserialize, Serialize};

/// What web pods sign with. In both lists the first key signs; the others only verify, until what they have
/// signed has expired.
#[derive(Debug)]
pub struct WebKeys {
    /// Sign tickets for disk pods, which hold the public halves.
    pub ticket: Vec<SigningKey>,
    /// Sign sessions, which web pods alone read.
    pub session: Vec<SigningKey>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    ticket: Vec<String>,
    session: Vec<String>,
}

impl WebKeys {
    /// Reads `keys.json`.
    ///
    /// # Errors
    /// When it is not of that form, or a list is empty. The message holds nothing of the content.
    pub fn from_json(text: &[u8]) -> Result<Self, WebKeysError> {
        let stored: Stored =
            serde_json::from_slice(text).map_err(|error| WebKeysError::Form { line: error.line() })?;
        let Stored { ticket, session } = stored;
        let read = |keys: Vec<String>| -> Result<Vec<SigningKey>, WebKeysError> {
            if keys.is_empty() {
                return Err(WebKeysError::Empty);
            }
            Ok(keys.iter().map(|key| SigningKey::from_paserk(key)).collect::<Result<_, _>>()?)
        };
        Ok(Self { ticket: read(ticket)?, session: read(session)? })
    }

    /// Writes `keys.json`, for a Secret and nothing else.
    ///
    /// # Errors
    /// When a key cannot be written.
    pub fn to_json(&self) -> Result<String, WebKeysError> {
        let write = |keys: &[SigningKey]| keys.iter().map(SigningKey::to_paserk).collect::<Result<_, _>>();
        let stored = Stored { ticket: write(&self.ticket)?, session: write(&self.session)? };
        serde_json::to_string(&stored).map_err(|error| WebKeysError::Form { line: error.line() })
    }
}

/// Why `keys.json` cannot be read. What a decoder says could quote it, so only the place is kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebKeysError {
    /// It is no JSON of that form.
    #[error("keys.json is not {{\"ticket\": [...], \"session\": [...]}} (line {line})")]
    Form {
        /// Where.
        line: usize,
    },
    /// A list has no key, so nothing can be signed.
    #[error("keys.json has a list without a key")]
    Empty,
    /// A key is none.
    #[error(transparent)]
    Key(#[from] KeyError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back_and_mistakes_quote_nothing() {
        let keys = WebKeys {
            ticket: vec![SigningKey::generate().unwrap()],
            session: vec![SigningKey::generate().unwrap(), SigningKey::generate().unwrap()],
        };
        let text = keys.to_json().unwrap();
        let again = WebKeys::from_json(text.as_bytes()).unwrap();
        assert_eq!(again.ticket[0].verifying_key(), keys.ticket[0].verifying_key());
        assert_eq!(again.session.len(), 2);
        assert_eq!(WebKeys::from_json(br#"{"ticket":[],"session":[]}"#).unwrap_err(), WebKeysError::Empty);
        let wrong = text.replace("session", "sessions");
        let message = WebKeys::from_json(wrong.as_bytes()).unwrap_err().to_string();
        assert!(!message.contains("k4.secret"), "{message}");
    }
}
