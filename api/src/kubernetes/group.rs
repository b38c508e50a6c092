//! The custom resource Group: a disk that several members share.
#![allow(clippy::duplicated_attributes)] // columns of kubectl get are attributes that look alike

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use kube::core::Rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::quantity::Quantity;
use super::reference::{ClusterReference, DeletionPolicy};
use super::schema::{self, invalid, set_once};
use crate::role::Role;

/// A disk that several members share; its capacity is the sum of what they give.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "internetdisk.dev",
    version = "v1alpha1",
    kind = "Group",
    doc = "A disk that several members share; its capacity is the sum of what they give.",
    namespaced,
    status = "GroupStatus",
    shortname = "idg",
    category = "internetdisk",
    derive = "PartialEq",
    selectable = ".spec.clusterRef.name",
    selectable = ".spec.joining.policy",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(name = "Joining", type_ = "string", json_path = ".spec.joining.policy"),
    printcolumn(name = "Members", type_ = "integer", json_path = ".status.participants"),
    printcolumn(name = "Requests", type_ = "integer", json_path = ".status.requests"),
    printcolumn(name = "Used", type_ = "string", json_path = ".status.used"),
    printcolumn(name = "Capacity", type_ = "string", json_path = ".status.capacity"),
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
pub struct GroupSpec {
    /// The DiskCluster this belongs to. Cannot change.
    pub cluster_ref: ClusterReference,
    /// The name people see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub display_name: Option<String>,
    /// What the group is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub description: Option<String>,
    /// How one joins.
    #[serde(default)]
    pub joining: Joining,
    /// Who is admitted, and as what. Somebody listed who has not allocated anything (a size of 0 is enough where
    /// minimumContribution is 0) is invited; taking part needs both.
    #[schemars(length(max = 512))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub members: Vec<GroupMember>,
    /// ReadOnly: an archive.
    #[serde(default)]
    pub access: GroupAccess,
    /// What becomes of the files when the Group is deleted. Retain: they stay on the volume under the space id.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
    /// Take over the space of this id, which is on the volume already (restored cluster, re-created object; see
    /// status.spaceID). Default: the uid of this object. Cannot change once set.
    #[serde(default, rename = "spaceID", skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::uid")]
    pub space_id: Option<String>,
}

fn rules() -> Vec<Rule> {
    vec![
        invalid(
            "self.members.exists(m, m.role == 'Owner')",
            "a group needs at least one owner: add {name: <member>, role: Owner} to members",
        )
        .field_path(".members"),
        set_once("spaceID"),
    ]
}

/// What only the whole object can say.
pub(super) fn root_rules() -> Vec<Rule> {
    vec![invalid("self.metadata.name.size() <= 63", "the name may have at most 63 characters")]
}

/// How one joins a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Joining {
    /// Open: everybody who allocates enough is in. OnRequest: an allocation by somebody not in members is a request
    /// that owners see. InviteOnly: it is ignored.
    pub policy: JoinPolicy,
    /// Of those who are in by Open.
    pub default_role: DefaultRole,
    /// Least allocation for taking part.
    #[schemars(schema_with = "schema::amount")]
    pub minimum_contribution: Quantity,
}

impl Default for Joining {
    fn default() -> Self {
        Self {
            policy: JoinPolicy::default(),
            default_role: DefaultRole::default(),
            minimum_contribution: Quantity("0".to_owned()),
        }
    }
}

/// Who may join a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum JoinPolicy {
    /// Everybody.
    Open,
    /// Everybody whom an owner admits.
    OnRequest,
    /// Whom an owner invites.
    #[default]
    InviteOnly,
}

/// The role of those who join by themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DefaultRole {
    /// Reads and writes.
    #[default]
    Editor,
    /// Reads.
    Viewer,
}

/// Somebody who is admitted, or kept out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupMember {
    /// Name of the Member.
    #[schemars(schema_with = "schema::resource_name")]
    pub name: String,
    /// Blocked: may not take part, even where joining is Open.
    #[serde(default)]
    pub role: ListedRole,
    /// The uid of the Member that was meant: another one of that name is not admitted. Written by the web pods; may
    /// be left out.
    #[serde(default, rename = "memberUID", skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::uid")]
    pub member_uid: Option<String>,
}

/// What somebody is in a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ListedRole {
    /// Reads, writes, and decides who takes part.
    Owner,
    /// Reads and writes.
    #[default]
    Editor,
    /// Reads.
    Viewer,
    /// May not take part.
    Blocked,
}

impl ListedRole {
    /// The role in the group's space; none for those who are kept out.
    #[must_use]
    pub fn in_space(self) -> Option<Role> {
        match self {
            Self::Owner => Some(Role::Owner),
            Self::Editor => Some(Role::Editor),
            Self::Viewer => Some(Role::Viewer),
            Self::Blocked => None,
        }
    }
}

impl From<DefaultRole> for Role {
    fn from(role: DefaultRole) -> Self {
        match role {
            DefaultRole::Editor => Self::Editor,
            DefaultRole::Viewer => Self::Viewer,
        }
    }
}

/// Whether a group's files may be changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum GroupAccess {
    /// They may.
    #[default]
    ReadWrite,
    /// They may not.
    ReadOnly,
}

/// Written by the operator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct GroupStatus {
    /// The generation of the spec that this status speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Types: Ready, Reconciling, Stalled, Funded, WithinCapacity, OwnerPresent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
    /// Id of the group's disk on the volume.
    #[serde(rename = "spaceID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 36))]
    pub space_id: Option<String>,
    /// Volume it lies on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20))]
    pub volume: Option<String>,
    /// The limit in force, as committed on the volume: what counts of the contributions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Quantity>,
    /// Rounded, some minutes old.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<Quantity>,
    /// Used, in percent of the capacity.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub used_percent: Option<i32>,
    /// Members who take part.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub participants: Option<i32>,
    /// Listed, not (enough) allocated.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub invitations: Option<i32>,
    /// Allocated, not listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub requests: Option<i32>,
    /// The 256 largest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["member"]))]
    pub contributions: Vec<Contribution>,
}

/// What a member gives to the group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Contribution {
    /// The member.
    #[schemars(length(max = 63))]
    pub member: String,
    /// The member's uid.
    #[serde(default, rename = "memberUID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 36))]
    pub member_uid: Option<String>,
    /// What the member wants to give.
    pub size: Quantity,
    /// What counts of it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted: Option<Quantity>,
    /// What the member may do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}
