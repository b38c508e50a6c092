//! The names of what is made for a DiskCluster, and its ports. Pods, scripts and people rely on them.

use crate::kubernetes::disk_cluster::volume::Volume;

/// Port of the Services.
pub const SERVICE_PORT: u16 = 80;
/// Port of disk pods and web pods for clients.
pub const PUBLIC_PORT: u16 = 8080;
/// Private port of disk pods (load report, limits) and of web pods (whose a password is).
pub const INTERNAL_PORT: u16 = 8081;
/// Port for probes and metrics.
pub const ADMIN_PORT: u16 = 9090;

/// So many pods try out a volume together.
pub const CHECKERS: u32 = 2;

/// The names of what is made for one DiskCluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Names {
    cluster: String,
}

impl Names {
    /// For the DiskCluster of this name.
    pub fn of(cluster: impl Into<String>) -> Self {
        Self { cluster: cluster.into() }
    }

    /// The DiskCluster.
    #[must_use]
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// The disk servers: StatefulSet, shared Service, ServiceAccount, Role, PodDisruptionBudget, NetworkPolicy.
    #[must_use]
    pub fn disk(&self) -> String {
        format!("{}-disk", self.cluster)
    }

    /// The Service without an address that gives each disk pod a name in DNS, ready or not.
    #[must_use]
    pub fn disk_pods(&self) -> String {
        format!("{}-disk-pods", self.cluster)
    }

    /// One disk pod, and the Service that leads to it alone.
    #[must_use]
    pub fn disk_pod(&self, ordinal: u32) -> String {
        format!("{}-disk-{ordinal}", self.cluster)
    }

    /// Which disk pod of this cluster has the name, or is led to by the Service of the name.
    #[must_use]
    pub fn ordinal_of(&self, pod: &str) -> Option<u32> {
        let ordinal = pod.strip_prefix(&self.cluster)?.strip_prefix("-disk-")?;
        let number = ordinal.parse().ok()?;
        (self.disk_pod(number) == pod).then_some(number)
    }

    /// `host:port` of the private port of a disk pod, inside the cluster.
    #[must_use]
    pub fn disk_pod_internal(&self, ordinal: u32, namespace: &str) -> String {
        format!("{}.{}.{namespace}.svc:{INTERNAL_PORT}", self.disk_pod(ordinal), self.disk_pods())
    }

    /// The web servers: Deployment, Service, ServiceAccount, Role, PodDisruptionBudget, NetworkPolicy.
    #[must_use]
    pub fn web(&self) -> String {
        format!("{}-web", self.cluster)
    }

    /// The Service that leads disk pods to the private port of the web servers.
    #[must_use]
    pub fn web_internal(&self) -> String {
        format!("{}-web-internal", self.cluster)
    }

    /// The Secret of the key that disk pods sign their questions to web pods with.
    #[must_use]
    pub fn disk_key(&self) -> String {
        format!("{}-disk-key", self.cluster)
    }

    /// The Secret of the keys that web pods sign tickets and sessions with.
    #[must_use]
    pub fn web_keys(&self) -> String {
        format!("{}-web-keys", self.cluster)
    }

    /// The Secret of the key that the operator signs the roster and its requests with.
    #[must_use]
    pub fn operator_key(&self) -> String {
        format!("{}-operator-key", self.cluster)
    }

    /// The ConfigMap of the roster's index.
    #[must_use]
    pub fn roster(&self) -> String {
        format!("{}-roster", self.cluster)
    }

    /// The ConfigMap of a shard of the roster.
    #[must_use]
    pub fn roster_shard(&self, shard: u8) -> String {
        format!("{}-roster-{shard}", self.cluster)
    }

    /// The Secret of the password verifiers of the members in a shard.
    #[must_use]
    pub fn credentials(&self, shard: u8) -> String {
        format!("{}-credentials-{shard}", self.cluster)
    }

    /// The Secret that web pods write the app passwords of the members in a shard to.
    #[must_use]
    pub fn app_passwords(&self, shard: u8) -> String {
        format!("{}-app-passwords-{shard}", self.cluster)
    }

    /// The claim that the operator makes for a volume.
    #[must_use]
    pub fn claim(&self, volume: &str) -> String {
        format!("{}-{volume}", self.cluster)
    }

    /// One of the pods that try out a volume.
    #[must_use]
    pub fn check_pod(&self, volume: &str, number: u32) -> String {
        format!("{}-check-{volume}-{number}", self.cluster)
    }

    /// NetworkPolicy of the pods that try out volumes.
    #[must_use]
    pub fn check(&self) -> String {
        format!("{}-check", self.cluster)
    }

    /// The claim of a volume, whoever made it.
    #[must_use]
    pub fn claim_of(&self, volume: &Volume) -> String {
        volume.existing_claim.as_ref().map_or_else(|| self.claim(&volume.name), |claim| claim.name.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::reference::LocalReference;

    #[test]
    fn names_are_what_scripts_and_pods_expect() {
        let demo = Names::of("demo");
        for (name, expected) in [
            (demo.disk(), "demo-disk"),
            (demo.disk_pods(), "demo-disk-pods"),
            (demo.disk_pod(0), "demo-disk-0"),
            (demo.disk_pod_internal(2, "disk"), "demo-disk-2.demo-disk-pods.disk.svc:8081"),
            (demo.web(), "demo-web"),
            (demo.web_keys(), "demo-web-keys"),
            (demo.operator_key(), "demo-operator-key"),
            (demo.roster(), "demo-roster"),
            (demo.roster_shard(31), "demo-roster-31"),
            (demo.credentials(0), "demo-credentials-0"),
            (demo.claim("main"), "demo-main"),
        ] {
            assert_eq!(name, expected);
        }
    }

    #[test]
    fn an_ordinal_is_read_back_and_nothing_else_is() {
        let demo = Names::of("demo");
        for ordinal in [0, 7, 999] {
            assert_eq!(demo.ordinal_of(&demo.disk_pod(ordinal)), Some(ordinal));
        }
        for other in
            ["demo-disk", "demo-disk-", "demo-disk-01", "demo-disk-+1", "demo-web-0", "demo2-disk-0", "x"]
        {
            assert_eq!(demo.ordinal_of(other), None, "{other}");
        }
    }

    #[test]
    fn the_longest_names_are_names() {
        let longest = Names::of("a".repeat(40));
        for name in [longest.disk_pod(999), longest.disk_pods(), longest.web(), longest.disk()] {
            // A Service is a label of DNS; a StatefulSet adds "-" and ten characters to label its pods.
            assert!(name.len() <= 52, "{name}");
        }
        assert!(longest.claim(&"v".repeat(20)).len() <= 63);
    }

    #[test]
    fn a_claim_is_made_or_named() {
        let demo = Names::of("demo");
        let mut volume = Volume { name: "main".to_owned(), ..Volume::default() };
        assert_eq!(demo.claim_of(&volume), "demo-main");
        volume.existing_claim = Some(LocalReference { name: "nas".to_owned() });
        assert_eq!(demo.claim_of(&volume), "nas");
    }
}
