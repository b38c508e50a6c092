//! Times as HTTP writes them (RFC 9110, section 5.6.7).

use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use jiff::tz::TimeZone;

const FORM: &str = "%a, %d %b %Y %H:%M:%S GMT";

/// A time from milliseconds since 1970.
pub(crate) fn http_date(millis: i64) -> Option<HeaderValue> {
    let time = Timestamp::from_millisecond(millis).ok()?;
    HeaderValue::try_from(time.strftime(FORM).to_string()).ok()
}

/// The time of a header, in whole seconds since 1970. What is no time is as if it was not there, as section 13.1.3 has
/// it; so are the two forms that nobody sends any more.
pub(crate) fn date_of(headers: &HeaderMap, name: &HeaderName) -> Option<i64> {
    let text = headers.get(name)?.to_str().ok()?;
    let time = jiff::civil::DateTime::strptime(FORM, text.trim()).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use http::header;

    use super::*;

    #[test]
    fn dates_are_as_in_the_rfc() {
        assert_eq!(http_date(784_111_777_000).unwrap(), "Sun, 06 Nov 1994 08:49:37 GMT");
        for (text, expected) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Mon, 06 Nov 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 08:49:37", None),
            ("Sun, 32 Nov 1994 08:49:37 GMT", None),
            ("yesterday", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_MODIFIED_SINCE, text.parse().unwrap());
            assert_eq!(date_of(&headers, &header::IF_MODIFIED_SINCE), expected, "{text}");
        }
    }
}
