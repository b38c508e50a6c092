//! Labels and annotations: by which the operator finds its own, and by which people tell it something.

use std::collections::BTreeMap;
use std::fmt;

use super::names::Names;

/// What the whole is called.
pub const NAME: &str = "app.kubernetes.io/name";
/// The DiskCluster that something was made for.
pub const INSTANCE: &str = "app.kubernetes.io/instance";
/// Which part of it.
pub const COMPONENT: &str = "app.kubernetes.io/component";
/// What it is a part of.
pub const PART_OF: &str = "app.kubernetes.io/part-of";
/// Who looks after it.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The version of a pod.
pub const VERSION: &str = "app.kubernetes.io/version";
/// The one disk pod that a Service leads to; Kubernetes itself sets it on pods of a StatefulSet.
pub const POD_NAME: &str = "statefulset.kubernetes.io/pod-name";

/// On an object with something to lose: its own name, to delete it all the same.
pub const CONFIRM_DELETION: &str = "internetdisk.dev/confirm-deletion";
/// On a DiskCluster, for tests alone: `enabled` lets a volume be made to hang.
pub const FAULT_INJECTION: &str = "internetdisk.dev/fault-injection";
/// On a pod template: what its settings were, so that a change restarts the pods.
pub const SETTINGS_HASH: &str = "internetdisk.dev/settings-hash";
/// On a DiskCluster: any new value has the ticket keys rotated.
pub const ROTATE_KEYS: &str = "internetdisk.dev/rotate-keys";

/// On a pod that tries out a volume: what is checked.
pub const CHECK: &str = "internetdisk.dev/check";

/// Holds an object until what belongs to it is put away.
pub const FINALIZER: &str = "internetdisk.dev/finalizer";

/// Who the operator is among those who write fields.
pub const MANAGER_OPERATOR: &str = "internetdisk-operator";
/// Who the web pods are among those who write fields.
pub const MANAGER_WEB: &str = "internetdisk-web";

/// A part of a DiskCluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Component {
    /// The disk servers.
    Disk,
    /// The web servers.
    Web,
    /// What all of them know of members and groups.
    Roster,
    /// What web pods alone know of members.
    Credentials,
    /// What signs.
    Keys,
    /// A volume.
    Volume,
    /// The pods that try out a volume.
    Check,
}

impl Component {
    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disk => "disk",
            Self::Web => "web",
            Self::Roster => "roster",
            Self::Credentials => "credentials",
            Self::Keys => "keys",
            Self::Volume => "volume",
            Self::Check => "check",
        }
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// By which all that was made for a part of a DiskCluster is found. It never changes: a StatefulSet keeps its
/// selector for ever.
#[must_use]
pub fn selector(cluster: &Names, component: Component) -> BTreeMap<String, String> {
    [(NAME, "internet-disk"), (INSTANCE, cluster.cluster()), (COMPONENT, component.as_str())]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

/// All labels of what is made for a part of a DiskCluster.
#[must_use]
pub fn labels(cluster: &Names, component: Component) -> BTreeMap<String, String> {
    let mut labels = selector(cluster, component);
    labels.insert(PART_OF.to_owned(), "internet-disk".to_owned());
    labels.insert(MANAGED_BY.to_owned(), MANAGER_OPERATOR.to_owned());
    labels
}

/// A selector as a text, for lists and for the scale subresource.
#[must_use]
pub fn selector_text(selector: &BTreeMap<String, String>) -> String {
    let parts: Vec<String> = selector.iter().map(|(key, value)| format!("{key}={value}")).collect();
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_is_part_of_the_labels() {
        let demo = Names::of("demo");
        for component in [Component::Disk, Component::Web, Component::Roster, Component::Volume] {
            let labels = labels(&demo, component);
            assert!(selector(&demo, component).iter().all(|(key, value)| labels.get(key) == Some(value)));
        }
        assert_eq!(
            selector_text(&selector(&demo, Component::Disk)),
            "app.kubernetes.io/component=disk,app.kubernetes.io/instance=demo,app.kubernetes.io/name=internet-disk"
        );
    }
}
