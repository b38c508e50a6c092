//! A path inside a space: names from its root.

use std::fmt;
use std::str::FromStr;

use crate::name::{Name, NameError};

/// The deepest that something can be made, in names from the root.
pub const DEEPEST: usize = 128;

/// The most names of a path. Moving a directory can take what is in it deeper than [`DEEPEST`]; it stays reachable.
pub(crate) const MOST_NAMES: usize = 1024;

/// Names from the root of a space; none of them is the root itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodePath(Vec<Name>);

/// Why a text is no path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// One of its names is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Too many names.
    #[error("directories can be nested {DEEPEST} deep at most")]
    TooDeep,
}

impl NodePath {
    /// The root of a space.
    #[must_use]
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// Whether this is the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The last name; the root has none.
    #[must_use]
    pub fn name(&self) -> Option<&Name> {
        self.0.last()
    }

    /// All names, from the root on.
    #[must_use]
    pub fn names(&self) -> &[Name] {
        &self.0
    }

    /// The directory this is in and the name it has there; the root is in none.
    #[must_use]
    pub fn split_last(&self) -> Option<(&[Name], &Name)> {
        self.0.split_last().map(|(name, directory)| (directory, name))
    }

    /// This path and one more name.
    #[must_use]
    pub fn join(&self, name: Name) -> Self {
        let mut names = self.0.clone();
        names.push(name);
        Self(names)
    }

    /// Whether this is `other` or inside it.
    #[must_use]
    pub fn starts_with(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }
}

impl From<Vec<Name>> for NodePath {
    fn from(names: Vec<Name>) -> Self {
        Self(names)
    }
}

impl FromStr for NodePath {
    type Err = PathError;

    /// Names with a slash between them; the empty text is the root.
    fn from_str(text: &str) -> Result<Self, PathError> {
        if text.is_empty() {
            return Ok(Self::root());
        }
        let mut names = Vec::new();
        for name in text.split('/') {
            if names.len() == MOST_NAMES {
                return Err(PathError::TooDeep);
            }
            names.push(name.parse()?);
        }
        Ok(Self(names))
    }
}

impl fmt::Display for NodePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, name) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str("/")?;
            }
            f.write_str(name.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_comes_back() {
        for text in ["", "a", "a/b c/ü"] {
            assert_eq!(text.parse::<NodePath>().unwrap().to_string(), text);
        }
        assert!("".parse::<NodePath>().unwrap().is_root());
    }

    #[test]
    fn no_way_out() {
        for text in ["/", "/a", "a/", "a//b", "..", "a/../b", "a/.", "a/\0"] {
            assert!(text.parse::<NodePath>().is_err(), "{text:?}");
        }
        assert_eq!(vec!["a"; 2000].join("/").parse::<NodePath>(), Err(PathError::TooDeep));
    }
}
