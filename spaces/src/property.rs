//! Properties that clients keep with files and directories, and that mean nothing to the engine: the dead properties
//! of WebDAV (RFC 4918, section 4).

use std::fmt;
use std::sync::Arc;

/// The longest name of a property, its namespace included, in bytes.
pub const LONGEST_PROPERTY_NAME: usize = 512;

/// Names a property.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PropertyName {
    /// An XML namespace; empty for none.
    pub namespace: Arc<str>,
    /// The name in it.
    pub name: Arc<str>,
}

/// A property and its value, which is whatever text the client sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// Which.
    pub name: PropertyName,
    /// Its value.
    pub value: Arc<str>,
}

/// What changes of a file or directory besides its content and place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PropertyChanges {
    /// Properties that are made, or get another value.
    pub set: Vec<Property>,
    /// Properties that go, if they are there.
    pub remove: Vec<PropertyName>,
    /// When the content shall be said to have been made, in milliseconds since 1970.
    pub modified: Option<i64>,
}

impl PropertyName {
    /// A name of no namespace or one.
    #[must_use]
    pub fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }

    /// How many bytes it takes.
    pub(crate) fn length(&self) -> usize {
        self.namespace.len() + self.name.len()
    }
}

impl fmt::Display for PropertyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}}}{}", self.namespace, self.name)
    }
}
