//! Takes an element out of a document so that it means the same in any other: the value of a dead property, or who
//! holds a lock (RFC 4918, section 4.3).

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use super::read::{Attribute, Document, Element, Token};
use super::{XmlError, escape};

/// The prefixes that an element uses and that are declared outside of it.
type Borrowed = BTreeMap<String, Arc<str>>;

impl Document<'_> {
    /// Reads to the end of an element that was just opened, and writes it down with the prefixes that it was written
    /// with and all that they stand for.
    pub(crate) fn verbatim(&mut self, root: &Element) -> Result<String, XmlError> {
        let outer = self.depth();
        let mut borrowed = Borrowed::new();
        let mut inside = String::new();
        let mut names = Vec::new();
        self.borrow(root, outer, &mut borrowed);
        loop {
            match self.next()? {
                Token::Open(element) => {
                    self.borrow(&element, outer, &mut borrowed);
                    let name = qualified(&element.prefix, &element.name.name);
                    let _ = write!(inside, "<{name}");
                    declare(&mut inside, &element.declared);
                    attributes(&mut inside, &element.attributes);
                    inside.push('>');
                    names.push(name);
                }
                Token::Text(text) => {
                    self.borrow_in_text(&text, outer, &mut borrowed);
                    escape(&mut inside, &text);
                }
                Token::Close => match names.pop() {
                    Some(name) => {
                        let _ = write!(inside, "</{name}>");
                    }
                    None => break,
                },
                Token::End => break,
            }
        }
        let name = qualified(&root.prefix, &root.name.name);
        let mut out = format!("<{name}");
        declare(&mut out, &root.declared);
        let outside: Vec<_> = borrowed.into_iter().collect();
        declare(&mut out, &outside);
        attributes(&mut out, &root.attributes);
        let says = |attribute: &Attribute| attribute.prefix == "xml" && attribute.local == "lang";
        if let Some(language) = root.language.as_ref().filter(|_| !root.attributes.iter().any(says)) {
            out.push_str(" xml:lang=\"");
            escape(&mut out, language);
            out.push('"');
        }
        if inside.is_empty() {
            out.push_str("/>");
        } else {
            let _ = write!(out, ">{inside}</{name}>");
        }
        Ok(out)
    }

    fn borrow(&self, element: &Element, outer: usize, borrowed: &mut Borrowed) {
        self.borrow_prefix(&element.prefix, outer, borrowed);
        for Attribute { prefix, value, local: _ } in &element.attributes {
            if !prefix.is_empty() {
                self.borrow_prefix(prefix, outer, borrowed);
            }
            self.borrow_in_text(value, outer, borrowed);
        }
    }

    /// A text can name something with a prefix; whether it does only its readers know.
    fn borrow_in_text(&self, text: &str, outer: usize, borrowed: &mut Borrowed) {
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(':') {
            let from = before.rfind(|letter: char| !letter.is_alphanumeric() && !"-_.".contains(letter));
            let prefix = from.and_then(|from| before.get(from..)).map_or(before, |tail| {
                let mut letters = tail.chars();
                letters.next();
                letters.as_str()
            });
            if !prefix.is_empty() {
                self.borrow_prefix(prefix, outer, borrowed);
            }
            rest = after;
        }
    }

    fn borrow_prefix(&self, prefix: &str, outer: usize, borrowed: &mut Borrowed) {
        if let Some(binding) = self.binding(prefix).filter(|binding| binding.depth < outer) {
            borrowed.insert(prefix.to_owned(), binding.namespace.clone());
        }
    }
}

fn qualified(prefix: &str, local: &str) -> String {
    if prefix.is_empty() { local.to_owned() } else { format!("{prefix}:{local}") }
}

fn declare(out: &mut String, declared: &[(String, Arc<str>)]) {
    for (prefix, namespace) in declared {
        let _ = if prefix.is_empty() { write!(out, " xmlns=\"") } else { write!(out, " xmlns:{prefix}=\"") };
        escape(out, namespace);
        out.push('"');
    }
}

fn attributes(out: &mut String, attributes: &[Attribute]) {
    for Attribute { prefix, local, value } in attributes {
        let _ = write!(out, " {}=\"", qualified(prefix, local));
        escape(out, value);
        out.push('"');
    }
}

/// Whether a text is one whole element, so that it can be part of a document as it is. It was written by [`Document::
/// verbatim`], or by something that knows nothing of XML.
pub(crate) fn is_element(text: &str) -> bool {
    let whole = || -> Result<(), XmlError> {
        let mut document = Document::new(text)?;
        document.end()
    };
    text.starts_with('<') && !text.starts_with("<?") && whole().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first element inside of a document, on its own.
    fn taken(text: &str) -> String {
        let mut document = Document::new(text).unwrap();
        let Token::Open(_) = document.next().unwrap() else { panic!("no document") };
        let element = document.child().unwrap().unwrap();
        let taken = document.verbatim(&element).unwrap();
        document.end().unwrap();
        taken
    }

    #[test]
    fn an_element_means_the_same_elsewhere() {
        for (text, expected) in [
            ("<r><a/></r>", "<a/>"),
            ("<r><a>b</a></r>", "<a>b</a>"),
            ("<r xmlns='u'><a>b</a></r>", "<a xmlns=\"u\">b</a>"),
            ("<p:r xmlns:p='u' xmlns:q='v'><p:a/></p:r>", "<p:a xmlns:p=\"u\"/>"),
            ("<r xmlns:p='u'><a p:b='1'/></r>", "<a xmlns:p=\"u\" p:b=\"1\"/>"),
            ("<r xmlns:p='u'><a><p:b xmlns:p='v'/></a></r>", "<a><p:b xmlns:p=\"v\"></p:b></a>"),
            ("<r xmlns:p='u'><a><c><p:b/></c></a></r>", "<a xmlns:p=\"u\"><c><p:b></p:b></c></a>"),
            ("<r xmlns:xs='u'><a type='xs:int'>7</a></r>", "<a xmlns:xs=\"u\" type=\"xs:int\">7</a>"),
            ("<r xmlns:xs='u'><a>is xs:int</a></r>", "<a xmlns:xs=\"u\">is xs:int</a>"),
            ("<r><a>&lt;&#13;&amp;\"</a></r>", "<a>&lt;&#13;&amp;&quot;</a>"),
            ("<r xml:lang='ko'><a/></r>", "<a xml:lang=\"ko\"/>"),
            ("<r xml:lang='ko'><a xml:lang='en'/></r>", "<a xml:lang=\"en\"/>"),
            ("<r><a><![CDATA[<b>]]></a></r>", "<a>&lt;b&gt;</a>"),
            ("<r xmlns='u'><a xmlns=''><b/></a></r>", "<a xmlns=\"\"><b></b></a>"),
        ] {
            assert_eq!(taken(text), expected, "{text}");
            assert!(is_element(&taken(text)));
        }
    }

    #[test]
    fn what_was_taken_comes_back_the_same() {
        let value = taken("<p:r xmlns:p='u' xml:lang='ko'><p:a b='c:d'>e<p:f/></p:a></p:r>");
        assert_eq!(taken(&format!("<r>{value}</r>")), value);
    }

    #[test]
    fn other_texts_are_no_elements() {
        for text in ["", "text", "<a>", "<a/><b/>", "<?xml version='1.0'?><a/>", "<a>&b;</a>", "<p:a/>"] {
            assert!(!is_element(text), "{text}");
        }
    }
}
