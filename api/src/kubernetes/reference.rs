//! What custom resources refer to, and what becomes of data when they go.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::schema::{self, forbidden};

/// The DiskCluster that a Member or a Group belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-kubernetes-map-type" = "atomic", "x-kubernetes-validations" = [forbidden(
    "self.name == oldSelf.name",
    "clusterRef cannot change: create it anew under the other cluster",
)]))]
pub struct ClusterReference {
    /// Name of the DiskCluster, in the same namespace.
    #[schemars(schema_with = "schema::short_name")]
    pub name: String,
}

/// One key of a Secret or a ConfigMap in the same namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct KeyReference {
    /// Its name.
    #[schemars(schema_with = "schema::object_name")]
    pub name: String,
    /// Key in its data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::data_key")]
    pub key: Option<String>,
}

/// An object of the same namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct LocalReference {
    /// Its name.
    #[schemars(schema_with = "schema::object_name")]
    pub name: String,
}

/// What becomes of data when the object is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    /// It stays.
    #[default]
    Retain,
    /// It is deleted.
    Delete,
}

/// Whether something is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Switch {
    /// It is.
    Enabled,
    /// It is not.
    #[default]
    Disabled,
}

impl Switch {
    /// The default of what is on.
    #[must_use]
    pub fn enabled() -> Self {
        Self::Enabled
    }

    /// Whether it is done.
    #[must_use]
    pub fn is_enabled(self) -> bool {
        self == Self::Enabled
    }
}
