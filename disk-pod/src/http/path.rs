//! The path of a file, out of a URL or out of JSON, as names that mean nothing to a file system.
//!
//! A URL is decoded once, name by name, after it was split: `%2F` is not a separator, and what would be one
//! after decoding is refused. Which characters a name may have is the engine's rule, not one of HTTP.

use percent_encoding::percent_decode_str;

/// The longest path taken, in bytes after decoding.
const LONGEST: usize = 16 * 1024;

/// Why a path is refused. The texts are for the person who chose the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Two separators in a row, or one at the end of a file's path.
    #[error("a path must not have empty names: remove doubled slashes and the slash at the end")]
    EmptyName,
    /// `.` or `..`.
    #[error("a path must not have \".\" or \"..\" in it")]
    DotName,
    /// An encoded separator or NUL.
    #[error("a name must not have a slash or a NUL in it, encoded or not")]
    Separator,
    /// The decoded bytes are not UTF-8.
    #[error("a name must be UTF-8")]
    NotUtf8,
    /// Longer than any that is stored.
    #[error("the path is longer than {LONGEST} bytes")]
    TooLong,
}

/// Reads the path part of a URL that names a file or directory. Empty is the root of the space; one slash at
/// the end is let pass for directories.
///
/// # Errors
/// When a name is empty, a dot name, not UTF-8, or holds an encoded separator.
pub fn from_url(raw: &str, directory: bool) -> Result<String, PathError> {
    let raw = if directory { raw.strip_suffix('/').unwrap_or(raw) } else { raw };
    if raw.is_empty() {
        return Ok(String::new());
    }
    let mut path = String::with_capacity(raw.len());
    for encoded in raw.split('/') {
        let name = percent_decode_str(encoded).decode_utf8().map_err(|_| PathError::NotUtf8)?;
        checked(&name)?;
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(&name);
    }
    within_length(path)
}

/// Reads a path that is plain text, such as in JSON: nothing is decoded. One leading slash is let pass.
///
/// # Errors
/// As for [`from_url`], but nothing is encoded here.
pub fn from_text(text: &str) -> Result<String, PathError> {
    let text = text.strip_prefix('/').unwrap_or(text);
    if text.is_empty() {
        return Ok(String::new());
    }
    text.split('/').try_for_each(checked)?;
    within_length(text.to_owned())
}

fn checked(name: &str) -> Result<(), PathError> {
    match name {
        "" => Err(PathError::EmptyName),
        "." | ".." => Err(PathError::DotName),
        _ if name.contains(['/', '\0']) => Err(PathError::Separator),
        _ => Ok(()),
    }
}

fn within_length(path: String) -> Result<String, PathError> {
    if path.len() > LONGEST { Err(PathError::TooLong) } else { Ok(path) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn urls() {
        for (raw, directory, expected) in [
            ("", false, Ok("")),
            ("a", false, Ok("a")),
            ("a/b%20c", false, Ok("a/b c")),
            ("a/", true, Ok("a")),
            ("a/", false, Err(PathError::EmptyName)),
            ("a//", true, Err(PathError::EmptyName)),
            ("/a", false, Err(PathError::EmptyName)),
            ("a//b", false, Err(PathError::EmptyName)),
            ("..", false, Err(PathError::DotName)),
            ("%2e%2e", false, Err(PathError::DotName)),
            ("a/%2E/b", false, Err(PathError::DotName)),
            ("..%2f..%2fetc", false, Err(PathError::Separator)),
            ("%2fetc", false, Err(PathError::Separator)),
            ("a%00b", false, Err(PathError::Separator)),
            ("%ff%fe", false, Err(PathError::NotUtf8)),
            // Decoded once: what is left of a doubly encoded name is a name.
            ("%252e%252e", false, Ok("%2e%2e")),
            ("a%252fb", false, Ok("a%2fb")),
            ("..%5c..%5cwindows", false, Ok("..\\..\\windows")),
            ("%", false, Ok("%")),
            ("new%0Aline", false, Ok("new\nline")),
        ] {
            assert_eq!(from_url(raw, directory).as_deref(), expected.as_ref().map(|text| *text), "{raw:?}");
        }
        assert_eq!(from_url(&"a".repeat(LONGEST + 1), false), Err(PathError::TooLong));
    }

    #[test]
    fn texts() {
        assert_eq!(from_text("/a/b").as_deref(), Ok("a/b"));
        assert_eq!(from_text("a%2fb").as_deref(), Ok("a%2fb"));
        assert_eq!(from_text("//a"), Err(PathError::EmptyName));
        assert_eq!(from_text("a/../b"), Err(PathError::DotName));
        assert_eq!(from_text(""), Ok(String::new()));
    }

    proptest! {
        #[test]
        fn what_comes_out_has_no_names_that_climb(raw in "[a./%2eEfF0]{0,24}") {
            if let Ok(path) = from_url(&raw, false) {
                prop_assert!(path.is_empty() || path.split('/').all(|name| !matches!(name, "" | "." | "..")));
                prop_assert!(!path.contains('\0'));
            }
        }

        #[test]
        fn an_encoded_path_comes_back(names in prop::collection::vec("[^/\0]{1,8}", 1..4)) {
            prop_assume!(names.iter().all(|name| name != "." && name != ".."));
            let encoded: Vec<String> = names
                .iter()
                .map(|name| percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string())
                .collect();
            prop_assert_eq!(from_url(&encoded.join("/"), false), Ok(names.join("/")));
        }
    }
}
