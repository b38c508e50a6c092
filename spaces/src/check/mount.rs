//! How a volume is mounted, as the kernel says, and what of that the protocol can not stand.

use std::path::{Path, PathBuf};

use super::report::{Facts, Findings};

const CHECK: &str = "mount";

/// A line of `/proc/self/mountinfo` (proc_pid_mountinfo(5)).
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mount {
    point: PathBuf,
    kind: String,
    /// Of the mount and of the file system.
    options: Vec<String>,
}

pub(super) fn look(place: &Path, findings: &mut Findings, facts: &mut Facts) {
    let text = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let place = std::fs::canonicalize(place).unwrap_or_else(|_| place.to_owned());
    let Some(mount) = holding(&text, &place) else {
        return findings.note(CHECK, "how it is mounted is not known here");
    };
    judge(&mount, findings);
    facts.mount_options = Some(mount.options.join(","));
    facts.file_system = Some(mount.kind);
}

/// The mount that a place is in: the one with the longest path, and of these the last.
fn holding(text: &str, place: &Path) -> Option<Mount> {
    let mounts = text.lines().filter_map(parse).filter(|mount| place.starts_with(&mount.point));
    mounts.max_by_key(|mount| mount.point.components().count())
}

fn parse(line: &str) -> Option<Mount> {
    let (before, after) = line.split_once(" - ")?;
    let mut before = before.split(' ').skip(4);
    let (point, options) = (before.next()?, before.next()?);
    let mut after = after.split(' ');
    let kind = after.next()?.to_owned();
    let of_file_system = after.nth(1).unwrap_or_default();
    let mut all: Vec<String> = Vec::new();
    for option in options.split(',').chain(of_file_system.split(',')) {
        if !option.is_empty() && !all.iter().any(|known| known == option) {
            all.push(option.to_owned());
        }
    }
    Some(Mount { point: PathBuf::from(unescaped(point)), kind, options: all })
}

/// Spaces and the like are written as `\040`.
fn unescaped(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) if byte.is_ascii() => {
                whole.push(char::from(byte));
                whole.push_str(part.get(3..).unwrap_or_default());
            }
            _ => {
                whole.push('\\');
                whole.push_str(part);
            }
        }
    }
    whole
}

fn judge(mount: &Mount, findings: &mut Findings) {
    let has = |option: &str| mount.options.iter().any(|one| one == option);
    if has("ro") {
        findings.unsuitable(CHECK, "it is mounted read-only (ro): mount it so that it can be written");
    }
    match mount.kind.as_str() {
        "nfs" | "nfs4" => nfs(&has, findings),
        "ceph" if !has("wsync") => findings.doubtful(
            CHECK,
            "CephFS is mounted without wsync: names may be made before the server knows of them; mount it with wsync",
        ),
        "tmpfs" | "ramfs" => findings.doubtful(
            CHECK,
            "it is in the memory of one machine: everything is gone with the next start; use a file system that lasts",
        ),
        "overlay" => findings.doubtful(
            CHECK,
            "it is an overlay, as the own files of a container are: see whether the volume is mounted at all",
        ),
        "cifs" | "smb3" => findings.note(
            CHECK,
            "it is mounted by SMB: most such servers, Azure Files among them, make no hard links",
        ),
        "ext2" | "ext3" | "ext4" | "xfs" | "btrfs" | "zfs" | "f2fs" => findings.note(
            CHECK,
            format!("{} is a file system of one machine: pods of other machines do not share it", mount.kind),
        ),
        _ => {}
    }
    if ["nobarrier", "barrier=0"].iter().any(|option| has(option)) {
        findings.doubtful(
            CHECK,
            "it is mounted without barriers: what was synced can be lost when power is; mount it with barriers",
        );
    }
}

fn nfs(has: &impl Fn(&str) -> bool, findings: &mut Findings) {
    // The kernel does not show `all`, which is what it does when nothing is said.
    if !has("lookupcache=pos") && !has("lookupcache=positive") && !has("lookupcache=none") {
        findings.unsuitable(
            CHECK,
            "NFS is mounted without lookupcache=positive: it remembers for up to a minute that a name is not there, \
             and pods would not see each other's changes; add lookupcache=positive to the mount options",
        );
    }
    if has("nocto") {
        findings.unsuitable(
            CHECK,
            "NFS is mounted with nocto: a file that is opened afresh may show old content; take nocto away",
        );
    }
    if has("vers=2") {
        findings.unsuitable(
            CHECK,
            "NFS is mounted with version 2, which has no large files: use version 4.1 or later",
        );
    }
    if has("soft") {
        findings.note(
            CHECK,
            "NFS is mounted soft: what takes too long fails, and the pod looks what became of it; hard is usual",
        );
    }
    findings.note(
        CHECK,
        "whether the NFS server exports it sync can not be seen from here: an async export loses what was acknowledged",
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::report::Level;

    const LINES: &str = "\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,errors=remount-ro
30 22 0:40 / /volumes/a rw,relatime - nfs4 server:/export rw,vers=4.2,hard,lookupcache=pos,local_lock=none
31 22 0:41 / /volumes/a\\040b ro - fuse.mfs mfs#server rw,user_id=0
32 30 0:42 / /volumes/a rw - tmpfs tmpfs rw,size=1k";

    fn found(place: &str) -> Mount {
        holding(LINES, Path::new(place)).unwrap()
    }

    #[test]
    fn the_mount_that_a_place_is_in() {
        assert_eq!(found("/volumes/b").kind, "ext4");
        assert_eq!(found("/volumes/a b/c").kind, "fuse.mfs");
        assert_eq!(found("/volumes/a b").options, ["ro", "rw", "user_id=0"]);
        assert_eq!(found("/volumes/a").kind, "tmpfs", "what was mounted over it last");
        assert_eq!(holding("nonsense\n1 2 3", Path::new("/")), None);
    }

    #[test]
    fn what_the_protocol_can_not_stand() {
        for (kind, options, grave) in [
            ("ext4", "rw,relatime", None),
            ("ext4", "rw,barrier=0", Some(Level::Doubtful)),
            ("xfs", "ro", Some(Level::Unsuitable)),
            ("nfs4", "rw,vers=4.2,hard,lookupcache=pos", None),
            ("nfs4", "rw,vers=4.2,hard,lookupcache=none", None),
            ("nfs4", "rw,vers=4.2,hard", Some(Level::Unsuitable)),
            ("nfs", "rw,vers=3,nolock,lookupcache=pos", None),
            ("nfs4", "rw,lookupcache=pos,nocto", Some(Level::Unsuitable)),
            ("ceph", "rw,acl,wsync", None),
            ("ceph", "rw,acl", Some(Level::Doubtful)),
            ("cifs", "rw,vers=3.1.1", None),
            ("tmpfs", "rw", Some(Level::Doubtful)),
            ("fuse.mfs", "rw", None),
        ] {
            let mount = Mount {
                point: PathBuf::from("/"),
                kind: kind.to_owned(),
                options: options.split(',').map(str::to_owned).collect(),
            };
            let mut findings = Findings::default();
            judge(&mount, &mut findings);
            let report = findings.report(Facts::default());
            let gravest =
                report.findings.first().map(|finding| finding.level).filter(|level| *level > Level::Note);
            assert_eq!(gravest, grave, "{kind} {options}: {:?}", report.findings);
        }
    }
}
