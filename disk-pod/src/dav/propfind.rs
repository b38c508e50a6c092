//! `PROPFIND`: the properties of something, and of what is directly in it. However much that is, it is written piece by
//! piece from one snapshot.

use std::fmt::Write;
use std::time::Instant;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use spaces::{Name, Node, PropertyName, Snapshot, Usage};

use super::body;
use super::dead;
use super::headers::{Depth, says};
use super::live::{Live, Resource};
use super::place::{Disk, Hall, Place, Spot, push_escaped};
use super::refusal::{self, Refused};
use super::visit::Visit;
use super::xml::{self, Document, Token, XmlError, text_element};
use crate::app::App;
use crate::auth::{Identity, Need};
use crate::error::Error;
use crate::load::Work;

/// The longest body, in bytes, and the most properties asked for in it.
const LONGEST: usize = 64 * 1024;
const MOST: usize = 500;
/// So many entries are looked up at once, and what is told of one of them takes so many bytes, if nobody keeps
/// properties of his own.
const PAGE: usize = 200;
const USUAL: usize = 1000;

/// Which properties are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    /// All that are told to those who ask for all, and these.
    All(Vec<PropertyName>),
    /// The names of all.
    Names,
    /// These.
    Listed(Vec<PropertyName>),
}

/// What is asked of each resource.
#[derive(Debug)]
struct Question {
    wanted: Wanted,
    /// Which of the listed ones the server knows.
    known: Vec<Option<Live>>,
    /// Properties that are missing are not told of (RFC 8144, section 2.1).
    minimal: bool,
}

/// Answers with properties.
pub(super) async fn propfind(
    app: &App,
    head: &Parts,
    body: Body,
    identity: &Identity,
    place: Place,
) -> Result<Response, Refused> {
    let begun = Instant::now();
    let depth = Depth::of(&head.headers)?;
    let wanted = wanted(&body::read(body, LONGEST, app.silence).await?)?;
    let minimal = says(&head.headers, "prefer", "return=minimal") || says(&head.headers, "brief", "t");
    let question = Question::new(wanted, minimal);
    if let Place::Hall(hall) = place {
        return hall_answer(app, identity, hall, depth, &question);
    }
    let visit = Visit::begin(app, head, identity, place, Need::Read).await?;
    let node = visit.node()?;
    if depth == Depth::Infinity && node.is_directory() {
        return Err(endless());
    }
    let mut url = head.uri.path().trim_end_matches('/').to_owned();
    let Visit { snapshot, spot, .. } = visit;
    let mut first = beginning();
    if node.is_directory() {
        url.push('/');
    }
    // As it stands in the answer.
    let url = xml::escaped(&url);
    let name = spot.path.name().map(ToString::to_string).unwrap_or_default();
    question.write(
        &url,
        &Seen { snapshot: &snapshot, usage: snapshot.usage(), spot: &spot },
        &name,
        &node,
        &mut first,
    );
    app.load.took(Work::Metadata, begun.elapsed());
    let body = if depth == Depth::One && node.is_directory() {
        let listing = Listing { app: app.clone(), snapshot, spot, url, question, after: None, done: false };
        let rest = stream::try_unfold(listing, |listing| std::future::ready(listing.page()));
        Body::from_stream(futures::StreamExt::chain(stream::iter([Ok(Bytes::from(first))]), rest))
    } else {
        first.push_str(END);
        Body::from(first)
    };
    Ok(answer(body))
}

fn endless() -> Refused {
    Refused::Condition(StatusCode::FORBIDDEN, "propfind-finite-depth", Vec::new())
}

fn beginning() -> String {
    let mut text = refusal::declaration();
    text.push_str("<D:multistatus xmlns:D=\"DAV:\">");
    text
}

const END: &str = "</D:multistatus>";

fn answer(body: Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, refusal::XML),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
    ];
    (StatusCode::MULTI_STATUS, HeaderMap::from_iter(headers), body).into_response()
}

/// A directory above the disks: which disks this member has.
fn hall_answer(
    app: &App,
    identity: &Identity,
    hall: Hall,
    depth: Depth,
    question: &Question,
) -> Result<Response, Refused> {
    if depth == Depth::Infinity {
        return Err(endless());
    }
    let mut out = beginning();
    let mut urls = vec![hall.url().to_owned()];
    if depth == Depth::One {
        urls.extend(below(app, identity, hall));
    }
    for url in urls {
        question.answer(&xml::escaped(&url), &Resource::Hall, &[], &mut out);
    }
    out.push_str(END);
    Ok(answer(Body::from(out)))
}

fn below(app: &App, identity: &Identity, hall: Hall) -> Vec<String> {
    let roster = app.roster.current();
    let member = identity.member();
    let reaches = |space| identity.scope().is_none_or(|scope| scope.space == space);
    match hall {
        Hall::Host => vec![Hall::Disks.url().to_owned()],
        Hall::Disks => {
            let own = roster.member_by_uid(member).filter(|member| reaches(member.space));
            let own = own.map(|_| format!("{}/", Disk::Home.url()));
            own.into_iter().chain([Hall::Groups.url().to_owned()]).collect()
        }
        Hall::Groups => {
            let groups = roster.groups_of(member).filter(|group| reaches(group.space));
            let mut names: Vec<_> = groups.map(|group| group.name.as_str().to_owned()).collect();
            names.sort_unstable();
            names.into_iter().map(|name| format!("{}/", Disk::Group(name).url())).collect()
        }
    }
}

/// The entries of a directory on their way to the client.
struct Listing {
    app: App,
    snapshot: Snapshot,
    spot: Spot,
    /// As the client wrote it, so that it finds it again, with a slash at its end; escaped for the answer.
    url: String,
    question: Question,
    after: Option<Name>,
    done: bool,
}

impl Listing {
    fn page(mut self) -> Result<Option<(Bytes, Self)>, Error> {
        if self.done {
            return Ok(None);
        }
        self.spot.grant.still_holds(&self.app)?;
        let entries = self.snapshot.list(&self.spot.path, self.after.as_ref(), PAGE);
        let mut out = String::with_capacity(entries.len() * USUAL + END.len());
        let seen = Seen { snapshot: &self.snapshot, usage: self.snapshot.usage(), spot: &self.spot };
        let mut url = self.url.clone();
        for (name, node) in &entries {
            url.truncate(self.url.len());
            push_escaped(&mut url, name.as_str());
            if node.is_directory() {
                url.push('/');
            }
            self.question.write(&url, &seen, name.as_str(), node, &mut out);
        }
        self.after = entries.last().map(|(name, _)| name.clone());
        if entries.len() < PAGE {
            self.done = true;
            out.push_str(END);
        }
        Ok(Some((Bytes::from(out), self)))
    }
}

/// Where the resources of an answer are.
struct Seen<'a> {
    snapshot: &'a Snapshot,
    usage: Usage,
    spot: &'a Spot,
}

impl Question {
    fn new(wanted: Wanted, minimal: bool) -> Self {
        let known = match &wanted {
            Wanted::Listed(names) => names.iter().map(Live::of).collect(),
            Wanted::All(_) | Wanted::Names => Vec::new(),
        };
        Self { wanted, known, minimal }
    }

    /// Appends what is told of a file or directory.
    fn write(&self, url: &str, seen: &Seen<'_>, name: &str, node: &Node, out: &mut String) {
        let Seen { snapshot, usage, spot } = *seen;
        let locks = if self.asks_for(Live::LockDiscovery) { snapshot.locks_of(node.id) } else { Vec::new() };
        let kept = snapshot.properties(node.id);
        let dead: Vec<_> = kept
            .into_iter()
            .map(|property| {
                let mut value = String::new();
                dead::write(&property, node, &mut value);
                (property.name, value)
            })
            .collect();
        self.answer(url, &Resource::Node { node, name, spot, usage, locks: &locks }, &dead, out);
    }

    fn asks_for(&self, live: Live) -> bool {
        match &self.wanted {
            Wanted::All(also) => live.is_usual() || also.iter().any(|name| Live::of(name) == Some(live)),
            Wanted::Names => false,
            Wanted::Listed(_) => self.known.contains(&Some(live)),
        }
    }

    /// Appends what is told of a resource, whose URL is given as it stands in the answer, and whose dead properties are
    /// given with their values.
    fn answer(&self, url: &str, resource: &Resource<'_>, dead: &[(PropertyName, String)], out: &mut String) {
        out.push_str("<D:response><D:href>");
        out.push_str(url);
        out.push_str("</D:href>");
        // What is found is written where it belongs; when it is nothing, that is taken back.
        let before = out.len();
        out.push_str("<D:propstat><D:prop>");
        let begin = out.len();
        let mut missing = String::new();
        let mut named = |name: &PropertyName, live: Option<Live>, found: &mut String| {
            let is_there = match live {
                Some(live) => resource.write(live, found),
                None => match dead.iter().find(|(other, _)| other == name) {
                    Some((_, value)) => {
                        found.push_str(value);
                        true
                    }
                    None => false,
                },
            };
            if !is_there {
                xml::empty(&mut missing, &name.namespace, &name.name);
            }
        };
        match &self.wanted {
            Wanted::Listed(names) => {
                names.iter().zip(&self.known).for_each(|(name, live)| named(name, *live, out));
            }
            Wanted::Names => {
                let mut unused = String::new();
                for live in Live::ALL.into_iter().filter(|live| resource.write(*live, &mut unused)) {
                    xml::empty(out, xml::DAV, live.name());
                }
                dead.iter().for_each(|(name, _)| xml::empty(out, &name.namespace, &name.name));
            }
            Wanted::All(also) => {
                for live in Live::ALL.into_iter().filter(|live| live.is_usual()) {
                    resource.write(live, out);
                }
                dead.iter().for_each(|(_, value)| out.push_str(value));
                let told = |name: &PropertyName| match Live::of(name) {
                    Some(live) => live.is_usual(),
                    None => dead.iter().any(|(other, _)| other == name),
                };
                also.iter().filter(|name| !told(name)).for_each(|name| named(name, Live::of(name), out));
            }
        }
        let tells_missing = !missing.is_empty() && !self.minimal;
        if out.len() == begin && tells_missing {
            out.truncate(before);
        } else {
            out.push_str("</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>");
        }
        if tells_missing {
            propstat(out, &missing, StatusCode::NOT_FOUND, None);
        }
        out.push_str("</D:response>");
    }
}

/// Appends properties that share a status, and the condition that is the reason for it.
pub(super) fn propstat(out: &mut String, properties: &str, status: StatusCode, condition: Option<&str>) {
    let _ = write!(out, "<D:propstat><D:prop>{properties}</D:prop>");
    text_element(out, "status", &refusal::line(status));
    if let Some(condition) = condition {
        let _ = write!(out, "<D:error><D:{condition}/></D:error>");
    }
    out.push_str("</D:propstat>");
}

/// What a body asks for; without one it is all.
fn wanted(body: &[u8]) -> Result<Wanted, XmlError> {
    if body.is_empty() {
        return Ok(Wanted::All(Vec::new()));
    }
    let text = xml::decoded(body)?;
    let mut document = Document::new(&text)?;
    document.root("propfind")?;
    let (mut all, mut only_names, mut listed, mut include) = (false, false, None, Vec::new());
    while let Some(element) = document.child()? {
        if element.is("prop") {
            if listed.replace(names(&mut document)?).is_some() {
                return Err(XmlError::Unexpected("the body has two prop elements"));
            }
        } else if element.is("include") {
            include = names(&mut document)?;
        } else {
            all |= element.is("allprop");
            only_names |= element.is("propname");
            // What is not known is ignored (RFC 4918, section 17).
            document.content()?;
        }
    }
    document.end()?;
    match (listed, all, only_names) {
        (Some(names), false, false) => Ok(Wanted::Listed(names)),
        (None, true, false) => Ok(Wanted::All(include)),
        (None, false, true) => Ok(Wanted::Names),
        _ => Err(XmlError::Unexpected("the body must have exactly one of prop, allprop and propname")),
    }
}

/// The names of the elements in the one that is open, each once.
fn names(document: &mut Document<'_>) -> Result<Vec<PropertyName>, XmlError> {
    let mut names = Vec::new();
    loop {
        match document.next()? {
            Token::Open(element) => {
                document.content()?;
                if !names.contains(&element.name) {
                    names.push(element.name);
                }
                if names.len() > MOST {
                    return Err(XmlError::TooMuch("too many properties"));
                }
            }
            Token::Text(_) => {}
            Token::Close | Token::End => return Ok(names),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies() {
        let name = |namespace: &str, name: &str| PropertyName::new(namespace, name);
        let read =
            |inside: &str| wanted(format!("<D:propfind xmlns:D=\"DAV:\">{inside}</D:propfind>").as_bytes());
        assert_eq!(wanted(b""), Ok(Wanted::All(Vec::new())));
        assert_eq!(read("<D:allprop/>"), Ok(Wanted::All(Vec::new())));
        assert_eq!(read("<D:propname/>"), Ok(Wanted::Names));
        assert_eq!(
            read("<D:allprop/><D:include><D:quota-used-bytes/></D:include>"),
            Ok(Wanted::All(vec![name("DAV:", "quota-used-bytes")]))
        );
        assert_eq!(
            read(
                "<D:prop><D:getetag/><a xmlns=\"u\"><b/></a><c/><c/></D:prop><x:y xmlns:x=\"z\"><D:prop/></x:y>"
            ),
            Ok(Wanted::Listed(vec![name("DAV:", "getetag"), name("u", "a"), name("", "c")]))
        );
        assert_eq!(read("<D:prop/>"), Ok(Wanted::Listed(Vec::new())));
        for wrong in
            ["", "<D:prop/><D:allprop/>", "<D:prop/><D:prop/>", "<prop/>", "<D:allprop/><D:propname/>"]
        {
            assert!(matches!(read(wrong), Err(XmlError::Unexpected(_))), "{wrong}");
        }
        assert!(wanted(b"<propfind xmlns=\"http://example.org/\"><allprop/></propfind>").is_err());
    }
}
