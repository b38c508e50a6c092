//! Reads a document token by token. What is open is a list, not a stack of calls: no nesting can end the program.

use std::borrow::Cow;
use std::sync::Arc;

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use spaces::{LONGEST_PROPERTY_NAME, PropertyName};

use super::XmlError;
use super::characters::{is_plain_name, is_xml};

/// The deepest that elements may be nested.
const DEEPEST: usize = 64;
/// The most attributes of one element.
const MOST_ATTRIBUTES: usize = 64;
/// The most namespaces that may be declared around one element.
const MOST_NAMESPACES: usize = 256;
/// What the prefix `xml` stands for everywhere.
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// What comes next in a document.
#[derive(Debug)]
pub(crate) enum Token {
    /// An element begins.
    Open(Element),
    /// A piece of text, as it is meant.
    Text(String),
    /// The element that was opened last ends.
    Close,
    /// The document ends.
    End,
}

/// The beginning of an element.
#[derive(Clone, Debug)]
pub(crate) struct Element {
    /// Its namespace and the name in it.
    pub(crate) name: PropertyName,
    /// The prefix it was written with.
    pub(super) prefix: String,
    /// The namespaces that it declares itself.
    pub(super) declared: Vec<(String, Arc<str>)>,
    /// Its other attributes.
    pub(super) attributes: Vec<Attribute>,
    /// The language that its texts are in, as an element around it says or itself.
    pub(super) language: Option<Arc<str>>,
}

/// An attribute, with the prefix it was written with.
#[derive(Clone, Debug)]
pub(super) struct Attribute {
    pub(super) prefix: String,
    pub(super) local: String,
    pub(super) value: String,
}

/// A namespace that a prefix stands for, in the element that declares it and below.
#[derive(Debug)]
pub(super) struct Binding {
    pub(super) prefix: String,
    pub(super) namespace: Arc<str>,
    /// How deep the element is nested that declares it; that of the document is 1.
    pub(super) depth: usize,
}

/// A document that is being read.
pub(crate) struct Document<'a> {
    reader: Reader<&'a [u8]>,
    bindings: Vec<Binding>,
    /// The language of each element that is open.
    open: Vec<Option<Arc<str>>>,
    rooted: bool,
}

/// The text of a document: UTF-8, or UTF-16 that says so with its first two bytes.
pub(crate) fn decoded(body: &[u8]) -> Result<Cow<'_, str>, XmlError> {
    let units = |from: fn([u8; 2]) -> u16, bytes: &[u8]| {
        let units = bytes.chunks(2).map(|pair| pair.try_into().map(from));
        let units: Vec<u16> = units.collect::<Result<_, _>>().map_err(|_| XmlError::Encoding)?;
        String::from_utf16(&units).map(Cow::Owned).map_err(|_| XmlError::Encoding)
    };
    match body {
        [0xef, 0xbb, 0xbf, text @ ..] => {
            std::str::from_utf8(text).map(Cow::Borrowed).map_err(|_| XmlError::Encoding)
        }
        [0xfe, 0xff, rest @ ..] => units(u16::from_be_bytes, rest),
        [0xff, 0xfe, rest @ ..] => units(u16::from_le_bytes, rest),
        text => std::str::from_utf8(text).map(Cow::Borrowed).map_err(|_| XmlError::Encoding),
    }
}

fn malformed(error: impl ToString) -> XmlError {
    XmlError::Malformed(error.to_string())
}

impl<'a> Document<'a> {
    /// Begins to read.
    pub(crate) fn new(text: &'a str) -> Result<Self, XmlError> {
        if !text.chars().all(is_xml) {
            return Err(malformed("it has control characters"));
        }
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        Ok(Self { reader, bindings: Vec::new(), open: Vec::new(), rooted: false })
    }

    /// The next token. Comments and processing instructions are none.
    pub(crate) fn next(&mut self) -> Result<Token, XmlError> {
        loop {
            match self.reader.read_event().map_err(malformed)? {
                Event::Start(start) => return self.start(&start).map(Token::Open),
                // Reading from a list of bytes, expanded: the end comes as a token of its own.
                Event::Empty(_) => return Err(malformed("an empty element")),
                Event::End(_) => {
                    let depth = self.open.len();
                    self.bindings.retain(|binding| binding.depth < depth);
                    self.open.pop();
                    return Ok(Token::Close);
                }
                Event::Text(text) => {
                    if let Some(text) = self.text(&text.xml10_content())? {
                        return Ok(Token::Text(text));
                    }
                }
                Event::CData(data) => {
                    if self.open.is_empty() {
                        return Err(malformed("text outside of the document"));
                    }
                    return Ok(Token::Text(data.xml10_content().into_owned()));
                }
                Event::GeneralRef(reference) => {
                    if self.open.is_empty() {
                        return Err(malformed("text outside of the document"));
                    }
                    return referred(&reference).map(|character| Token::Text(character.into()));
                }
                Event::Decl(declaration) => {
                    if let Some(encoding) = declaration.encoding() {
                        let encoding = encoding.map_err(malformed)?.to_ascii_lowercase();
                        // What it is was decided by its first bytes; this only must not contradict.
                        if !matches!(encoding.as_str(), "utf-8" | "utf8" | "us-ascii" | "utf-16") {
                            return Err(XmlError::Encoding);
                        }
                    }
                }
                Event::Comment(_) | Event::PI(_) => {}
                Event::DocType(_) => return Err(XmlError::DocumentType),
                Event::Eof if self.open.is_empty() && self.rooted => return Ok(Token::End),
                Event::Eof => return Err(malformed("it ends too early")),
            }
        }
    }

    /// Text between elements; nothing when it is blank and outside of all of them.
    fn text(&self, text: &str) -> Result<Option<String>, XmlError> {
        if self.open.is_empty() {
            let blank = text.chars().all(|character| matches!(character, ' ' | '\t' | '\r' | '\n'));
            return if blank { Ok(None) } else { Err(malformed("text outside of the document")) };
        }
        Ok(Some(text.to_owned()))
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<Element, XmlError> {
        if self.open.is_empty() && std::mem::replace(&mut self.rooted, true) {
            return Err(malformed("it has two documents"));
        }
        if self.open.len() == DEEPEST {
            return Err(XmlError::TooMuch("elements nested too deep"));
        }
        let depth = self.open.len() + 1;
        let mut language = self.open.last().cloned().flatten();
        let (mut declared, mut attributes) = (Vec::<(String, Arc<str>)>::new(), Vec::new());
        for attribute in start.attributes() {
            let attribute = attribute.map_err(malformed)?;
            if declared.len() + attributes.len() == MOST_ATTRIBUTES {
                return Err(XmlError::TooMuch("too many attributes"));
            }
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| XmlError::Entity)?;
            if !value.chars().all(is_xml) {
                return Err(malformed("it has control characters"));
            }
            let (prefix, local) = split(attribute.key.into_inner())?;
            match (prefix, local) {
                ("", "xmlns") => declared.push((String::new(), Arc::from(value.as_ref()))),
                ("xmlns", prefix) => {
                    if value.is_empty() || matches!(prefix, "xml" | "xmlns") {
                        return Err(malformed("a prefix can not stand for that"));
                    }
                    declared.push((prefix.to_owned(), Arc::from(value.as_ref())));
                }
                (prefix, local) => {
                    if (prefix, local) == ("xml", "lang") {
                        language = Some(Arc::from(value.as_ref()));
                    }
                    let (prefix, local) = (prefix.to_owned(), local.to_owned());
                    attributes.push(Attribute { prefix, local, value: value.into_owned() });
                }
            }
        }
        for (prefix, namespace) in &declared {
            if namespace.len() > LONGEST_PROPERTY_NAME {
                return Err(XmlError::TooMuch("a name that is too long"));
            }
            self.bindings.push(Binding { prefix: prefix.clone(), namespace: namespace.clone(), depth });
        }
        if self.bindings.len() > MOST_NAMESPACES {
            return Err(XmlError::TooMuch("too many namespaces"));
        }
        for attribute in attributes.iter().filter(|attribute| !attribute.prefix.is_empty()) {
            self.namespace(&attribute.prefix)?;
        }
        let (prefix, local) = split(start.name().into_inner())?;
        let name = PropertyName { namespace: self.namespace(prefix)?, name: local.into() };
        self.open.push(language.clone());
        Ok(Element { name, prefix: prefix.to_owned(), declared, attributes, language })
    }

    /// What a prefix stands for here; the empty one for nothing unless it was declared.
    fn namespace(&self, prefix: &str) -> Result<Arc<str>, XmlError> {
        match self.binding(prefix) {
            Some(binding) => Ok(binding.namespace.clone()),
            None if prefix.is_empty() => Ok("".into()),
            None if prefix == "xml" => Ok(XML.into()),
            None => Err(malformed("a prefix that stands for nothing")),
        }
    }

    /// The nearest declaration of a prefix.
    pub(super) fn binding(&self, prefix: &str) -> Option<&Binding> {
        self.bindings.iter().rev().find(|binding| binding.prefix == prefix)
    }

    /// How many elements are open.
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    /// The element that the whole document is, which must be this one of WebDAV's.
    pub(crate) fn root(&mut self, name: &str) -> Result<(), XmlError> {
        match self.next()? {
            Token::Open(element) if element.is(name) => Ok(()),
            _ => Err(XmlError::Unexpected("the body is not the element that this method takes")),
        }
    }

    /// The next element inside of the one that is open, past texts; `None` where that ends.
    pub(crate) fn child(&mut self) -> Result<Option<Element>, XmlError> {
        loop {
            match self.next()? {
                Token::Open(element) => return Ok(Some(element)),
                Token::Text(_) => {}
                Token::Close | Token::End => return Ok(None),
            }
        }
    }

    /// Reads to the end of the element that was opened last, and tells the text in it. That of elements in it is not
    /// part of it.
    pub(crate) fn content(&mut self) -> Result<String, XmlError> {
        let outer = self.open.len();
        let mut content = String::new();
        loop {
            match self.next()? {
                Token::Text(text) if self.open.len() == outer => content.push_str(&text),
                Token::Close if self.open.len() < outer => return Ok(content),
                Token::End => return Ok(content),
                _ => {}
            }
        }
    }

    /// Reads to the end: it must be well-formed up to there.
    pub(crate) fn end(&mut self) -> Result<(), XmlError> {
        while !matches!(self.next()?, Token::End) {}
        Ok(())
    }
}

impl Element {
    /// Whether it is this one of WebDAV's.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.namespace.as_ref() == super::DAV && self.name.name.as_ref() == name
    }
}

/// The prefix and the rest of a name.
fn split(name: &str) -> Result<(&str, &str), XmlError> {
    if name.len() > LONGEST_PROPERTY_NAME {
        return Err(XmlError::TooMuch("a name that is too long"));
    }
    let (prefix, local) = name.split_once(':').unwrap_or(("", name));
    if !is_plain_name(local) || (name.len() > local.len() && !is_plain_name(prefix)) {
        return Err(malformed("something that is no name"));
    }
    Ok((prefix, local))
}

/// What a reference stands for.
fn referred(reference: &BytesRef<'_>) -> Result<char, XmlError> {
    if let Some(character) = reference.resolve_char_ref().map_err(malformed)? {
        return if is_xml(character) { Ok(character) } else { Err(malformed("it has control characters")) };
    }
    match reference.xml10_content().as_ref() {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "apos" => Ok('\''),
        "quot" => Ok('"'),
        _ => Err(XmlError::Entity),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All of a document, as one line.
    fn read(text: &str) -> Result<String, XmlError> {
        let mut document = Document::new(text)?;
        let mut line = String::new();
        loop {
            match document.next()? {
                Token::Open(element) => line.push_str(&format!("<{}", element.name)),
                Token::Text(text) => line.push_str(&format!("[{text}]")),
                Token::Close => line.push('>'),
                Token::End => return Ok(line),
            }
        }
    }

    #[test]
    fn documents() {
        for (text, line) in [
            ("<a/>", "<{}a>"),
            ("\u{20}\n<a xmlns='u'><b>t</b></a>\n", "<{u}a<{u}b[t]>>"),
            ("<?xml version='1.0' encoding='UTF-8'?><D:a xmlns:D='DAV:'/>", "<{DAV:}a>"),
            ("<a xmlns='u'><b xmlns=''/><c/></a>", "<{u}a<{}b><{u}c>>"),
            ("<p:a xmlns:p='u'><p:b xmlns:p='v'/><p:c/></p:a>", "<{u}a<{v}b><{u}c>>"),
            ("<a>&lt;&#65536;&amp;</a>", "<{}a[<][\u{10000}][&]>"),
            ("<a><![CDATA[<b>]]><!-- c --><?d e?></a>", "<{}a[<b>]>"),
            ("<a b='1' xml:lang='ko'/>", "<{}a>"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(line), "{text}");
        }
    }

    #[test]
    fn what_is_no_document() {
        for text in [
            "",
            " ",
            "text",
            "<a>",
            "<a></b>",
            "</a>",
            "<a/><b/>",
            "<a/>text",
            "<a b='1' b='2'/>",
            "<a b=1/>",
            "<a b/>",
            "<1a/>",
            "<a:b:c xmlns:a='u'/>",
            "<p:a/>",
            "<a p:b='1'/>",
            "<a xmlns:p=''/>",
            "<a xmlns:xml='u'/>",
            "<a>&#0;</a>",
            "<a>&#xfffe;</a>",
            "<a>\u{1}</a>",
            "<a><![CDATA[</a>",
            "<a><!-- </a>",
        ] {
            assert!(matches!(read(text), Err(XmlError::Malformed(_))), "{text}: {:?}", read(text));
        }
        assert_eq!(read("<!DOCTYPE a><a/>"), Err(XmlError::DocumentType));
        assert_eq!(read("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"), Err(XmlError::DocumentType));
        assert_eq!(read("<a>&b;</a>"), Err(XmlError::Entity));
        assert_eq!(read("<a b='&c;'/>"), Err(XmlError::Entity));
        assert_eq!(read("<?xml version='1.0' encoding='latin1'?><a/>"), Err(XmlError::Encoding));
    }

    #[test]
    fn limits() {
        let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        assert!(read(&nested(DEEPEST)).is_ok());
        assert!(matches!(read(&nested(DEEPEST + 1)), Err(XmlError::TooMuch(_))));
        assert!(matches!(read(&nested(10_000)), Err(XmlError::TooMuch(_))));
        let attributes: String = (0..=MOST_ATTRIBUTES).map(|number| format!(" a{number}=''")).collect();
        assert!(matches!(read(&format!("<a{attributes}/>")), Err(XmlError::TooMuch(_))));
        let long = "a".repeat(LONGEST_PROPERTY_NAME + 1);
        assert!(matches!(read(&format!("<{long}/>")), Err(XmlError::TooMuch(_))));
        assert!(matches!(read(&format!("<a xmlns='{long}'/>")), Err(XmlError::TooMuch(_))));
        let namespaces = |from: usize| -> String {
            (from..from + 60).map(|number| format!(" xmlns:a{number}='u'")).collect()
        };
        let many: String = (0..5).map(|level| format!("<a{}>", namespaces(level * 60))).collect();
        assert!(matches!(read(&many), Err(XmlError::TooMuch(_))));
    }

    #[test]
    fn encodings() {
        let text = "<a>휴가</a>";
        let big: Vec<u8> =
            std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect();
        let little: Vec<u8> =
            std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        for body in [text.as_bytes(), &[&[0xef, 0xbb, 0xbf], text.as_bytes()].concat(), &big, &little] {
            assert_eq!(decoded(body).as_deref(), Ok(text));
        }
        assert_eq!(decoded(&[0xff]), Err(XmlError::Encoding));
        assert_eq!(decoded(&[0xfe, 0xff, 0xd8]), Err(XmlError::Encoding));
        assert_eq!(decoded(&[0xfe, 0xff, 0xd8, 0x00]), Err(XmlError::Encoding));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "[<>/&;a:='\"!\\[\\]?x# -]{0,60}") {
            let _ = read(&text);
        }
    }
}
