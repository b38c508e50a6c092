//! Further passwords of a member, each for one program. They are made by chance, so a plain hash keeps them as well as
//! a slow one would, and checking one costs nothing.

use std::fmt;

use api::ids::{MemberUid, SpaceId};
use api::ticket::Access;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// So many random bytes are in one.
pub const APP_PASSWORD_BYTES: usize = 15;

/// What each begins with, so that people and programs know one when they see one.
const PREFIX: &str = "idisk";
/// Letters and digits that nobody mistakes for others.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Characters after the prefix, and of a group of them.
const CHARACTERS: usize = APP_PASSWORD_BYTES * 8 / 5;
const GROUP: usize = 6;

/// The passwords of the members of a shard as web pods write them: `app-passwords.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppPasswords {
    /// In the order in which they were made.
    pub passwords: Vec<AppPassword>,
}

/// A password for a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppPassword {
    /// Whose.
    pub member: MemberUid,
    /// Names it.
    pub id: Uuid,
    /// What the member calls it.
    pub name: String,
    /// What it is checked against.
    pub hash: AppPasswordHash,
    /// The most that may be done with it.
    pub access: Access,
    /// The only space it is good for, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub space: Option<SpaceId>,
    /// When it was made.
    pub created: Timestamp,
    /// When it was used, to a day. Where passwords are checked this is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<Timestamp>,
}

/// A hash of an app password. Nobody can guess what it is of, and it shows itself to nobody all the same.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AppPasswordHash(blake3::Hash);

impl fmt::Debug for AppPasswordHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AppPasswordHash(…)")
    }
}

impl Serialize for AppPasswordHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_hex())
    }
}

impl<'de> Deserialize<'de> for AppPasswordHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // What the decoder says could quote it.
        blake3::Hash::from_hex(text).map(Self).map_err(|_| serde::de::Error::custom("no hash"))
    }
}

impl AppPasswordHash {
    /// The hash of what somebody gave as a password, if that has the form of an app password. Dashes, spaces and
    /// capitals do not matter: people copy these by hand.
    pub fn of(text: &str) -> Option<Self> {
        if text.len() > 4 * CHARACTERS {
            return None;
        }
        let plain: String = text.chars().filter(|one| !matches!(one, '-' | ' ')).collect();
        let plain = plain.to_ascii_lowercase();
        let secret = plain.strip_prefix(PREFIX)?;
        let formed = secret.len() == CHARACTERS && secret.bytes().all(|byte| ALPHABET.contains(&byte));
        formed.then(|| Self(blake3::derive_key("internet-disk app password v1", secret.as_bytes()).into()))
    }
}

/// An app password as it is shown, once: `idisk-abcdef-…`.
pub fn app_password(random: [u8; APP_PASSWORD_BYTES]) -> String {
    let mut text = PREFIX.to_owned();
    let (mut bits, mut held, mut written) = (0_u32, 0_u32, 0);
    for byte in random {
        bits = bits << 8 | u32::from(byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            if written % GROUP == 0 {
                text.push('-');
            }
            written += 1;
            let place = usize::try_from(bits >> held & 31).unwrap_or_default();
            text.push(ALPHABET.get(place).copied().map_or('a', char::from));
        }
        bits &= (1 << held) - 1;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_password_is_known_by_its_form_however_it_is_typed() {
        let mut random = [0; APP_PASSWORD_BYTES];
        for (place, byte) in (0_u8..).zip(&mut random) {
            *byte = place * 17 + 3;
        }
        let text = app_password(random);
        assert_eq!(text.len(), 5 + CHARACTERS + CHARACTERS / GROUP, "{text}");
        let hash = AppPasswordHash::of(&text).unwrap();
        for same in [text.to_uppercase(), text.replace('-', ""), text.replace('-', " ")] {
            assert_eq!(AppPasswordHash::of(&same), Some(hash), "{same}");
        }
        for byte in 0..APP_PASSWORD_BYTES {
            let mut other = random;
            other[byte] ^= 1;
            assert_ne!(AppPasswordHash::of(&app_password(other)), Some(hash), "byte {byte} counts");
        }
        for none in [
            "",
            "correct horse",
            "idisk",
            &text[..text.len() - 1],
            &format!("{text}a"),
            &text.replace('-', "0"),
        ] {
            assert_eq!(AppPasswordHash::of(none), None, "{none}");
        }
        assert_eq!(AppPasswordHash::of(&"idisk".repeat(10_000)), None);
    }

    #[test]
    fn a_hash_comes_back_and_shows_nothing() {
        let hash = AppPasswordHash::of(&app_password([7; APP_PASSWORD_BYTES])).unwrap();
        let text = serde_json::to_string(&hash).unwrap();
        assert_eq!(serde_json::from_str::<AppPasswordHash>(&text).unwrap(), hash);
        assert!(!format!("{hash:?}").contains(&text[1..9]));
        let error = serde_json::from_str::<AppPasswordHash>("\"hush\"").unwrap_err().to_string();
        assert!(!error.contains("hush"), "{error}");
    }
}
