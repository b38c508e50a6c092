//! The `If` header (RFC 4918, section 10.4): what must hold, and which locks the client holds.

use std::collections::BTreeMap;

use http::{HeaderMap, StatusCode};
use spaces::LockToken;

use super::refusal::Refused;
use crate::error::Error;

/// The longest header that is read, in bytes, and the most that is asked in it.
const LONGEST: usize = 16 * 1024;
const MOST: usize = 256;

/// An `If` header: true when one of its lists is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct If {
    lists: Vec<List>,
}

/// Conditions that must all hold of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
struct List {
    /// The URL that the client names; otherwise it is the one of the request.
    resource: Option<String>,
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Condition {
    not: bool,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    /// A lock token or another URI that names a state.
    State(String),
    /// An entity tag, as written.
    Tag(String),
}

/// What is known of a resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// Its tag, when something is there.
    pub(crate) tag: Option<String>,
    /// The locks that protect it, or would protect what gets this name.
    pub(crate) locks: Vec<LockToken>,
}

impl If {
    /// The header of a request; without one everything holds.
    ///
    /// # Errors
    /// 400 when it is none, 431 when it is longer than is read.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Refused> {
        let mut lists = Vec::new();
        let lines = headers.get_all("if");
        if lines.iter().map(|line| line.len()).sum::<usize>() > LONGEST {
            return Err(too_long());
        }
        for line in lines {
            let text = line.to_str().map_err(|_| wrong())?;
            lists.extend(parsed(text).ok_or_else(wrong)?);
        }
        if lists.iter().map(|list: &List| list.conditions.len()).sum::<usize>() > MOST {
            return Err(too_long());
        }
        Ok(Self { lists })
    }

    /// Whether the request has none.
    pub(crate) fn is_absent(&self) -> bool {
        self.lists.is_empty()
    }

    /// The other resources that it is about, as written.
    pub(crate) fn resources(&self) -> impl Iterator<Item = &str> {
        self.lists.iter().filter_map(|list| list.resource.as_deref())
    }

    /// All lock tokens in it. Whoever names one says to hold it, whatever the condition around it says.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = LockToken> + '_ {
        self.lists.iter().flat_map(|list| &list.conditions).filter_map(|condition| match &condition.what {
            What::State(uri) => token(uri),
            What::Tag(_) => None,
        })
    }

    /// Whether it speaks of the tag of the resource of the request: then the change must be made to that one.
    pub(crate) fn binds_the_tag(&self) -> bool {
        let own = self.lists.iter().filter(|list| list.resource.is_none());
        own.flat_map(|list| &list.conditions).any(|condition| matches!(condition.what, What::Tag(_)))
    }

    /// Whether it holds, by what is known of the resource of the request and of those that it names.
    pub(crate) fn holds(&self, own: &Known, others: &BTreeMap<String, Known>) -> bool {
        let unknown = Known::default();
        let list = |list: &List| {
            let known = match &list.resource {
                None => own,
                Some(resource) => others.get(resource).unwrap_or(&unknown),
            };
            list.conditions.iter().all(|Condition { not, what }| {
                let holds = match what {
                    What::State(uri) => token(uri).is_some_and(|token| known.locks.contains(&token)),
                    What::Tag(tag) => known.tag.as_ref() == Some(tag),
                };
                holds != *not
            })
        };
        self.lists.is_empty() || self.lists.iter().any(list)
    }
}

/// The lock that a URI names; nothing for those that were not made here.
pub(crate) fn token(uri: &str) -> Option<LockToken> {
    uri.strip_prefix("urn:uuid:").and_then(|uuid| uuid.parse().ok())
}

fn wrong() -> Refused {
    Error::BadRequest("the If header must be lists of conditions in brackets".to_owned()).into()
}

fn too_long() -> Refused {
    Refused::Status(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "the If header is too long")
}

/// Reads one line; nothing when it is not as the RFC has it. Lists with and without a resource do not mix.
fn parsed(text: &str) -> Option<Vec<List>> {
    let mut lists = Vec::new();
    let mut rest = text.trim();
    let mut resource: Option<String> = None;
    let tagged = rest.starts_with('<');
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('<') {
            if !tagged {
                return None;
            }
            let (uri, after) = after.split_once('>')?;
            resource = Some(uri.to_owned());
            rest = after.trim_start();
            // A resource is followed by one list at least.
            if !rest.starts_with('(') {
                return None;
            }
        }
        let (conditions, after) = list(rest.strip_prefix('(')?)?;
        lists.push(List { resource: resource.clone(), conditions });
        rest = after.trim_start();
    }
    (!lists.is_empty()).then_some(lists)
}

/// The conditions up to the bracket that ends their list, and what is behind it.
fn list(text: &str) -> Option<(Vec<Condition>, &str)> {
    let mut conditions = Vec::new();
    let mut rest = text.trim_start();
    loop {
        if let Some(after) = rest.strip_prefix(')') {
            return (!conditions.is_empty()).then_some((conditions, after));
        }
        let negated =
            rest.get(..3).filter(|word| word.eq_ignore_ascii_case("not")).and_then(|_| rest.get(3..));
        let not = negated.is_some();
        rest = negated.unwrap_or(rest).trim_start();
        let (what, after) = if let Some(after) = rest.strip_prefix('<') {
            let (uri, after) = after.split_once('>')?;
            (What::State(uri.to_owned()), after)
        } else {
            let after = rest.strip_prefix('[')?;
            // A tag can have a bracket in it: it ends where its quotes do.
            let opened = after.strip_prefix("W/").unwrap_or(after).strip_prefix('"')?;
            let (_, behind) = opened.split_once('"')?;
            let tag = after.get(..after.len() - behind.len())?;
            (What::Tag(tag.to_owned()), behind.strip_prefix(']')?)
        };
        conditions.push(Condition { not, what });
        rest = after.trim_start();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ONE: &str = "urn:uuid:181d4fae-7d8c-11d0-a765-00a0c91e6bf2";
    const OTHER: &str = "urn:uuid:e454f3f3-acdc-452a-56c7-00a5c91e4b77";

    fn header(text: &str) -> Result<If, u16> {
        let mut headers = HeaderMap::new();
        headers.insert("if", text.parse().unwrap());
        If::of(&headers).map_err(|refused| match refused {
            Refused::Status(status, _) => status.as_u16(),
            _ => 400,
        })
    }

    fn known(tag: Option<&str>, locks: &[&str]) -> Known {
        let locks = locks.iter().map(|uri| token(uri).unwrap()).collect();
        Known { tag: tag.map(str::to_owned), locks }
    }

    #[test]
    fn lists_and_what_they_say() {
        let own = known(Some("\"a]b\""), &[ONE]);
        let others = BTreeMap::from([("/other".to_owned(), known(None, &[OTHER]))]);
        for (text, holds) in [
            (format!("(<{ONE}>)"), true),
            (format!("(<{OTHER}>)"), false),
            (format!("(Not <{ONE}>)"), false),
            (format!("(NOT<{OTHER}>)"), true),
            ("([\"a]b\"])".to_owned(), true),
            ("([W/\"a]b\"])".to_owned(), false),
            ("(Not [\"c\"])".to_owned(), true),
            (format!("(<{ONE}> [\"a]b\"])"), true),
            (format!("(<{ONE}> [\"c\"])"), false),
            (format!("(<{OTHER}>) ([\"a]b\"])"), true),
            (format!("(<{OTHER}>)([\"c\"])"), false),
            ("(<DAV:no-lock>)".to_owned(), false),
            ("(Not <DAV:no-lock>)".to_owned(), true),
            (format!("</other> (<{OTHER}>)"), true),
            (format!("</other> (<{ONE}>)"), false),
            (format!("</other> (<{ONE}>) (<{OTHER}>)"), true),
            (format!("</nothing> (<{ONE}>) </other> (<{OTHER}>)"), true),
            ("</nothing> (Not [\"c\"])".to_owned(), true),
        ] {
            assert_eq!(header(&text).unwrap().holds(&own, &others), holds, "{text}");
        }
        assert!(If::of(&HeaderMap::new()).unwrap().holds(&own, &others));
    }

    #[test]
    fn every_token_is_one_that_the_client_holds() {
        let read = header(&format!("(Not <{ONE}>) (<{OTHER}> [\"a\"]) (<DAV:no-lock>)")).unwrap();
        assert_eq!(read.tokens().collect::<Vec<_>>(), [token(ONE).unwrap(), token(OTHER).unwrap()]);
        assert!(read.binds_the_tag());
        assert!(!header("</other> ([\"a\"])").unwrap().binds_the_tag());
    }

    #[test]
    fn what_is_none() {
        for text in [
            "",
            "()",
            "(",
            ")",
            "(<a>",
            "<a>",
            "<a> <b> (<c>)",
            "(<a>) <b> (<c>)",
            "([a])",
            "([\"a\")",
            "(Not)",
            "(Not Not <a>)",
            "(<a>) x",
            "x (<a>)",
            "(\"a\")",
            "([\"a\"",
        ] {
            assert_eq!(header(text), Err(400), "{text}");
        }
        assert_eq!(header(&format!("(<{}>)", "a".repeat(64 * 1024))), Err(431));
        assert_eq!(header(&"(<a>)".repeat(MOST + 1)), Err(431));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "[(<>)\\[\\]\"Not aW/é-]{0,40}") {
            let _ = parsed(&text);
        }
    }
}
