//! The headers around a member's file. A file is somebody's content on our origin: it must never run there.

use http::header::{self, HeaderMap};
use http::{HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What RFC 8187 lets stand in an extended header value, beside letters and digits.
const EXTENDED_VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// Even when shown inline, a file is an island: no script, no form, no request, no frame around it.
const SANDBOX: &str =
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'";

/// A ticket may be in the URL, and rights may be withdrawn: shared caches keep nothing, and the browser's asks each time.
pub(crate) const CACHED: HeaderValue = HeaderValue::from_static("private, no-cache");

/// Adds the headers that every answer with a file's bytes has.
pub fn guard(headers: &mut HeaderMap, name: &str, inline: bool) {
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(name)));
    if let Ok(disposition) = HeaderValue::try_from(disposition(name, inline)) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, SANDBOX),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    headers.insert(header::CACHE_CONTROL, CACHED);
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

fn disposition(name: &str, inline: bool) -> String {
    let kind = if inline { "inline" } else { "attachment" };
    // Clients from before RFC 6266 read only the plain form; what could end the quotes is left out of it.
    let plain: String = name
        .chars()
        .map(|letter| {
            if letter.is_ascii_graphic() && !"\"\\%;".contains(letter) || letter == ' ' {
                letter
            } else {
                '_'
            }
        })
        .collect();
    format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{}", utf8_percent_encode(name, EXTENDED_VALUE))
}

/// What may be anything.
const BYTES: &str = "application/octet-stream";

/// The type by the ending of the name. Types that browsers run scripts of (HTML, SVG, XML) are text or bytes.
pub(crate) fn media_type(name: &str) -> &'static str {
    // The endings that count are short.
    let mut letters = [0; 4];
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.as_bytes()).unwrap_or_default();
    let Some(letters) = letters.get_mut(..ending.len()) else { return BYTES };
    letters.copy_from_slice(ending);
    letters.make_ascii_lowercase();
    // As bytes, of which the compiler makes a tree of decisions.
    match &*letters {
        b"txt" | b"md" | b"log" | b"csv" | b"json" | b"yaml" | b"yml" | b"toml" | b"rs" | b"go" | b"py"
        | b"c" | b"h" | b"sh" | b"ts" | b"js" | b"css" | b"html" | b"htm" | b"xml" => {
            "text/plain; charset=utf-8"
        }
        b"png" => "image/png",
        b"jpg" | b"jpeg" => "image/jpeg",
        b"gif" => "image/gif",
        b"webp" => "image/webp",
        b"avif" => "image/avif",
        b"pdf" => "application/pdf",
        b"mp3" => "audio/mpeg",
        b"ogg" | b"opus" => "audio/ogg",
        b"flac" => "audio/flac",
        b"wav" => "audio/wav",
        b"mp4" | b"m4v" => "video/mp4",
        b"webm" => "video/webm",
        b"mov" => "video/quicktime",
        b"zip" => "application/zip",
        b"gz" | b"tgz" => "application/gzip",
        _ => BYTES,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_stay_inside_their_quotes() {
        for (name, plain, extended) in [
            ("a.txt", "a.txt", "a.txt"),
            ("say \"hi\".txt", "say _hi_.txt", "say%20%22hi%22.txt"),
            ("new\nline", "new_line", "new%0Aline"),
            ("휴가.jpg", "__.jpg", "%ED%9C%B4%EA%B0%80.jpg"),
            ("a;b=c", "a_b=c", "a%3Bb%3Dc"),
        ] {
            let expected = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{extended}");
            assert_eq!(disposition(name, false), expected);
        }
        assert!(disposition("a", true).starts_with("inline; "));
    }

    #[test]
    fn nothing_is_served_as_a_document_that_runs() {
        for name in ["a.html", "a.HTM", "a.xml"] {
            assert_eq!(media_type(name), "text/plain; charset=utf-8");
        }
        for (name, kind) in
            [("a.JPEG", "image/jpeg"), ("a.tar.gz", "application/gzip"), (".c", "text/plain; charset=utf-8")]
        {
            assert_eq!(media_type(name), kind, "{name}");
        }
        for name in ["a.svg", "a.xhtml", "a.휴", "a.jpegs", "a", ".html.", "swf.swf"] {
            assert_eq!(media_type(name), "application/octet-stream", "{name}");
        }
    }

    #[test]
    fn every_guard_is_there() {
        let mut headers = HeaderMap::new();
        guard(&mut headers, "a.html", true);
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert!(headers["content-security-policy"].to_str().unwrap().starts_with("sandbox;"));
        assert_eq!(headers["referrer-policy"], "no-referrer");
        assert_eq!(headers["cache-control"], "private, no-cache");
    }
}
