//! The custom resources of `internetdisk.dev/v1alpha1`: their types, their rules, and the names of what is made for
//! them.
//!
//! A rule that one object can decide stands as CEL beside the field it is about; what crosses objects is a
//! ValidatingAdmissionPolicy in [`policy`]. The YAML in `crds/` is made from both by [`crd::documents`].

pub mod condition;
pub mod crd;
pub mod disk_cluster;
pub mod group;
pub mod labels;
pub mod member;
pub mod names;
pub mod policy;
pub mod quantity;
pub mod reference;
mod schema;

pub use disk_cluster::{DiskCluster, DiskClusterSpec, DiskClusterStatus};
pub use group::{Group, GroupSpec, GroupStatus};
pub use member::{Member, MemberSpec, MemberStatus};
pub use quantity::Quantity;

/// The API group of the custom resources.
pub const GROUP: &str = "internetdisk.dev";
/// Its version.
pub const VERSION: &str = "v1alpha1";
