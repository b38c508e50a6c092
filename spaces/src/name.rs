//! The name of a file or directory. It is text in the log and never reaches a file system.

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// The longest name, in characters.
pub const LONGEST_NAME: usize = 255;

/// A valid name in Unicode's form NFC, so that what one system writes composed and another decomposed is one name.
#[derive(Clone)]
pub struct Name(Text);

/// As many bytes of a name as fit beside its length where a pointer and a length would be.
const SHORT: usize = 22;

/// Most names are short, and there are very many of them.
#[derive(Clone)]
enum Text {
    Short(u8, [u8; SHORT]),
    Long(Arc<str>),
}

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
        match &self.0 {
            // It was text when it came in.
            Text::Short(..) => std::str::from_utf8(self.as_bytes()).unwrap_or_default(),
            Text::Long(text) => text,
        }
    }

    /// The same, as UTF-8, which has the order of the text.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Text::Short(length, bytes) => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Text::Long(text) => text.as_bytes(),
        }
    }

    /// What it has in memory beside itself.
    pub(crate) fn beside(&self) -> usize {
        match &self.0 {
            Text::Short(..) => 0,
            Text::Long(text) => 16 + text.len() + 16,
        }
    }

    fn of(text: &str) -> Self {
        let mut bytes = [0; SHORT];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(place), Ok(length)) => {
                place.copy_from_slice(text.as_bytes());
                Self(Text::Short(length, bytes))
            }
            _ => Self(Text::Long(text.into())),
        }
    }

    /// A name of ASCII alone, which needs no look at Unicode; `None` when it is something else.
    fn ascii(text: &str) -> Option<Self> {
        let plain = |byte: &u8| byte.is_ascii() && !byte.is_ascii_control() && *byte != b'/';
        let is_name = !matches!(text, "" | "." | "..") && text.len() <= LONGEST_NAME;
        (is_name && text.as_bytes().iter().all(plain)).then(|| Self::of(text))
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Name {}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

/// As the text it is borrowed as.
impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if let Some(name) = Self::ascii(text) {
            return Ok(name);
        }
        // Composing never makes a text longer than four bytes for each of its characters; more is not worth the work.
        if text.len() > 4 * 4 * LONGEST_NAME {
            return Err(NameError::TooLong);
        }
        let name: Cow<'_, str> = match is_nfc_quick(text.chars()) {
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
        Ok(Self::of(&name))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        self.as_str()
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

    #[test]
    fn a_name_is_small() {
        assert_eq!(size_of::<Option<Name>>(), 24);
    }

    proptest! {
        #[test]
        fn names_are_ordered_as_their_texts(one in "\\PC{1,12}", other in "\\PC{1,12}") {
            if let (Ok(one), Ok(other)) = (one.parse::<Name>(), other.parse::<Name>()) {
                prop_assert_eq!(one.cmp(&other), one.as_str().cmp(other.as_str()));
                prop_assert_eq!(one == other, one.as_str() == other.as_str());
            }
        }

        #[test]
        fn a_name_is_its_own_name(text in "\\PC{1,20}") {
            if let Ok(name) = text.parse::<Name>() {
                prop_assert_eq!(name.as_str().parse::<Name>().unwrap(), name);
            }
        }
    }
}
