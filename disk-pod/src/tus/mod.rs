//! Resumable uploads: tus 1.0 (<https://tus.io/protocols/resumable-upload>) with creation,
//! creation-with-upload, termination, checksum and expiration. An upload belongs to no pod: any of them goes on where another ended.

pub(crate) mod append;
pub(crate) mod create;
pub mod metadata;
pub(crate) mod resource;

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use jiff::Timestamp;

use crate::app::App;
use crate::error::Error;
use crate::http::date::http_date;

pub(crate) const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
pub(crate) const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
pub(crate) const LENGTH: HeaderName = HeaderName::from_static("upload-length");
pub(crate) const CHECKSUM: HeaderName = HeaderName::from_static("upload-checksum");
const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
pub(crate) const METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const DEFER_LENGTH: HeaderName = HeaderName::from_static("upload-defer-length");
const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");
const CONTENT: &str = "application/offset+octet-stream";

/// What this server can do, for clients that ask.
pub(crate) fn options(app: &App) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(RESUMABLE, VERSION);
    headers.insert(HeaderName::from_static("tus-version"), VERSION);
    headers.insert(
        HeaderName::from_static("tus-extension"),
        HeaderValue::from_static("creation,creation-with-upload,termination,checksum,expiration"),
    );
    headers.insert(
        HeaderName::from_static("tus-checksum-algorithm"),
        HeaderValue::from_static("sha1,sha256,sha512"),
    );
    if let Some(most) = app.roster.current().settings().uploads.max_file_size {
        headers.insert(HeaderName::from_static("tus-max-size"), HeaderValue::from(most.0));
    }
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// Notes until when an upload is kept that was heard of just now.
fn stamp_expiry(app: &App, headers: &mut HeaderMap) {
    let kept = i64::try_from(app.engine.settings().upload_expiry.as_millis()).unwrap_or(i64::MAX);
    let until = Timestamp::now().as_millisecond().saturating_add(kept);
    if let Some(until) = http_date(until) {
        headers.insert(EXPIRES, until);
    }
}

/// Every request but OPTIONS must say which version it speaks.
fn check_version(headers: &HeaderMap) -> Result<(), Error> {
    if headers.get(RESUMABLE) == Some(&VERSION) { Ok(()) } else { Err(Error::TusVersion) }
}

/// A header that holds a number of bytes; `None` when it is not there.
fn number(headers: &HeaderMap, name: &HeaderName) -> Result<Option<u64>, Error> {
    headers
        .get(name)
        .map(|value| {
            value
                .to_str()
                .ok()
                .filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
                .and_then(|text| text.parse().ok())
                .ok_or_else(|| Error::BadRequest(format!("{name} must be a number of bytes")))
        })
        .transpose()
}

fn is_content(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes() == CONTENT.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_digits_alone() {
        for (text, expected) in [
            ("0", Some(0)),
            ("18446744073709551615", Some(u64::MAX)),
            ("-1", None),
            ("+1", None),
            ("", None),
            ("1.5", None),
            ("18446744073709551616", None),
        ] {
            let headers = HeaderMap::from_iter([(OFFSET, HeaderValue::from_static(text))]);
            assert_eq!(number(&headers, &OFFSET).ok().flatten(), expected, "{text:?}");
        }
        assert_eq!(number(&HeaderMap::new(), &OFFSET).unwrap(), None);
    }
}
