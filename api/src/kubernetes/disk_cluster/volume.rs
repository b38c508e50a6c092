//! The volumes of the pool: claims that the operator makes, or that are there already.

use std::collections::BTreeMap;

use kube::core::Rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kubernetes::quantity::Quantity;
use crate::kubernetes::reference::LocalReference;
use crate::kubernetes::schema::{self, forbidden, invalid, required};

/// One volume of the pool: exactly one of template and existingClaim.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules()))]
pub struct Volume {
    /// Name of the volume in this cluster; it never changes.
    #[schemars(schema_with = "schema::volume_name")]
    pub name: String,
    /// Active: spaces are placed here. Cordoned: no new ones. Draining: spaces are moved to the other volumes, without
    /// stopping; when status says Drained, the volume can be taken out of the list.
    #[serde(default)]
    pub state: VolumeState,
    /// A claim (PersistentVolumeClaim, ReadWriteMany) the operator makes as <cluster>-<volume>. It is never deleted
    /// with the DiskCluster, unless deletionPolicy says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<ClaimTemplate>,
    /// A ReadWriteMany claim that is there already. Cannot change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-validations" = [forbidden(
        "self.name == oldSelf.name",
        "the claim of a volume cannot change: add a volume with the other claim, then set this one to Draining",
    )]))]
    pub existing_claim: Option<LocalReference>,
    /// How the claim grows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expansion: Option<Expansion>,
}

fn rules() -> Vec<Rule> {
    vec![
        invalid(
            "has(self.template) != has(self.existingClaim)",
            "a volume needs exactly one of template (the operator makes the claim) and existingClaim (it is there \
             already)",
        ),
        forbidden(
            "has(self.template) == has(oldSelf.template)",
            "a volume cannot switch between template and existingClaim: add another volume",
        ),
        invalid(
            "!has(self.expansion) || self.expansion.mode != 'Automatic' || !has(self.template) \
             || !has(self.expansion.maximumSize) || !isQuantity(self.template.size) \
             || !isQuantity(self.expansion.maximumSize) \
             || quantity(self.template.size).compareTo(quantity(self.expansion.maximumSize)) <= 0",
            "expansion.maximumSize is below template.size: raise it",
        )
        .field_path(".expansion"),
        invalid(
            "!has(self.existingClaim) || !has(self.expansion) || self.expansion.mode == 'Manual'",
            "an existing claim is not enlarged automatically, its owner does that: leave expansion out",
        )
        .field_path(".expansion"),
    ]
}

/// What the whole list must keep to.
pub(super) fn pool_rules() -> Vec<Rule> {
    vec![
        invalid("self.exists(v, v.state == 'Active')", "at least one volume must be Active"),
        invalid(
            "self.filter(v, has(v.existingClaim)).all(v, self.exists_one(w, has(w.existingClaim) \
             && w.existingClaim.name == v.existingClaim.name))",
            "two volumes name the same existing claim: a volume is a claim of its own",
        ),
    ]
}

/// Whether spaces are placed on a volume.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum VolumeState {
    /// They are.
    #[default]
    Active,
    /// No new ones.
    Cordoned,
    /// Those that are there are moved away.
    Draining,
}

/// A claim that the operator makes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = template_rules()))]
pub struct ClaimTemplate {
    /// Size asked for. May only grow; where expansion is automatic it is the least size, and the claim may be larger.
    #[schemars(schema_with = "schema::volume_size")]
    pub size: Quantity,
    /// Storage class, which must offer ReadWriteMany. Default: the default class. Cannot change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::object_name")]
    pub storage_class_name: Option<String>,
    /// Volume attributes class of the claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::object_name")]
    pub volume_attributes_class_name: Option<String>,
    /// Fill the new claim from this (for example a VolumeSnapshot). Cannot change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_source_ref: Option<DataSource>,
    /// Labels of the claim (for backup tools).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::labels")]
    pub labels: BTreeMap<String, String>,
    /// Annotations of the claim.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::labels")]
    pub annotations: BTreeMap<String, String>,
}

fn template_rules() -> Vec<Rule> {
    vec![
        forbidden(
            "isQuantity(self.size) && isQuantity(oldSelf.size) ? \
             quantity(self.size).compareTo(quantity(oldSelf.size)) >= 0 : true",
            "a volume cannot shrink: add a smaller volume to spec.volumes, then set this one to Draining",
        )
        .field_path(".size"),
        forbidden(
            "(has(self.storageClassName) ? self.storageClassName : '') \
             == (has(oldSelf.storageClassName) ? oldSelf.storageClassName : '')",
            "the storage class of a volume cannot change: add a volume with the new class, then set this one to \
             Draining",
        )
        .field_path(".storageClassName"),
        forbidden(
            "has(self.dataSourceRef) == has(oldSelf.dataSourceRef) \
             && (!has(self.dataSourceRef) || self.dataSourceRef == oldSelf.dataSourceRef)",
            "dataSourceRef cannot change: it is read once, when the claim is made",
        )
        .field_path(".dataSourceRef"),
        schema::no_labels_of_ours(),
    ]
}

/// What a new claim is filled from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct DataSource {
    /// API group, such as snapshot.storage.k8s.io. Left out: that of PersistentVolumeClaim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::object_name")]
    pub api_group: Option<String>,
    /// Kind, such as VolumeSnapshot.
    #[schemars(length(min = 1, max = 63))]
    pub kind: String,
    /// Name, in the same namespace.
    #[schemars(schema_with = "schema::object_name")]
    pub name: String,
}

/// How a claim grows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = [required(
    "self.mode != 'Automatic' || has(self.maximumSize)",
    "automatic expansion needs maximumSize: say how far the bill may go",
).field_path(".maximumSize")]))]
pub struct Expansion {
    /// Automatic: the operator enlarges the claim as it fills (the storage class must allow it).
    pub mode: ExpansionMode,
    /// Enlarge when this much is used or promised to uploads.
    #[schemars(range(min = 50, max = 99))]
    pub threshold_percent: i32,
    /// Enlarge by this much at a time. Default: a tenth, at least 1Gi.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::volume_size")]
    pub step: Option<Quantity>,
    /// Never enlarge beyond this.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::volume_size")]
    pub maximum_size: Option<Quantity>,
}

impl Default for Expansion {
    fn default() -> Self {
        Self { mode: ExpansionMode::Manual, threshold_percent: 85, step: None, maximum_size: None }
    }
}

/// Who enlarges a claim.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ExpansionMode {
    /// People, by a larger size.
    #[default]
    Manual,
    /// The operator.
    Automatic,
}
