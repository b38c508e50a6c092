//! Which pages may talk to this server: the web UI of this cluster, and no other.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use crate::app::App;

const METHODS: &str = "GET, HEAD, PUT, POST, PATCH, DELETE, OPTIONS";
const REQUEST_HEADERS: &str = "Authorization, Content-Type, If-Match, If-None-Match, If-Modified-Since, \
     If-Unmodified-Since, If-Range, Range, Operation-Id, X-Generation, X-Request-Id, Content-Digest, Repr-Digest, \
     Tus-Resumable, Upload-Length, Upload-Offset, Upload-Metadata, Upload-Checksum";
const ANSWER_HEADERS: &str = "ETag, X-Generation, X-Request-Id, Location, Content-Range, Content-Disposition, \
     Accept-Ranges, Retry-After, Tus-Resumable, Tus-Version, Tus-Extension, Tus-Max-Size, \
     Tus-Checksum-Algorithm, Upload-Offset, Upload-Length, Upload-Expires";
/// The longest that Chromium keeps a preflight's answer, in seconds.
const PREFLIGHT_KEPT: &str = "7200";

/// Answers preflights, and lets the page of `settings.web_url` read the answers.
pub(crate) async fn cors(State(app): State<App>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let web = app.web_origin();
    let allowed =
        origin.filter(|origin| web.as_deref().is_some_and(|web| web.as_bytes() == origin.as_bytes()));
    let preflight = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response =
        if preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    // Said even when nothing is allowed, so that no cache gives one page the answer meant for another.
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = allowed {
        allow(response.headers_mut(), origin, preflight);
    }
    response
}

fn allow(headers: &mut HeaderMap, origin: HeaderValue, preflight: bool) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    if preflight {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(REQUEST_HEADERS));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(PREFLIGHT_KEPT));
    } else {
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(ANSWER_HEADERS));
    }
}

/// The origin of a URL, as browsers write it: scheme and host in lower case, without a default port.
pub(crate) fn origin_of(url: &str) -> Option<String> {
    let uri: http::Uri = url.parse().ok()?;
    let scheme = uri.scheme_str()?.to_ascii_lowercase();
    let host = uri.host()?.to_ascii_lowercase();
    let port = match (scheme.as_str(), uri.port_u16()) {
        (_, None) | ("http", Some(80)) | ("https", Some(443)) => String::new(),
        (_, Some(port)) => format!(":{port}"),
    };
    Some(format!("{scheme}://{host}{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_as_browsers_write_them() {
        for (url, origin) in [
            ("http://disk.localhost:8080", Some("http://disk.localhost:8080")),
            ("https://Disk.Example.ORG/", Some("https://disk.example.org")),
            ("https://disk.example.org:443/ui", Some("https://disk.example.org")),
            ("http://disk.example.org:443", Some("http://disk.example.org:443")),
            ("http://[::1]:8080", Some("http://[::1]:8080")),
            ("/nowhere", None),
            ("", None),
        ] {
            assert_eq!(origin_of(url).as_deref(), origin, "{url}");
        }
    }
}
