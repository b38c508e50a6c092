//! What holds for every space of a DiskCluster.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kubernetes::group::JoinPolicy;
use crate::kubernetes::quantity::Quantity;
use crate::kubernetes::schema;

/// What holds for every space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Policies {
    /// Deleted files.
    pub trash: Trash,
    /// Earlier contents of files.
    pub versions: Versions,
    /// The space as it was.
    pub history: History,
    /// Uploads.
    pub uploads: Uploads,
    /// Files shown to others.
    pub shares: Shares,
    /// What members may do with groups.
    pub groups: GroupPolicies,
    /// How much may be promised (the sum of quotas), in percent of the capacity, before no more Members make themselves
    /// and CapacitySufficient says so.
    #[schemars(range(min = 1, max = 10000))]
    pub overcommit_percent: i32,
}

impl Default for Policies {
    fn default() -> Self {
        Self {
            trash: Trash::default(),
            versions: Versions::default(),
            history: History::default(),
            uploads: Uploads::default(),
            shares: Shares::default(),
            groups: GroupPolicies::default(),
            overcommit_percent: 100,
        }
    }
}

/// Deleted files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Trash {
    /// Deleted files are kept so long. 0: none.
    #[schemars(range(min = 0, max = 3650))]
    pub retention_days: i32,
    /// Of a space; older ones go first.
    #[schemars(range(min = 0, max = 100))]
    pub maximum_percent: i32,
}

impl Default for Trash {
    fn default() -> Self {
        Self { retention_days: 30, maximum_percent: 50 }
    }
}

/// Earlier contents of files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Versions {
    /// They are kept so long.
    #[schemars(range(min = 0, max = 3650))]
    pub retention_days: i32,
    /// Of one file. 0: none.
    #[schemars(range(min = 0, max = 1000))]
    pub maximum_per_file: i32,
}

impl Default for Versions {
    fn default() -> Self {
        Self { retention_days: 30, maximum_per_file: 20 }
    }
}

/// The space as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct History {
    /// A space can be shown as it was at any moment this far back.
    #[schemars(range(min = 0, max = 8760))]
    pub retention_hours: i32,
}

impl Default for History {
    fn default() -> Self {
        Self { retention_hours: 24 }
    }
}

/// Uploads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Uploads {
    /// An upload that nobody continues is dropped after this.
    #[schemars(range(min = 1, max = 8760))]
    pub expiration_hours: i32,
    /// Default: the space left.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::file_size")]
    pub maximum_file_size: Option<Quantity>,
}

impl Default for Uploads {
    fn default() -> Self {
        Self { expiration_hours: 72, maximum_file_size: None }
    }
}

/// Files shown to others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Shares {
    /// Whether members may share files by a link.
    pub links: LinkPolicy,
    /// 0: no end.
    #[schemars(range(min = 0, max = 3650))]
    pub maximum_lifetime_days: i32,
}

/// Whether files are shared by links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum LinkPolicy {
    /// They may be.
    #[default]
    Allowed,
    /// With a password.
    PasswordRequired,
    /// They may not.
    Forbidden,
}

/// What members may do with groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct GroupPolicies {
    /// Who may create a group.
    pub creation: GroupCreation,
    /// What members may choose for their groups.
    #[schemars(length(min = 1, max = 3), extend("x-kubernetes-list-type" = "set"))]
    pub join_policies: Vec<JoinPolicy>,
    /// Groups that one member may own. Kept by the web pods.
    #[schemars(range(min = 0, max = 256))]
    pub maximum_per_member: i32,
}

impl Default for GroupPolicies {
    fn default() -> Self {
        Self {
            creation: GroupCreation::default(),
            join_policies: vec![JoinPolicy::Open, JoinPolicy::OnRequest, JoinPolicy::InviteOnly],
            maximum_per_member: 32,
        }
    }
}

/// Who may create a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum GroupCreation {
    /// Every member, on the page.
    #[default]
    Members,
    /// Those who administer Groups in Kubernetes.
    Administrators,
}
