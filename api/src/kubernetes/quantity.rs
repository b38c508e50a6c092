//! An amount of storage as a custom resource writes it.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::bytes::{Bytes, QuantityError};

/// The text of a quantity, kept as it was written. It is not read when the object is read, because one object that
/// cannot be read would stop the watch of all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quantity(pub String);

impl Quantity {
    /// The amount.
    ///
    /// # Errors
    /// When it is not a whole number of bytes. The API server refuses such a spec, so this is an object from before
    /// that rule.
    pub fn bytes(&self) -> Result<Bytes, QuantityError> {
        Bytes::parse_quantity(&self.0)
    }
}

impl From<Bytes> for Quantity {
    fn from(bytes: Bytes) -> Self {
        Self(bytes.to_quantity())
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for Quantity {
    fn schema_name() -> Cow<'static, str> {
        "Quantity".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "maxLength": 32 })
    }
}
