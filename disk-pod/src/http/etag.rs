//! Entity tags and the conditions made of them (RFC 9110, sections 8.8.3 and 13.1).

use http::{HeaderMap, HeaderName, header};

use super::date::date_of;
use crate::error::Error;

/// The value of `If-Match` or `If-None-Match`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tags {
    /// `*`: whatever there is.
    Any,
    /// A list, each as written: quoted, perhaps with `W/` before.
    Listed(Vec<String>),
}

/// A header that should hold entity tags and does not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the header {0} must be * or a list of quoted entity tags")]
pub struct TagsError(pub HeaderName);

impl Tags {
    /// Reads a header that may be there, all its lines as one list.
    ///
    /// # Errors
    /// When it is neither `*` nor a list of tags.
    pub fn of(headers: &HeaderMap, name: HeaderName) -> Result<Option<Self>, TagsError> {
        let mut listed = Vec::new();
        let mut any = false;
        for value in headers.get_all(&name) {
            let text = value.to_str().map_err(|_| TagsError(name.clone()))?;
            if text.trim() == "*" {
                any = true;
            } else {
                listed.extend(list(text).ok_or_else(|| TagsError(name.clone()))?);
            }
        }
        match (any, listed.is_empty()) {
            (false, true) => Ok(None),
            (true, true) => Ok(Some(Self::Any)),
            (false, false) => Ok(Some(Self::Listed(listed))),
            (true, false) => Err(TagsError(name)),
        }
    }

    /// Strong comparison: for what may be changed or continued only if it is byte for byte the same.
    pub fn match_strongly(&self, current: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(tags) => tags.iter().any(|tag| tag == current),
        }
    }

    /// Weak comparison: for what need not be sent again.
    pub fn match_weakly(&self, current: &str) -> bool {
        let opaque = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
        match self {
            Self::Any => true,
            Self::Listed(tags) => tags.iter().any(|tag| opaque(tag) == opaque(current)),
        }
    }
}

/// Whether the one who asks for a file has it already: what is answered with 304. In the order of section 13.2.2: tags
/// count before dates, for those are coarse.
///
/// # Errors
/// When a condition does not hold, or is none.
pub(crate) fn is_known(headers: &HeaderMap, etag: &str, modified: i64) -> Result<bool, Error> {
    let another = Err(Error::Precondition("the file is another version than the one you asked for"));
    let modified = modified.div_euclid(1000);
    match Tags::of(headers, header::IF_MATCH)? {
        Some(tags) if !tags.match_strongly(etag) => return another,
        Some(_) => {}
        None if date_of(headers, &header::IF_UNMODIFIED_SINCE).is_some_and(|date| modified > date) => {
            return another;
        }
        None => {}
    }
    Ok(match Tags::of(headers, header::IF_NONE_MATCH)? {
        Some(tags) => tags.match_weakly(etag),
        None => date_of(headers, &header::IF_MODIFIED_SINCE).is_some_and(|date| modified <= date),
    })
}

/// Whether a `Range` still applies: there is no `If-Range`, or it holds the current tag. A date never does:
/// seconds are too coarse to say that bytes are the same.
pub fn range_applies(headers: &HeaderMap, current: &str) -> bool {
    headers.get(header::IF_RANGE).is_none_or(|value| value.as_bytes() == current.as_bytes())
}

fn list(text: &str) -> Option<Vec<String>> {
    let mut tags = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let weak = rest.strip_prefix("W/");
        let opened = weak.unwrap_or(rest).strip_prefix('"')?;
        let end = opened.find('"')?;
        let prefix = if weak.is_some() { "W/" } else { "" };
        tags.push(format!("{prefix}\"{}\"", &opened[..end]));
        rest = opened[end + 1..].trim_start();
        match rest.strip_prefix(',') {
            Some(after) => rest = after.trim_start(),
            None if rest.is_empty() => {}
            None => return None,
        }
    }
    (!tags.is_empty()).then_some(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(text: &str) -> Result<Option<Tags>, TagsError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_MATCH, text.parse().unwrap());
        Tags::of(&headers, header::IF_MATCH)
    }

    #[test]
    fn lists() {
        let listed = |tags: &[&str]| Ok(Some(Tags::Listed(tags.iter().map(ToString::to_string).collect())));
        assert_eq!(tags("*"), Ok(Some(Tags::Any)));
        assert_eq!(tags("\"a\""), listed(&["\"a\""]));
        assert_eq!(tags("\"a\", W/\"b,c\" ,\"\""), listed(&["\"a\"", "W/\"b,c\"", "\"\""]));
        for wrong in ["a", "\"a", "\"a\" \"b\"", "W/a", ","] {
            assert!(tags(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Tags::of(&HeaderMap::new(), header::IF_MATCH), Ok(None));
    }

    #[test]
    fn weak_tags_match_weakly_only() {
        let weak = Tags::Listed(vec!["W/\"a\"".into()]);
        assert!(weak.match_weakly("\"a\""));
        assert!(!weak.match_strongly("\"a\""));
        assert!(Tags::Any.match_strongly("\"a\""));
    }

    #[test]
    fn a_range_applies_to_the_same_bytes_only() {
        let mut headers = HeaderMap::new();
        assert!(range_applies(&headers, "\"a\""));
        for (value, applies) in
            [("\"a\"", true), ("\"b\"", false), ("W/\"a\"", false), ("Tue, 24 Nov 2026 02:15:14 GMT", false)]
        {
            headers.insert(header::IF_RANGE, value.parse().unwrap());
            assert_eq!(range_applies(&headers, "\"a\""), applies, "{value}");
        }
    }
}
