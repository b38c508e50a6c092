//! The name of a file or directory. It is text in the log and never reaches a file system.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// The longest name, in characters.
pub const LONGEST_NAME: usize = 255;

/// A valid name in Unicode's form NFC, so that what one system writes composed and another decomposed is one name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

/// Why a text is no name. The texts are for the person who chose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing at all.
    #[error("a name must not be empty")]
    Empty,
    /// `.` or `..`.
    #[error("a name must not be \".\" or \"..\"")]
    Dots,
    /// A slash.
    #[error("a name must not have a slash in it")]
    Slash,
    /// NUL, a line break or another control character.
    #[error("a name must not have control characters in it")]
    Control,
    /// More than [`LONGEST_NAME`] characters.
    #[error("a name has at most {LONGEST_NAME} characters")]
    TooLong,
}

impl Name {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        // Composing never makes a text longer than four bytes for each of its characters; more is not worth the work.
        if text.len() > 4 * 4 * LONGEST_NAME {
            return Err(NameError::TooLong);
        }
        let name: Arc<str> = match is_nfc_quick(text.chars()) {
            IsNormalized::Yes => text.into(),
            _ => text.nfc().collect::<String>().into(),
        };
        match name.as_ref() {
            "" => return Err(NameError::Empty),
            "." | ".." => return Err(NameError::Dots),
            _ => {}
        }
        if name.contains('/') {
            return Err(NameError::Slash);
        }
        if name.chars().any(char::is_control) {
            return Err(NameError::Control);
        }
        if name.chars().count() > LONGEST_NAME {
            return Err(NameError::TooLong);
        }
        Ok(Self(name))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_forms_are_one_name() {
        let composed: Name = "한글 \u{e9}".parse().unwrap();
        let decomposed: Name = "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af} e\u{301}".parse().unwrap();
        assert_eq!(composed, decomposed);
        assert_eq!(decomposed.as_str(), "한글 \u{e9}");
    }

    #[test]
    fn what_is_no_name() {
        for (text, error) in [
            ("", NameError::Empty),
            (".", NameError::Dots),
            ("..", NameError::Dots),
            ("a/b", NameError::Slash),
            ("a\0b", NameError::Control),
            ("a\nb", NameError::Control),
            ("\u{85}", NameError::Control),
        ] {
            assert_eq!(text.parse::<Name>(), Err(error), "{text:?}");
        }
        assert!("🗎".repeat(255).parse::<Name>().is_ok());
        assert_eq!("🗎".repeat(256).parse::<Name>(), Err(NameError::TooLong));
        assert_eq!("a".repeat(1 << 20).parse::<Name>(), Err(NameError::TooLong));
        for strange in ["...", " ", "-rf", "CON", "a\\b", "*", "\u{202e}"] {
            assert!(strange.parse::<Name>().is_ok(), "{strange:?}");
        }
    }

    proptest! {
        #[test]
        fn a_name_is_its_own_name(text in "\\PC{1,20}") {
            if let Ok(name) = text.parse::<Name>() {
                prop_assert_eq!(name.as_str().parse::<Name>().unwrap(), name);
            }
        }
    }
}
