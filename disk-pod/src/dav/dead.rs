//! The properties that clients keep (RFC 4918, section 4): each is stored as the element that the client sent, so that
//! it can be told to others as it is.

use jiff::fmt::rfc2822;
use spaces::{Kind, Node, Property, PropertyName};

use super::xml::{self, escape};
use crate::http::date::Moment;

/// Where Windows keeps times and attributes of files.
const WINDOWS: &str = "urn:schemas-microsoft-com:";

/// Appends a property as the element that it is.
pub(crate) fn write(property: &Property, node: &Node, out: &mut String) {
    let Property { name, value } = property;
    if let Some(time) = Some(name).filter(|name| is_modified(name)).and_then(|_| modified(node)) {
        // It is the time of the content that was there; a later one has another.
        let mut text = String::new();
        time.push_http(&mut text);
        return element(out, name, &text);
    }
    if xml::is_element(value) {
        out.push_str(value);
    } else {
        // Something that knows nothing of XML set it.
        element(out, name, value);
    }
}

fn element(out: &mut String, PropertyName { namespace, name }: &PropertyName, text: &str) {
    out.push('<');
    out.push_str(name);
    out.push_str(" xmlns=\"");
    escape(out, namespace);
    out.push_str("\">");
    escape(out, text);
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

/// Whether it is the time at which the content was changed, as Windows keeps it.
pub(crate) fn is_modified(name: &PropertyName) -> bool {
    name.namespace.as_ref() == WINDOWS && name.name.as_ref() == "Win32LastModifiedTime"
}

/// The time that Windows writes, in milliseconds since 1970.
pub(crate) fn time(text: &str) -> Option<i64> {
    rfc2822::parse(text.trim()).ok().map(|time| time.timestamp().as_millisecond())
}

fn modified(node: &Node) -> Option<Moment> {
    let (Kind::File { modified, .. } | Kind::Directory { modified, .. }) = &node.kind;
    Moment::from_millis(*modified)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_windows() {
        assert_eq!(time("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777_000));
        assert_eq!(time("tomorrow"), None);
    }
}
