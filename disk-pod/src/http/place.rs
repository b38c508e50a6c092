//! Which space and which path a URL names.

use http::Uri;

use super::path;
use crate::error::Error;

/// The part of a URL after `/v1/spaces/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The space, as written.
    pub(crate) space: String,
    /// The path in it, decoded; empty is its root.
    pub(crate) path: String,
}

impl Place {
    /// Reads `/v1/spaces/{space}/{what}/{path}`. The router's own decoding is not used: it cannot tell an
    /// encoded slash from a separator.
    ///
    /// # Errors
    /// When the path cannot be one.
    pub(crate) fn of(uri: &Uri, directory: bool) -> Result<Self, Error> {
        let mut parts = uri.path().splitn(6, '/').skip(3);
        let space = parts.next().unwrap_or_default().to_owned();
        let raw = parts.nth(1).unwrap_or_default();
        Ok(Self { space, path: path::from_url(raw, directory)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_what_comes_after_the_fifth_slash() {
        for (uri, path) in [
            ("/v1/spaces/s/files/a/b%20c?ticket=x", "a/b c"),
            ("/v1/spaces/s/list", ""),
            ("/v1/spaces/s/list/", ""),
            ("/v1/spaces/s/list/a/", "a"),
            ("/v1/spaces/s/files/v1/spaces/s/files/a", "v1/spaces/s/files/a"),
        ] {
            let place = Place::of(&uri.parse().unwrap(), true).unwrap();
            assert_eq!(place, Place { space: "s".into(), path: path.into() }, "{uri}");
        }
        assert!(Place::of(&"/v1/spaces/s/files/a%2Fb".parse().unwrap(), true).is_err());
    }
}
