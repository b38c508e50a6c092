//! Why a request is refused, as WebDAV tells of it: with the status that RFC 4918 has for the method, and the
//! condition that did not hold (section 16).

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use spaces::NodePath;

use super::place::Spot;
use super::xml::{XmlError, text_element};
use crate::error::Error;

/// Basic is what every client can show.
const CHALLENGE: HeaderValue = HeaderValue::from_static("Basic realm=\"Internet Disk\", charset=\"UTF-8\"");
pub(super) const XML: HeaderValue = HeaderValue::from_static("application/xml; charset=utf-8");

/// Why a request is refused.
#[derive(Debug)]
pub(crate) enum Refused {
    /// As the rest of the pod says it.
    Plain(Error),
    /// A status, and in words what is wrong.
    Status(StatusCode, &'static str),
    /// A status and the element that names the condition, with the URLs that it is about.
    Condition(StatusCode, &'static str, Vec<String>),
    /// The request itself is fine; something below it stands in the way, for which this is the status.
    Below {
        /// The URL of that.
        url: String,
        /// Its status.
        status: StatusCode,
        /// The condition.
        element: &'static str,
    },
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Plain(error)
    }
}

impl From<spaces::Error> for Refused {
    fn from(error: spaces::Error) -> Self {
        Self::Plain(Error::Engine(error))
    }
}

impl From<XmlError> for Refused {
    fn from(error: XmlError) -> Self {
        Self::Plain(Error::BadRequest(error.to_string()))
    }
}

impl Refused {
    /// What the engine says of a change of something, or of what shall get a name: `missing` is the status for a
    /// directory that is not there.
    pub(crate) fn change(error: spaces::Error, spot: &Spot, missing: StatusCode) -> Self {
        use spaces::Error as Said;
        match error {
            Said::NotFound => Self::Status(missing, "there is nothing at this path"),
            Said::NotADirectory if missing == StatusCode::CONFLICT => {
                Self::Status(missing, "a part of this path is a file, not a directory")
            }
            Said::NotADirectory => Self::Plain(Error::NotFound),
            Said::Root => Self::Status(StatusCode::FORBIDDEN, "a whole disk can not be changed so"),
            Said::IntoItself => Self::Status(StatusCode::FORBIDDEN, "a directory can not be put into itself"),
            Said::Locked { root } => Self::locked(spot, &root, "lock-token-submitted"),
            Said::LockConflict { root } => Self::locked(spot, &root, "no-conflicting-lock"),
            Said::TooMuch { .. } => {
                Self::Status(StatusCode::INSUFFICIENT_STORAGE, "there is no room for more of that here")
            }
            error => Self::from(error),
        }
    }

    /// A lock stands in the way: of what the request names, or of something in it.
    fn locked(spot: &Spot, root: &NodePath, element: &'static str) -> Self {
        let url = spot.url(root, false);
        if *root != spot.path && root.starts_with(&spot.path) {
            return Self::Below { url, status: StatusCode::LOCKED, element };
        }
        Self::Condition(StatusCode::LOCKED, element, vec![url])
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Plain(error) => {
                let mut response = error.into_response();
                if response.status() == StatusCode::UNAUTHORIZED {
                    response.headers_mut().insert(header::WWW_AUTHENTICATE, CHALLENGE);
                }
                response
            }
            Self::Status(status, words) => {
                let text = HeaderValue::from_static("text/plain; charset=utf-8");
                (status, [(header::CONTENT_TYPE, text)], words).into_response()
            }
            Self::Condition(status, element, urls) => {
                let mut body = declaration();
                body.push_str("<D:error xmlns:D=\"DAV:\">");
                condition(&mut body, element, &urls);
                body.push_str("</D:error>");
                (status, [(header::CONTENT_TYPE, XML)], body).into_response()
            }
            Self::Below { url, status, element } => {
                let mut body = declaration();
                body.push_str("<D:multistatus xmlns:D=\"DAV:\"><D:response>");
                text_element(&mut body, "href", &url);
                text_element(&mut body, "status", &line(status));
                body.push_str("<D:error>");
                condition(&mut body, element, &[]);
                body.push_str("</D:error></D:response></D:multistatus>");
                (StatusCode::MULTI_STATUS, [(header::CONTENT_TYPE, XML)], body).into_response()
            }
        }
    }
}

pub(super) fn declaration() -> String {
    "<?xml version=\"1.0\" encoding=\"utf-8\"?>".to_owned()
}

/// A status as it stands in an answer about several things.
pub(super) fn line(status: StatusCode) -> String {
    format!("HTTP/1.1 {} {}", status.as_u16(), status.canonical_reason().unwrap_or_default())
}

fn condition(body: &mut String, element: &str, urls: &[String]) {
    use std::fmt::Write;
    if urls.is_empty() {
        let _ = write!(body, "<D:{element}/>");
        return;
    }
    let _ = write!(body, "<D:{element}>");
    for url in urls {
        text_element(body, "href", url);
    }
    let _ = write!(body, "</D:{element}>");
}
