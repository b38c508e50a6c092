//! The `Upload-Metadata` header of tus 1.0: `key base64`, separated by commas.

use std::collections::HashMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// What a client says of an upload when it creates it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Where the file goes, as plain text.
    pub path: Option<String>,
    /// Whether a file that is there already is replaced.
    pub replace: bool,
    /// Whether missing directories are made.
    pub parents: bool,
}

/// Metadata that is not of the protocol's form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// A value is not base64, or not UTF-8 in it.
    #[error("Upload-Metadata: the value of {0:?} must be UTF-8 in base64")]
    Value(String),
    /// The same key again.
    #[error("Upload-Metadata: the key {0:?} is there twice")]
    Twice(String),
    /// An empty key.
    #[error("Upload-Metadata: pairs of a key and a base64 value are separated by single commas")]
    Form,
}

impl Metadata {
    /// Reads the header. Keys that are not known here, such as `filename`, are for others.
    ///
    /// # Errors
    /// When it is not of the form, or a key is given twice.
    pub fn parse(header: &str) -> Result<Self, MetadataError> {
        let mut values = HashMap::new();
        for pair in header.split(',').map(str::trim) {
            if pair.is_empty() && header.trim().is_empty() {
                break;
            }
            let (key, encoded) = pair.split_once(' ').unwrap_or((pair, ""));
            if key.is_empty() {
                return Err(MetadataError::Form);
            }
            let value = BASE64_STANDARD
                .decode(encoded.trim())
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .ok_or_else(|| MetadataError::Value(key.to_owned()))?;
            if values.insert(key.to_owned(), value).is_some() {
                return Err(MetadataError::Twice(key.to_owned()));
            }
        }
        // A key without a value is a switch that is on.
        let switch = |key: &str| values.get(key).is_some_and(|value| value.is_empty() || value == "true");
        Ok(Self { replace: switch("replace"), parents: switch("parents"), path: values.get("path").cloned() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn table() {
        let metadata = |path: Option<&str>, replace, parents| {
            Ok(Metadata { path: path.map(str::to_owned), replace, parents })
        };
        for (header, expected) in [
            ("", metadata(None, false, false)),
            ("path YS9i", metadata(Some("a/b"), false, false)),
            ("path YS9i,replace dHJ1ZQ==,parents", metadata(Some("a/b"), true, true)),
            ("path YS9i, replace ZmFsc2U=", metadata(Some("a/b"), false, false)),
            ("filename 7Zy06rCA,path YQ==", metadata(Some("a"), false, false)),
            ("path !!", Err(MetadataError::Value("path".into()))),
            ("path //79", Err(MetadataError::Value("path".into()))),
            ("path YQ==,path Yg==", Err(MetadataError::Twice("path".into()))),
            ("path YQ==,,replace", Err(MetadataError::Form)),
        ] {
            assert_eq!(Metadata::parse(header), expected, "{header:?}");
        }
    }

    proptest! {
        #[test]
        fn a_path_comes_back(path in "\\PC{1,40}") {
            let header = format!("path {}", BASE64_STANDARD.encode(&path));
            prop_assert_eq!(Metadata::parse(&header).unwrap().path, Some(path));
        }

        #[test]
        fn nothing_panics(header in "\\PC{0,60}") {
            let _ = Metadata::parse(&header);
        }
    }
}
