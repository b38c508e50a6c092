//! Whose a volume is, and whether this user can go on with what is on it. Nothing is changed.

use api::ids::ClusterUid;

use super::report::Findings;
use crate::file_system::FsError;
use crate::format::FORMAT;
use crate::format::identity::{FILE, Identity, IdentityError, LONGEST};
use crate::local::directory::Directory;
use crate::local::file;

const CHECK: &str = "identity";

pub(super) fn look(
    directory: &Directory,
    cluster: Option<ClusterUid>,
    adopt: Option<ClusterUid>,
    findings: &mut Findings,
) {
    let read = directory.open(FILE).and_then(|opened| file::read_at(&opened, 0, LONGEST, FILE));
    let content = match read {
        Ok(content) => content,
        Err(FsError::NotFound) => return findings.note(CHECK, "it is new: no DiskCluster has used it yet"),
        Err(error) => return findings.unsuitable(CHECK, error.to_string()),
    };
    match Identity::read(&content) {
        Err(IdentityError::Newer(found)) => findings.unsuitable(
            CHECK,
            format!("it has format {found}, and this version knows up to {FORMAT}: use a newer version"),
        ),
        Err(IdentityError::Unreadable(reason)) => findings.unsuitable(
            CHECK,
            format!(
                "its {FILE} can not be understood ({reason}): see what happened to it, and restore that file"
            ),
        ),
        Ok(Identity { cluster: owner, .. }) => match cluster {
            Some(cluster) if cluster != owner && Some(owner) != adopt => findings.unsuitable(
                CHECK,
                format!(
                    "it belongs to the DiskCluster with uid {owner}, not to {cluster}: to take it over, set \
                     adoptClusterUID to {owner}"
                ),
            ),
            _ => {}
        },
    }
}

/// Whether what is there already can be written by this user.
pub(super) fn may_write(directory: &Directory, findings: &mut Findings) {
    match directory.may_write("spaces") {
        Ok(()) | Err(FsError::NotFound) => {}
        Err(error) => {
            let user = rustix::process::geteuid().as_raw();
            findings.unsuitable(
                "user",
                format!(
                    "user {user} can not write to spaces/, which is there already ({error}): run as its owner, or \
                     give the files to this user"
                ),
            );
        }
    }
}
