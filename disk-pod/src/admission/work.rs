//! What kind of work a request asks for, as far as its head says.

use axum::extract::Request;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, Method};
use hyper::body::Body as _;

use super::limit::Way;
use crate::http::body::announced;
use crate::load::{SMALL, Work};

/// By which protocol somebody speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Protocol {
    /// The HTTP API.
    Http,
    /// A resumable upload.
    Tus,
    /// A mounted disk.
    Webdav,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) protocol: Protocol,
    pub(crate) work: Work,
    pub(crate) way: Way,
}

impl Protocol {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Http, Self::Tus, Self::Webdav];

    /// As metrics and logs call it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Tus => "tus",
            Self::Webdav => "webdav",
        }
    }
}

impl Asked {
    /// By the head of a request.
    pub(crate) fn of(head: &Parts) -> Self {
        asked(&head.method, head.uri.path(), &head.headers)
    }

    /// By a request.
    pub(crate) fn of_request(request: &Request) -> Self {
        asked(request.method(), request.uri().path(), request.headers())
    }

    /// With what the answer shows: a file that is read is small or not.
    pub(crate) fn answered_by(self, response: &Response) -> Self {
        let long = response.body().size_hint().upper().is_none_or(|length| length > SMALL);
        let turns_out = self.work == Work::Small && self.way == Way::Read && long;
        if turns_out { Self { work: Work::Bulk, ..self } } else { self }
    }
}

/// A body of unknown length is a large one until it has ended; a file is a small one until its length is known.
fn asked(method: &Method, path: &str, headers: &HeaderMap) -> Asked {
    let resource = path.strip_prefix("/v1/spaces/").map(|rest| rest.split('/').nth(1).unwrap_or_default());
    let protocol = match resource {
        None => Protocol::Webdav,
        Some("uploads") => Protocol::Tus,
        Some(_) => Protocol::Http,
    };
    let coming = || announced(headers).map_or(Work::Bulk, Work::of_transfer);
    let work = match (resource, method) {
        (Some("zip"), &Method::GET) => Work::Bulk,
        (Some("files") | None, &Method::GET) => Work::Small,
        (Some("files") | None, &Method::PUT) | (Some("uploads"), &Method::PATCH) => coming(),
        // Mostly an upload is begun without bytes.
        (Some("uploads"), &Method::POST) if announced(headers).is_some_and(|bytes| bytes > 0) => coming(),
        _ => Work::Metadata,
    };
    let reads = matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS" | "PROPFIND");
    Asked { protocol, work, way: if reads { Way::Read } else { Way::Write } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_work() {
        use Protocol::{Http, Tus, Webdav};
        use Way::{Read, Write};
        use Work::{Bulk, Metadata, Small};
        for (method, path, length, protocol, work, way) in [
            ("GET", "/v1/spaces/s/files/a/b", None, Http, Small, Read),
            ("HEAD", "/v1/spaces/s/files/a", None, Http, Metadata, Read),
            ("PUT", "/v1/spaces/s/files/a", Some("65536"), Http, Small, Write),
            ("PUT", "/v1/spaces/s/files/a", Some("65537"), Http, Bulk, Write),
            ("PUT", "/v1/spaces/s/files/a", None, Http, Bulk, Write),
            ("DELETE", "/v1/spaces/s/files/a", None, Http, Metadata, Write),
            ("GET", "/v1/spaces/s/list", None, Http, Metadata, Read),
            ("GET", "/v1/spaces/s/zip/a", None, Http, Bulk, Read),
            ("HEAD", "/v1/spaces/s/zip/a", None, Http, Metadata, Read),
            ("POST", "/v1/spaces/s/operations", Some("70000"), Http, Metadata, Write),
            ("POST", "/v1/spaces/s/uploads", None, Tus, Metadata, Write),
            ("POST", "/v1/spaces/s/uploads", Some("0"), Tus, Metadata, Write),
            ("POST", "/v1/spaces/s/uploads", Some("9"), Tus, Small, Write),
            ("HEAD", "/v1/spaces/s/uploads/u", None, Tus, Metadata, Read),
            ("PATCH", "/v1/spaces/s/uploads/u", Some("70000"), Tus, Bulk, Write),
            ("PATCH", "/v1/spaces/s/uploads/u", None, Tus, Bulk, Write),
            ("GET", "/dav/home/a", None, Webdav, Small, Read),
            ("PUT", "/dav/home/a", Some("1"), Webdav, Small, Write),
            ("PROPFIND", "/dav/home/", None, Webdav, Metadata, Read),
            ("LOCK", "/dav/home/a", None, Webdav, Metadata, Write),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(length) = length {
                headers.insert("content-length", length.parse().unwrap());
            }
            let method: Method = method.parse().unwrap();
            assert_eq!(asked(&method, path, &headers), Asked { protocol, work, way }, "{method} {path}");
        }
    }
}
