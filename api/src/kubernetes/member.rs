//! The custom resource Member: a person with a quota of storage, parts of which may be given to groups.
#![allow(clippy::duplicated_attributes)] // columns of kubectl get are attributes that look alike

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use kube::core::Rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::quantity::Quantity;
use super::reference::{ClusterReference, DeletionPolicy, KeyReference};
use super::schema::{self, bytes_of, forbidden, in_range, invalid, invalid_saying, set_once};
use crate::role::Role;

/// A person with a quota of storage, parts of which may be given to groups.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "internetdisk.dev",
    version = "v1alpha1",
    kind = "Member",
    doc = "A person with a quota of storage, parts of which may be given to groups.",
    namespaced,
    status = "MemberStatus",
    shortname = "idm",
    category = "internetdisk",
    derive = "PartialEq",
    selectable = ".spec.clusterRef.name",
    selectable = ".spec.state",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(name = "State", type_ = "string", json_path = ".spec.state"),
    printcolumn(name = "Quota", type_ = "string", json_path = ".spec.quota"),
    printcolumn(name = "Allocated", type_ = "string", json_path = ".status.allocated"),
    printcolumn(name = "Own", type_ = "string", json_path = ".status.available"),
    printcolumn(name = "Used", type_ = "string", json_path = ".status.used"),
    printcolumn(name = "Groups", type_ = "integer", json_path = ".status.groups"),
    printcolumn(name = "Cluster", type_ = "string", json_path = ".spec.clusterRef.name", priority = 1),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].reason"#,
        priority = 1
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules()))]
pub struct MemberSpec {
    /// The DiskCluster this belongs to. Cannot change.
    pub cluster_ref: ClusterReference,
    /// All the storage this member has, for the own disk and for groups.
    #[schemars(schema_with = "schema::amount")]
    pub quota: Quantity,
    /// What the member gives to groups, which is also how one joins: it takes effect when the group admits the
    /// member. Self-service writes here, item by item (server-side apply, field manager internetdisk-web); an item
    /// that stands in Git belongs to Git.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["group"]))]
    pub allocations: Vec<Allocation>,
    /// Suspended: cannot sign in; files and allocations stay. Pending: registered, not yet approved.
    #[serde(default)]
    pub state: MemberState,
    /// The name people see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub display_name: Option<String>,
    /// Where notices go; it identifies nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 254), extend("format" = "email"))]
    pub email: Option<String>,
    /// Where the first password comes from; key: password, if none is named. It is read once; the member may change
    /// the password. Change the Secret to reset it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_secret_ref: Option<KeyReference>,
    /// Who this is at OpenID providers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["provider"]))]
    pub identities: Vec<Identity>,
    /// What becomes of the own disk when the Member is deleted. Retain: it stays on the volume under its space id.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
    /// Take over the space of this id, which is on the volume already (restored cluster, re-created object; see
    /// status.spaceID). Default: the uid of this object. Cannot change once set.
    #[serde(default, rename = "spaceID", skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::uid")]
    pub space_id: Option<String>,
}

fn rules() -> Vec<Rule> {
    let sum = format!("self.allocations.map(a, {}).sum()", bytes_of("a.size"));
    let quota = bytes_of("self.quota");
    // What is no quantity has its own message; here it would only make the sum fail.
    let readable =
        format!("{} && self.allocations.all(a, {})", in_range("self.quota", "0"), in_range("a.size", "0"));
    vec![
        invalid_saying(
            format!("!has(self.allocations) || !({readable}) || {sum} <= {quota}"),
            format!(
                "'the allocations add up to %d bytes, the quota is %s (%d bytes): take something back from a group, \
                 or raise the quota'.format([{sum}, self.quota, {quota}])"
            ),
        )
        .field_path(".allocations"),
        forbidden(
            "self.state != 'Pending' || oldSelf.state == 'Pending'",
            "a member who was admitted cannot become Pending again: use Suspended",
        )
        .field_path(".state"),
        set_once("spaceID"),
    ]
}

fn status_rules() -> Vec<Rule> {
    vec![forbidden(
        "!has(oldSelf.term) || (has(self.term) && self.term >= oldSelf.term)",
        "a later leadership of the operator has written this status: an earlier one writes nothing any more",
    )]
}

/// What only the whole object can say.
pub(super) fn root_rules() -> Vec<Rule> {
    vec![invalid("self.metadata.name.size() <= 63", "the name may have at most 63 characters")]
}

/// A part of a quota, given to a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Allocation {
    /// Name of the Group.
    #[schemars(schema_with = "schema::resource_name")]
    pub group: String,
    /// Part of the quota given to it. 0: take part without giving.
    #[schemars(schema_with = "schema::amount")]
    pub size: Quantity,
    /// The uid of the Group that was meant: another one of that name gets nothing. Written by the web pods; may be
    /// left out.
    #[serde(default, rename = "groupUID", skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::uid")]
    pub group_uid: Option<String>,
}

/// Whether a member may sign in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum MemberState {
    /// May.
    #[default]
    Active,
    /// May not; files and allocations stay.
    Suspended,
    /// Not yet approved.
    Pending,
}

/// Who somebody is at an OpenID provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Identity {
    /// spec.signIn.oidc[].name of the DiskCluster.
    #[schemars(schema_with = "schema::short_name")]
    pub provider: String,
    /// The subject claim.
    #[schemars(length(min = 1, max = 255))]
    pub subject: String,
}

/// Written by the operator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = status_rules()))]
pub struct MemberStatus {
    /// The generation of the spec that this status speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Types: Ready, Reconciling, Stalled, CredentialReady, WithinQuota, AllocationsEffective.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
    /// Id of the own disk on the volume.
    #[serde(rename = "spaceID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 36))]
    pub space_id: Option<String>,
    /// Volume it lies on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20))]
    pub volume: Option<String>,
    /// The quota that is in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<Quantity>,
    /// What counts for groups now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allocated: Option<Quantity>,
    /// Limit of the own disk, as committed on the volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available: Option<Quantity>,
    /// Of the own disk; rounded, some minutes old.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<Quantity>,
    /// Used, in percent of the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub used_percent: Option<i32>,
    /// What became of each allocation.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 512))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["group"]))]
    pub allocations: Vec<AllocationStatus>,
    /// Groups the member takes part in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub groups: Option<i32>,
    /// Day of the last sign-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 10))]
    pub last_sign_in_day: Option<String>,
    /// Which leadership of the operator wrote what is lent; none of before may write it after that.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub term: Option<i64>,
}

/// What became of an allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AllocationStatus {
    /// The group.
    #[schemars(length(max = 63))]
    pub group: String,
    /// Its uid.
    #[serde(default, rename = "groupUID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 36))]
    pub group_uid: Option<String>,
    /// What the member wants to give; nothing where it was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Quantity>,
    /// What counts for the group now: less than the size while the own disk still uses it, more than it while the
    /// group does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted: Option<Quantity>,
    /// Whether it takes effect, or why it does not.
    pub state: AllocationState,
    /// What the member may do in the group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// Whether an allocation takes effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AllocationState {
    /// It does.
    Active,
    /// Owners of the group have to admit the member first.
    #[default]
    Requested,
    /// It is less than the group asks for.
    BelowMinimum,
    /// The group does not want the member.
    Blocked,
    /// There is no group of that name.
    NoSuchGroup,
    /// There is one, but not the one that was meant.
    GroupReplaced,
    /// It counts, but the member is suspended.
    Suspended,
    /// It was taken back, and part of it is still in use.
    Returning,
}
