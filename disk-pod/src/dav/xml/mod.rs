//! XML as WebDAV sends it: read token by token without recursion and within limits, written into texts.
//!
//! A document type is refused, and with it every entity that is not one of the five that XML itself has. What is read
//! is checked far enough that it can be written again for other clients as it is.

mod characters;
mod read;
mod verbatim;
mod write;

pub(crate) use read::{Document, Token, decoded};
pub(crate) use verbatim::is_element;
pub(crate) use write::{element, empty, escape, escaped, text_element};

/// The namespace of WebDAV.
pub(crate) const DAV: &str = "DAV:";

/// Why a document is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum XmlError {
    /// It is not well-formed.
    #[error("the body is not well-formed XML: {0}")]
    Malformed(String),
    /// It is none of the encodings that are understood.
    #[error("the XML must be UTF-8 or UTF-16")]
    Encoding,
    /// It has a document type.
    #[error("the XML must not have a document type")]
    DocumentType,
    /// It refers to an entity that XML itself does not have.
    #[error("the XML must not refer to entities of its own")]
    Entity,
    /// It has more of something than is read.
    #[error("the XML has {0}")]
    TooMuch(&'static str),
    /// It is XML, but not what belongs here.
    #[error("{0}")]
    Unexpected(&'static str),
}
