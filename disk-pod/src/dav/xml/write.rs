//! Writes XML into texts.

use std::fmt::Write;

use super::characters::is_xml;

/// Appends a text so that it is nothing but text, in an element or in an attribute.
pub(crate) fn escape(out: &mut String, text: &str) {
    // Nearly all texts are, and they are many.
    if text.bytes().all(is_plain) {
        out.push_str(text);
        return;
    }
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

/// Whether a byte stands for itself wherever it is.
fn is_plain(byte: u8) -> bool {
    const PLAIN: [bool; 256] = {
        let mut plain = [false; 256];
        let mut byte = b' ';
        while byte <= b'~' {
            plain[byte as usize] = !matches!(byte, b'&' | b'<' | b'>' | b'"');
            byte += 1;
        }
        plain
    };
    PLAIN[usize::from(byte)]
}

/// A text as it stands in a document.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    escape(&mut out, text);
    out
}

/// Appends an element of WebDAV's namespace, whose prefix is `D`, with a text in it.
pub(crate) fn text_element(out: &mut String, name: &str, text: &str) {
    element(out, name, |out| escape(out, text));
}

/// Appends an element of WebDAV's namespace with what is written in it, which must be XML.
pub(crate) fn element(out: &mut String, name: &str, inside: impl FnOnce(&mut String)) {
    for part in ["<D:", name, ">"] {
        out.push_str(part);
    }
    inside(out);
    for part in ["</D:", name, ">"] {
        out.push_str(part);
    }
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
