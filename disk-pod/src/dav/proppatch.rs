//! `PROPPATCH`: changes what clients keep with a file or directory, all of it or nothing.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{StatusCode, header};
use spaces::{Condition, Operation, Property, PropertyChanges, PropertyName};

use super::body;
use super::dead;
use super::live::Live;
use super::place::Place;
use super::propfind::propstat;
use super::refusal::{self, Refused};
use super::visit::Visit;
use super::xml::{self, Document, XmlError, text_element};
use crate::app::App;
use crate::auth::{Identity, Need};
use crate::http::generation;

/// The longest body, in bytes, and the most properties in it.
const LONGEST: usize = 256 * 1024;
const MOST: usize = 500;

/// What becomes of one property.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Change {
    /// The element that it is from now on, and the text in it.
    Set {
        value: String,
        text: String,
    },
    Remove,
}

/// The last change of each property, and the properties in the order in which they came.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    changes: BTreeMap<PropertyName, Change>,
    order: Vec<PropertyName>,
}

/// Changes properties.
pub(super) async fn proppatch(
    app: &App,
    head: &Parts,
    body: Body,
    identity: &Identity,
    place: Place,
) -> Result<Response, Refused> {
    let Wanted { changes, order } = wanted(&body::read(body, LONGEST, app.silence).await?)?;
    let visit = Visit::begin(app, head, identity, place, Need::Write).await?;
    let url = visit.spot.url(&visit.spot.path, visit.node()?.is_directory());
    if order.iter().any(|name| Live::of(name).is_some()) {
        return Ok(refused(&url, &order));
    }
    if visit.repeats.is_none() {
        // The engine lets pass what is as wanted already.
        visit.unlocked()?;
    }
    let mut asked = PropertyChanges::default();
    for (name, change) in changes {
        match change {
            Change::Set { value, text } => {
                if dead::is_modified(&name) {
                    asked.modified = dead::time(&text).or(asked.modified);
                }
                asked.set.push(Property { name, value: value.into() });
            }
            Change::Remove => asked.remove.push(name),
        }
    }
    let tag = visit.conditions.binds_the_tag().then(|| visit.node().map(|node| node.etag())).transpose()?;
    let condition = tag.map_or(Condition::None, Condition::Matches);
    let path = visit.spot.path.clone();
    let request = visit.request(Operation::SetProperties { path, condition, changes: asked })?;
    match visit.space.commit(request).await {
        Ok(committed) => {
            let mut response = answer(&url, &[(&order, StatusCode::OK, None)]);
            generation::stamp(response.headers_mut(), committed.generation);
            Ok(response)
        }
        Err(spaces::Error::TooMuch { .. }) => {
            Ok(answer(&url, &[(&order, StatusCode::INSUFFICIENT_STORAGE, None)]))
        }
        Err(error) => Err(Refused::change(error, &visit.spot, StatusCode::NOT_FOUND)),
    }
}

/// Some of them only the server knows: they are not changed, and so the others are not either.
fn refused(url: &str, order: &[PropertyName]) -> Response {
    let (live, others): (Vec<_>, Vec<_>) = order.iter().cloned().partition(|name| Live::of(name).is_some());
    answer(
        url,
        &[
            (&live, StatusCode::FORBIDDEN, Some("cannot-modify-protected-property")),
            (&others, StatusCode::FAILED_DEPENDENCY, None),
        ],
    )
}

fn answer(url: &str, groups: &[(&[PropertyName], StatusCode, Option<&str>)]) -> Response {
    let mut out = refusal::declaration();
    out.push_str("<D:multistatus xmlns:D=\"DAV:\"><D:response>");
    text_element(&mut out, "href", url);
    let empty = groups.iter().all(|(names, ..)| names.is_empty());
    for (names, status, condition) in groups.iter().filter(|(names, ..)| empty || !names.is_empty()) {
        let mut properties = String::new();
        names.iter().for_each(|name| xml::empty(&mut properties, &name.namespace, &name.name));
        propstat(&mut out, &properties, *status, *condition);
    }
    out.push_str("</D:response></D:multistatus>");
    (StatusCode::MULTI_STATUS, [(header::CONTENT_TYPE, refusal::XML)], out).into_response()
}

fn wanted(body: &[u8]) -> Result<Wanted, XmlError> {
    let text = xml::decoded(body)?;
    let mut document = Document::new(&text)?;
    document.root("propertyupdate")?;
    let mut wanted = Wanted::default();
    while let Some(instruction) = document.child()? {
        let (set, remove) = (instruction.is("set"), instruction.is("remove"));
        while let Some(element) = document.child()? {
            if !(set || remove) || !element.is("prop") {
                document.content()?;
                continue;
            }
            while let Some(property) = document.child()? {
                let change = if set {
                    let value = document.verbatim(&property)?;
                    let text = text_of(&value)?;
                    Change::Set { value, text }
                } else {
                    document.content()?;
                    Change::Remove
                };
                if wanted.changes.insert(property.name.clone(), change).is_none() {
                    wanted.order.push(property.name);
                }
                if wanted.order.len() > MOST {
                    return Err(XmlError::TooMuch("too many properties"));
                }
            }
        }
    }
    document.end()?;
    if wanted.order.is_empty() {
        return Err(XmlError::Unexpected("the propertyupdate must set or remove something"));
    }
    Ok(wanted)
}

/// The text in an element.
fn text_of(element: &str) -> Result<String, XmlError> {
    let mut document = Document::new(element)?;
    document.child()?;
    document.content()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_change_counts() {
        let read = |inside: &str| {
            wanted(format!("<D:propertyupdate xmlns:D=\"DAV:\">{inside}</D:propertyupdate>").as_bytes())
        };
        let set = |inside: &str| format!("<D:set><D:prop>{inside}</D:prop></D:set>");
        let remove = |inside: &str| format!("<D:remove><D:prop>{inside}</D:prop></D:remove>");
        let found = read(&(set("<a>1</a><b/>") + &remove("<a/>") + &set("<b>2</b>"))).unwrap();
        let name = |name: &str| PropertyName::new("", name);
        assert_eq!(found.order, [name("a"), name("b")]);
        assert_eq!(found.changes[&name("a")], Change::Remove);
        assert_eq!(found.changes[&name("b")], Change::Set { value: "<b>2</b>".into(), text: "2".into() });
        for wrong in ["", "<D:set/>", "<D:set><D:prop/></D:set>", "<set><prop><a/></prop></set>"] {
            assert!(matches!(read(wrong), Err(XmlError::Unexpected(_))), "{wrong}");
        }
    }
}
