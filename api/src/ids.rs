//! Ids and names. An id is the UID of a custom resource and never comes again; a name may.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Why a text is no id or no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// It is not a UUID.
    #[error("{0:?} is not a UUID such as 76eef131-e3b7-43aa-9b26-2d6371565f7f")]
    NotAUuid(String),
    /// It is not a name as Kubernetes has them.
    #[error("{text:?} is not a name: a-z, 0-9, - and . are allowed, at most {longest} characters")]
    NotAName {
        /// What was given.
        text: String,
        /// How long it may be.
        longest: usize,
    },
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                // Only the hyphenated form: one space must not have two spellings in a URL.
                match Uuid::try_parse(text) {
                    Ok(uuid) if text.len() == 36 => Ok(Self(uuid)),
                    _ => Err(IdError::NotAUuid(text.to_owned())),
                }
            }
        }
    };
}

id! {
    /// A space on the volume: one member's own disk, or one group's.
    SpaceId
}
id! {
    /// A Member, for ever.
    MemberUid
}
id! {
    /// A Group, for ever.
    GroupUid
}
id! {
    /// A DiskCluster, for ever.
    ClusterUid
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $longest:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                if is_name(text, $longest) {
                    Ok(Self(text.into()))
                } else {
                    Err(IdError::NotAName { text: text.to_owned(), longest: $longest })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.as_ref().to_owned()
            }
        }
    };
}

name! {
    /// The name of a Member.
    MemberName, 63
}
name! {
    /// The name of a Group.
    GroupName, 63
}
name! {
    /// The name of a volume in its DiskCluster.
    VolumeName, 20
}
name! {
    /// The name of a pod.
    PodName, 253
}

/// A DNS-1123 subdomain, as Kubernetes asks of names.
fn is_name(text: &str, longest: usize) -> bool {
    let edge = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let bytes = text.as_bytes();
    bytes.len() <= longest
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_space_has_one_spelling() {
        let text = "76eef131-e3b7-43aa-9b26-2d6371565f7f";
        assert_eq!(text.parse::<SpaceId>().unwrap().to_string(), text);
        for wrong in ["76eef131e3b743aa9b262d6371565f7f", "{76eef131-e3b7-43aa-9b26-2d6371565f7f}", "", "x"] {
            assert!(wrong.parse::<SpaceId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_are_those_of_kubernetes() {
        for right in ["a", "alice", "a-b.c", "0x"] {
            assert!(right.parse::<MemberName>().is_ok(), "{right}");
        }
        for wrong in ["", "-a", "a-", "A", "a_b", "a/b", "..", "앨리스", &"a".repeat(64)] {
            assert!(wrong.parse::<MemberName>().is_err(), "{wrong}");
            assert!(serde_json::from_value::<MemberName>((*wrong).into()).is_err(), "{wrong}");
        }
    }
}
