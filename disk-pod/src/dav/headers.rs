//! The headers that WebDAV has of its own (RFC 4918, section 10), but for `If`.

use std::time::Duration;

use http::request::Parts;
use http::{HeaderMap, StatusCode, Uri, header};

use super::place::Place;
use super::refusal::Refused;
use crate::app::App;
use crate::error::Error;

/// How long a lock lives for which no time is asked.
const USUAL_LOCK: Duration = Duration::from_secs(30 * 60);
/// The longest that is granted. Whoever still works refreshes it long before.
pub(super) const LONGEST_LOCK: Duration = Duration::from_secs(60 * 60);

/// How far a request reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// The resource alone.
    Zero,
    /// That and what is directly in it.
    One,
    /// That and all in it.
    Infinity,
}

impl Depth {
    /// What a request says; without a word it is infinity.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Error> {
        match headers.get("depth").map(|value| value.as_bytes().trim_ascii().to_ascii_lowercase()).as_deref()
        {
            Some(b"0") => Ok(Self::Zero),
            Some(b"1") => Ok(Self::One),
            Some(b"infinity") | None => Ok(Self::Infinity),
            Some(_) => Err(Error::BadRequest("Depth must be 0, 1 or infinity".to_owned())),
        }
    }
}

/// Whether something at the destination may be replaced; it may unless the request says otherwise.
pub(crate) fn overwrite(headers: &HeaderMap) -> Result<bool, Error> {
    match headers.get("overwrite").map(|value| value.as_bytes().trim_ascii()) {
        Some(b"T" | b"t") | None => Ok(true),
        Some(b"F" | b"f") => Ok(false),
        Some(_) => Err(Error::BadRequest("Overwrite must be T or F".to_owned())),
    }
}

/// How long a lock is asked for, as far as it is granted: the first time in the list that is understood.
pub(crate) fn timeout(headers: &HeaderMap) -> Duration {
    let asked = headers.get("timeout").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let time = |text: &str| {
        let text = text.trim();
        if text.eq_ignore_ascii_case("infinite") {
            return Some(LONGEST_LOCK);
        }
        let number =
            text.get(..7).filter(|word| word.eq_ignore_ascii_case("second-")).and_then(|_| text.get(7..))?;
        let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        // More digits than a number has is longer than any that is granted.
        digits.then(|| number.parse().map_or(LONGEST_LOCK, Duration::from_secs).min(LONGEST_LOCK))
    };
    let granted = asked.split(',').find_map(time).unwrap_or(USUAL_LOCK);
    granted.max(Duration::from_secs(1))
}

/// The place that `Destination` names.
///
/// # Errors
/// 400 when there is none, 502 when it is not on this host or not under a name that leads to files.
pub(crate) fn destination(app: &App, head: &Parts) -> Result<Place, Refused> {
    let wrong = || Error::BadRequest("Destination must be a URL or an absolute path".to_owned());
    let text = head.headers.get("destination").ok_or_else(wrong)?.to_str().map_err(|_| wrong())?.trim();
    if text.contains(['#', '?']) {
        return Err(wrong().into());
    }
    place(app, head, text)?.ok_or(Refused::Status(
        StatusCode::BAD_GATEWAY,
        "the destination is on another host, or not under /dav/: copy it there yourself",
    ))
}

/// The place that a URL or an absolute path in a header names; `None` when it is elsewhere.
pub(crate) fn place(app: &App, head: &Parts, text: &str) -> Result<Option<Place>, Error> {
    let wrong = || Error::BadRequest(format!("{text} is neither a URL nor an absolute path"));
    if !text.starts_with('/') && !text.contains("://") {
        return Err(wrong());
    }
    let uri: Uri = text.parse().map_err(|_| wrong())?;
    if let Some(host) = uri.authority() {
        let names = names_of_this_host(app, head);
        if !names.iter().any(|name| same_host(name, host.as_str())) {
            return Ok(None);
        }
    }
    match Place::of(uri.path())? {
        Place::Nowhere => Ok(None),
        place => Ok(Some(place)),
    }
}

/// As whom the client can have asked: a proxy before this server may have said it, or the settings.
fn names_of_this_host(app: &App, head: &Parts) -> Vec<String> {
    let mut names = Vec::new();
    let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    names.extend(text("host").map(str::to_owned));
    names.extend(head.uri.authority().map(|host| host.as_str().to_owned()));
    names.extend(
        text("x-forwarded-host")
            .into_iter()
            .flat_map(|hosts| hosts.split(','))
            .map(|host| host.trim().to_owned()),
    );
    let forwarded = text("forwarded").into_iter().flat_map(|value| value.split([',', ';']));
    names.extend(forwarded.filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("host").then(|| value.trim().trim_matches('"').to_owned())
    }));
    let settings = app.roster.current();
    let configured = settings.settings().dav_url.as_deref().and_then(|url| url.parse::<Uri>().ok());
    names.extend(configured.and_then(|url| url.authority().map(|host| host.as_str().to_owned())));
    names
}

/// Whether two names are of one host. Proxies leave ports out, so a port counts only when both have one.
fn same_host(one: &str, other: &str) -> bool {
    let ((one, port), (other, other_port)) = (host_and_port(one), host_and_port(other));
    let ports = port.zip(other_port).is_none_or(|(one, other)| one == other);
    ports && one.eq_ignore_ascii_case(other)
}

fn host_and_port(text: &str) -> (&str, Option<&str>) {
    let text = text.rsplit_once('@').map_or(text, |(_, host)| host);
    match text.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !port.is_empty() => {
            // What every client leaves out says nothing.
            (host, Some(port).filter(|port| !matches!(*port, "80" | "443")))
        }
        _ => (text, None),
    }
}

/// Whether a request has this header, apart from its case as many clients write it.
pub(crate) fn says(headers: &HeaderMap, name: &'static str, word: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split([',', ';'])).any(|part| part.trim().eq_ignore_ascii_case(word))
}

/// A body must not be there.
///
/// # Errors
/// 415: nothing is known that it could mean (RFC 4918, section 9.3).
pub(crate) fn no_body(headers: &HeaderMap) -> Result<(), Refused> {
    let announced = crate::http::body::announced(headers);
    let chunked = headers.contains_key(header::TRANSFER_ENCODING);
    if announced.is_some_and(|length| length > 0) || chunked {
        return Err(Refused::Status(StatusCode::UNSUPPORTED_MEDIA_TYPE, "this method takes no body"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        headers
    }

    #[test]
    fn depths_and_overwrites() {
        for (text, depth) in [("0", Depth::Zero), ("1", Depth::One), ("Infinity", Depth::Infinity)] {
            assert_eq!(Depth::of(&headers("depth", text)).unwrap(), depth);
        }
        assert_eq!(Depth::of(&HeaderMap::new()).unwrap(), Depth::Infinity);
        assert!(Depth::of(&headers("depth", "2")).is_err());
        assert!(overwrite(&HeaderMap::new()).unwrap() && overwrite(&headers("overwrite", "T")).unwrap());
        assert!(!overwrite(&headers("overwrite", "F")).unwrap());
        assert!(overwrite(&headers("overwrite", "no")).is_err());
    }

    #[test]
    fn timeouts() {
        for (text, seconds) in [
            ("Second-600", 600),
            ("Infinite, Second-4100000000", 3600),
            ("Second-4100000000", 3600),
            ("Second-99999999999999999999999", 3600),
            ("Extend, Second-60", 60),
            ("Second-0", 1),
            ("Second-", 1800),
            ("Second--1", 1800),
            ("nonsense", 1800),
        ] {
            assert_eq!(timeout(&headers("timeout", text)).as_secs(), seconds, "{text}");
        }
        assert_eq!(timeout(&HeaderMap::new()).as_secs(), 1800);
    }

    #[test]
    fn hosts() {
        for (one, other, same) in [
            ("disk.example.org", "Disk.example.ORG", true),
            ("disk.example.org", "disk.example.org:443", true),
            ("disk.example.org", "disk.example.org:8443", true),
            ("disk.example.org:8080", "disk.example.org:9090", false),
            ("disk.example.org", "user@disk.example.org", true),
            ("[::1]:8080", "[::1]:8080", true),
            ("[::1]", "[::1]", true),
            ("[::1]", "[::2]", false),
            ("disk.example.org", "other.example.org", false),
        ] {
            assert_eq!(same_host(one, other), same, "{one} {other}");
        }
    }
}
