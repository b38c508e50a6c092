//! What is told of an object that goes, so that its files are found again.

use api::bytes::Bytes;
use api::ids::{SpaceId, VolumeName};
use api::kubernetes::reference::DeletionPolicy;

use super::coarse::coarse;
use crate::events::Told;
use crate::lending::Committed;

/// Nothing where there are no files.
pub(super) fn farewell(
    space: SpaceId,
    volume: &VolumeName,
    known: Option<Committed>,
    policy: DeletionPolicy,
) -> Option<Told> {
    let used = known.map_or(Bytes::ZERO, |known| known.used);
    if used == Bytes::ZERO {
        return None;
    }
    let used = coarse(used);
    let kept = format!(
        "files of {used} stay on volume {volume}; a new object with spec.spaceID: {space} takes them over"
    );
    let (warning, reason, note) = match policy {
        DeletionPolicy::Retain => (false, "FilesKept", kept),
        DeletionPolicy::Delete => (
            true,
            "NotSupported",
            format!("this version deletes no files, whatever deletionPolicy says: {kept}"),
        ),
    };
    Some(Told { warning, reason: reason.to_owned(), action: "Close", note })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn whoever_leaves_files_behind_is_told_where() {
        let told = |used, policy| {
            let known = Some(Committed { limit: Bytes::ZERO, used: Bytes(used) });
            farewell(SpaceId(Uuid::nil()), &"main".parse().unwrap(), known, policy)
        };
        assert_eq!(told(0, DeletionPolicy::Delete), None);
        let kept = told(5 << 20, DeletionPolicy::Retain).unwrap();
        assert!(!kept.warning && kept.note.contains("5 MiB") && kept.note.contains(&Uuid::nil().to_string()));
        assert!(told(1, DeletionPolicy::Delete).unwrap().warning);
    }
}
