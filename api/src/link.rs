//! Share links: what is in one, and how a web pod asks a disk pod about one.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::bytes::Bytes;
use crate::ids::{MemberUid, SpaceId};

/// So many random bytes are in a link.
pub const LINK_SECRET_BYTES: usize = 20;

/// The last part of a link: the space, and a secret by which the share is found in it.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkToken {
    space: SpaceId,
    secret: [u8; LINK_SECRET_BYTES],
}

impl LinkToken {
    /// Of a secret by chance.
    #[must_use]
    pub fn new(space: SpaceId, secret: [u8; LINK_SECRET_BYTES]) -> Self {
        Self { space, secret }
    }

    /// The space that the share is in.
    #[must_use]
    pub fn space(&self) -> SpaceId {
        self.space
    }

    /// What the log of the space knows of it: nobody gets from here to the link.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        blake3::derive_key("internet-disk share link v1", &self.bytes())
    }

    /// What goes into a link.
    #[must_use]
    pub fn expose(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.bytes())
    }

    fn bytes(&self) -> [u8; 16 + LINK_SECRET_BYTES] {
        let mut bytes = [0; 16 + LINK_SECRET_BYTES];
        let (space, secret) = bytes.split_at_mut(16);
        space.copy_from_slice(self.space.0.as_bytes());
        secret.copy_from_slice(&self.secret);
        bytes
    }
}

impl fmt::Debug for LinkToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LinkToken").field("space", &self.space).finish_non_exhaustive()
    }
}

/// The text is no link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not the end of a share link")]
pub struct NotALink;

impl FromStr for LinkToken {
    type Err = NotALink;

    fn from_str(text: &str) -> Result<Self, NotALink> {
        let mut bytes = [0; 16 + LINK_SECRET_BYTES + 3];
        let length = BASE64_URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).map_err(|_| NotALink)?;
        let (space, secret) = bytes.get(..length).ok_or(NotALink)?.split_at_checked(16).ok_or(NotALink)?;
        let space = Uuid::from_slice(space).map_err(|_| NotALink)?;
        Ok(Self { space: SpaceId(space), secret: secret.try_into().map_err(|_| NotALink)? })
    }
}

/// What whoever has a link may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LinkAccess {
    /// See and read.
    Read,
    /// Add new files, and see none.
    Upload,
    /// Both.
    ReadAndUpload,
}

impl LinkAccess {
    /// Whether files are shown.
    #[must_use]
    pub fn reads(self) -> bool {
        matches!(self, Self::Read | Self::ReadAndUpload)
    }

    /// Whether new files are taken.
    #[must_use]
    pub fn uploads(self) -> bool {
        matches!(self, Self::Upload | Self::ReadAndUpload)
    }
}

/// A question about a link: `POST /v1/links` on the private port of disk pods, authorised for
/// [`crate::keys::purpose::LINK`] by a ticket key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LinkQuestion {
    /// The space.
    pub space: SpaceId,
    /// [`LinkToken::hash`], in hexadecimal.
    pub hash: String,
    /// Counts a use, once for each of these ids; without it the link is only looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub use_it: Option<Uuid>,
}

/// What a link leads to.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LinkFound {
    /// Names the share.
    pub share: Uuid,
    /// The file or directory, for ever.
    pub node: u64,
    /// Where it is now.
    pub path: String,
    /// Whether it is a directory.
    pub directory: bool,
    /// The size of a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Bytes>,
    /// What may be done.
    pub access: LinkAccess,
    /// What a password is verified by, where one is needed: a PHC string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verifier: Option<String>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// How often it can still be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses_left: Option<u64>,
    /// Who made it: it is good as long as he may do himself what it lets others do.
    pub creator: MemberUid,
}

impl fmt::Debug for LinkFound {
    /// Without what a secret could be guessed from, and without names.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LinkFound").field("share", &self.share).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_comes_back_and_shows_its_secret_to_nobody() {
        let token = LinkToken::new(SpaceId(Uuid::from_u128(7)), [9; LINK_SECRET_BYTES]);
        let text = token.expose();
        assert_eq!(text.len(), 48);
        assert_eq!(text.parse::<LinkToken>().as_ref(), Ok(&token));
        assert!(!format!("{token:?}").contains(&text[22..]));
        let other = LinkToken::new(SpaceId(Uuid::from_u128(8)), [9; LINK_SECRET_BYTES]);
        assert_ne!(other.hash(), token.hash(), "a secret is good in its space alone");
        for none in ["", "x", &text[..47], &text[..32], &format!("{text}AAAA"), &"A".repeat(10_000), "../etc"]
        {
            assert_eq!(none.parse::<LinkToken>(), Err(NotALink), "{none}");
        }
    }
}
