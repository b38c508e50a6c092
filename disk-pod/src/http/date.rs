//! Times as HTTP writes them (RFC 9110, section 5.6.7).

use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::tz::TimeZone;

const FORM: &str = "%a, %d %b %Y %H:%M:%S GMT";

/// By the number of days since 1970-01-01, a Thursday.
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The parts of a time in UTC. Answers with thousands of times are made of them, so this is arithmetic alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    days: i64,
    second: u32,
    year: u32,
    /// From 0.
    month: u32,
    day: u32,
}

impl Moment {
    /// A time from milliseconds since 1970; none outside of the years 0 to 9999, which have no form in HTTP.
    pub(crate) fn from_millis(millis: i64) -> Option<Self> {
        const DAY: i64 = 24 * 60 * 60;
        let seconds = millis.div_euclid(1000);
        let (days, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
        // Days are counted from 0000-03-01, so that a leap day ends a year and 400 years are one cycle.
        let since = days + 719_468;
        let (cycle, day) = (since.div_euclid(146_097), since.rem_euclid(146_097));
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        // Months from March on have 153 days in each five.
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (month, next) = if month < 10 { (month + 2, 0) } else { (month - 10, 1) };
        let year = u32::try_from(year + cycle * 400 + next).ok().filter(|year| *year <= 9999)?;
        let small = |number: i64| u32::try_from(number).unwrap_or_default();
        Some(Self { days, second: small(second), year, month: small(month), day: small(day) })
    }

    /// Appends it as HTTP writes it.
    pub(crate) fn push_http(self, out: &mut String) {
        let weekday = usize::try_from(self.days.rem_euclid(7)).unwrap_or_default();
        out.push_str(WEEKDAYS.get(weekday).unwrap_or(&WEEKDAYS[0]));
        out.push_str(", ");
        push_two(out, self.day);
        out.push(' ');
        out.push_str(MONTHS.get(self.month as usize).unwrap_or(&MONTHS[0]));
        out.push(' ');
        self.push_year(out);
        out.push(' ');
        self.push_clock(out);
        out.push_str(" GMT");
    }

    /// Appends it as RFC 3339 has it, in whole seconds.
    pub(crate) fn push_rfc3339(self, out: &mut String) {
        self.push_year(out);
        out.push('-');
        push_two(out, self.month + 1);
        out.push('-');
        push_two(out, self.day);
        out.push('T');
        self.push_clock(out);
        out.push('Z');
    }

    fn push_year(self, out: &mut String) {
        push_two(out, self.year / 100);
        push_two(out, self.year % 100);
    }

    fn push_clock(self, out: &mut String) {
        push_two(out, self.second / 3600);
        out.push(':');
        push_two(out, self.second / 60 % 60);
        out.push(':');
        push_two(out, self.second % 60);
    }
}

/// Two digits.
fn push_two(out: &mut String, number: u32) {
    let digit = |number: u32| char::from_digit(number % 10, 10).unwrap_or('0');
    out.push(digit(number / 10));
    out.push(digit(number));
}

/// A time from milliseconds since 1970.
pub(crate) fn http_date(millis: i64) -> Option<HeaderValue> {
    let mut text = String::with_capacity(32);
    Moment::from_millis(millis)?.push_http(&mut text);
    HeaderValue::try_from(text).ok()
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
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn arithmetic_finds_what_the_calendar_says(millis in -62_167_219_200_000_i64..253_402_207_200_000) {
            let time = Timestamp::from_millisecond(millis).unwrap();
            let moment = Moment::from_millis(millis).unwrap();
            let (mut http, mut rfc3339) = (String::new(), String::new());
            moment.push_http(&mut http);
            moment.push_rfc3339(&mut rfc3339);
            prop_assert_eq!(http, time.strftime(FORM).to_string());
            prop_assert_eq!(rfc3339, time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        }
    }

    #[test]
    fn what_has_no_form_is_no_date() {
        for millis in [i64::MIN, -62_167_219_200_001, 253_402_300_800_000, i64::MAX] {
            assert_eq!(Moment::from_millis(millis), None, "{millis}");
        }
        for (millis, text) in [
            (951_782_399_000, "Mon, 28 Feb 2000 23:59:59 GMT"),
            (951_782_400_000, "Tue, 29 Feb 2000 00:00:00 GMT"),
        ] {
            assert_eq!(http_date(millis).unwrap(), text);
        }
    }

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
