//! Checksums that come along with a body, and whether they are right: those of RFC 9530 and of tus.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, HeaderName};
use ring::digest::{Algorithm, Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA512};

use crate::error::Error;

/// Of the bytes that are sent, and of the file that they are: the same thing for a body that is a whole file.
const DIGESTS: [HeaderName; 2] =
    [HeaderName::from_static("content-digest"), HeaderName::from_static("repr-digest")];

/// Checksums that are computed while a body comes.
pub(crate) struct Check(Vec<Running>);

struct Running {
    context: Context,
    expected: Vec<u8>,
}

impl Check {
    /// What the digest fields of a request say. Algorithms that are not known here are for others.
    ///
    /// # Errors
    /// When a field is no list of digests.
    pub(crate) fn of_digests(headers: &HeaderMap) -> Result<Self, Error> {
        let mut running = Vec::new();
        for name in &DIGESTS {
            for value in headers.get_all(name) {
                let wrong = || Error::BadRequest(format!("{name} must be like sha-256=:…base64…:"));
                let text = value.to_str().map_err(|_| wrong())?;
                for member in text.split(',') {
                    let (key, value) = member.trim().split_once('=').ok_or_else(wrong)?;
                    let algorithm = match key {
                        "sha-256" => &SHA256,
                        "sha-512" => &SHA512,
                        _ => continue,
                    };
                    let encoded = value.strip_prefix(':').and_then(|value| value.strip_suffix(':'));
                    running.push(Running::new(algorithm, encoded.ok_or_else(wrong)?).ok_or_else(wrong)?);
                }
            }
        }
        Ok(Self(running))
    }

    /// What `Upload-Checksum` says; `None` when it is not there.
    ///
    /// # Errors
    /// When it is of another form or of an algorithm that is not known.
    pub(crate) fn of_upload(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Self>, Error> {
        let Some(value) = headers.get(name) else { return Ok(None) };
        let wrong = || {
            let known = "sha1, sha256 or sha512, a space, and the checksum in base64";
            Error::BadRequest(format!("Upload-Checksum must be {known}"))
        };
        let (algorithm, encoded) =
            value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(wrong)?;
        let algorithm = match algorithm {
            "sha1" => &SHA1_FOR_LEGACY_USE_ONLY,
            "sha256" => &SHA256,
            "sha512" => &SHA512,
            _ => return Err(wrong()),
        };
        Ok(Some(Self(vec![Running::new(algorithm, encoded).ok_or_else(wrong)?])))
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        for running in &mut self.0 {
            running.context.update(bytes);
        }
    }

    /// Whether all that came is what was said.
    pub(crate) fn holds(self) -> bool {
        self.0.into_iter().all(|running| running.context.finish().as_ref() == running.expected)
    }
}

impl Running {
    fn new(algorithm: &'static Algorithm, encoded: &str) -> Option<Self> {
        let expected = BASE64_STANDARD.decode(encoded).ok()?;
        let fits = expected.len() == algorithm.output_len();
        fits.then(|| Self { context: Context::new(algorithm), expected })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &str = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";

    fn digests(fields: &[(&'static str, &str)], body: &str) -> Option<bool> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        let mut check = Check::of_digests(&headers).ok()?;
        check.update(body.as_bytes());
        Some(check.holds())
    }

    #[test]
    fn digests_are_read_and_checked() {
        let right = format!("sha-256=:{HELLO}:");
        let both = format!("md5=:AA==:, {right}");
        let never = "unknown=5";
        for (fields, body, expected) in [
            (&[][..], "hello", Some(true)),
            (&[("content-digest", right.as_str())], "hello", Some(true)),
            (&[("content-digest", right.as_str())], "hellp", Some(false)),
            (&[("repr-digest", both.as_str())], "hello", Some(true)),
            (&[("repr-digest", both.as_str())], "", Some(false)),
            (&[("repr-digest", never)], "hello", Some(true)),
            (&[("content-digest", right.as_str()), ("repr-digest", "sha-256=:AAAA:")], "hello", None),
            (&[("content-digest", "sha-256=LPJN")], "hello", None),
            (&[("content-digest", "sha-256")], "hello", None),
            (&[("content-digest", "sha-256=:!!:")], "hello", None),
            (&[("content-digest", "")], "hello", None),
        ] {
            assert_eq!(digests(fields, body), expected, "{fields:?} {body}");
        }
    }

    #[test]
    fn checksums_of_tus_are_read_and_checked() {
        let name = HeaderName::from_static("upload-checksum");
        for (text, expected) in [
            (format!("sha256 {HELLO}"), Some(true)),
            ("sha1 qvTGHdzF6KLavt4PO0gs2a6pQ00=".to_owned(), Some(true)),
            ("sha1 qvTGHdzF6KLavt4PO0gs2a6pQ0A=".to_owned(), Some(false)),
            (format!("sha1 {HELLO}"), None),
            (format!("crc32 {HELLO}"), None),
            ("sha1".to_owned(), None),
            (String::new(), None),
        ] {
            let headers = HeaderMap::from_iter([(name.clone(), text.parse().unwrap())]);
            let check = Check::of_upload(&headers, &name).ok().flatten();
            let holds = check.map(|mut check| {
                check.update(b"hel");
                check.update(b"lo");
                check.holds()
            });
            assert_eq!(holds, expected, "{text}");
        }
    }
}
