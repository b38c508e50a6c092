//! Writes XML into texts.

use std::fmt::Write;

use super::characters::is_xml;

/// Appends a text so that it is nothing but text, in an element or in an attribute.
pub(crate) fn escape(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // As they are they would be read as line ends or blanks.
            '\r' => out.push_str("&#13;"),
            character if is_xml(character) => out.push(character),
            _ => out.push('\u{fffd}'),
        }
    }
}

/// Appends an element of WebDAV's namespace, whose prefix is `D`, with a text in it.
pub(crate) fn text_element(out: &mut String, name: &str, text: &str) {
    let _ = write!(out, "<D:{name}>");
    escape(out, text);
    let _ = write!(out, "</D:{name}>");
}

/// Appends an empty element of this name. A namespace that is not WebDAV's is declared where it is.
pub(crate) fn empty(out: &mut String, namespace: &str, name: &str) {
    if namespace == super::DAV {
        let _ = write!(out, "<D:{name}/>");
        return;
    }
    let _ = write!(out, "<{name} xmlns=\"");
    escape(out, namespace);
    out.push_str("\"/>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        let mut out = String::new();
        escape(&mut out, "a<b>&\"c'\u{1}\r");
        assert_eq!(out, "a&lt;b&gt;&amp;&quot;c'\u{fffd}&#13;");
        let mut out = String::new();
        empty(&mut out, "urn:<", "a");
        empty(&mut out, "DAV:", "b");
        empty(&mut out, "", "c");
        assert_eq!(out, "<a xmlns=\"urn:&lt;\"/><D:b/><c xmlns=\"\"/>");
    }
}
