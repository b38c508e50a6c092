//! Who the pods are and what they may do: no more than what each rule says it is for.

use api::kubernetes::disk_cluster::sign_in::NewMemberPolicy;
use api::kubernetes::labels::Component;
use api::kubernetes::names::Names;
use api::kubernetes::{DiskCluster, GROUP};
use k8s_openapi::api::core::v1::{Secret, ServiceAccount};
use k8s_openapi::api::rbac::v1::{PolicyRule, Role, RoleBinding, RoleRef, Subject};
use kube::ResourceExt;
use roster::SHARDS;

use super::owned;

const COMPONENTS: [Component; 2] = [Component::Disk, Component::Web];

fn name(names: &Names, component: Component) -> String {
    match component {
        Component::Web => names.web(),
        _ => names.disk(),
    }
}

/// One for disk pods, one for web pods.
pub(super) fn accounts(cluster: &DiskCluster, names: &Names) -> Vec<ServiceAccount> {
    COMPONENTS
        .map(|component| ServiceAccount {
            metadata: owned(cluster, &name(names, component), component),
            ..ServiceAccount::default()
        })
        .into()
}

/// What they may do.
pub(super) fn roles(cluster: &DiskCluster, names: &Names) -> Vec<Role> {
    let mut web = roster(names);
    web.extend(credentials(names));
    web.extend(self_service(names));
    if cluster.spec.sign_in.oidc.iter().any(|one| one.new_members != NewMemberPolicy::Refuse) {
        // Whoever signs in for the first time gets a Member, of the state and quota that the admission policies allow.
        web.push(rule(GROUP, "members", Vec::new(), &["create"]));
    }
    [(Component::Disk, roster(names)), (Component::Web, web)]
        .map(|(component, rules)| Role {
            metadata: owned(cluster, &name(names, component), component),
            rules: Some(rules),
        })
        .into()
}

/// That they may.
pub(super) fn bindings(cluster: &DiskCluster, names: &Names) -> Vec<RoleBinding> {
    COMPONENTS
        .map(|component| {
            let name = name(names, component);
            RoleBinding {
                metadata: owned(cluster, &name, component),
                role_ref: RoleRef {
                    api_group: "rbac.authorization.k8s.io".to_owned(),
                    kind: "Role".to_owned(),
                    name: name.clone(),
                },
                subjects: Some(vec![Subject {
                    kind: "ServiceAccount".to_owned(),
                    name,
                    namespace: cluster.namespace(),
                    api_group: None,
                }]),
            }
        })
        .into()
}

fn rule(group: &str, resource: &str, names: Vec<String>, verbs: &[&str]) -> PolicyRule {
    PolicyRule {
        api_groups: Some(vec![group.to_owned()]),
        resources: Some(vec![resource.to_owned()]),
        resource_names: (!names.is_empty()).then_some(names),
        verbs: verbs.iter().map(|verb| (*verb).to_owned()).collect(),
        non_resource_urls: None,
    }
}

fn roster(names: &Names) -> Vec<PolicyRule> {
    let shards = (0..SHARDS).map(|shard| names.roster_shard(shard)).collect();
    vec![
        // The index is watched: a watch of one named object begins with a list of it.
        rule("", "configmaps", vec![names.roster()], &["get", "list", "watch"]),
        // A shard is read when the index names a newer one.
        rule("", "configmaps", shards, &["get"]),
    ]
}

fn credentials(names: &Names) -> Vec<PolicyRule> {
    let shards = (0..SHARDS).map(|shard| names.credentials(shard)).collect();
    // What passwords are checked against, read when the index names a newer one. No other Secret is readable.
    let apps = (0..SHARDS).map(|shard| names.app_passwords(shard)).collect();
    vec![
        rule("", "secrets", shards, &["get"]),
        // Members make and revoke app passwords. The operator makes the Secrets: nobody else may.
        rule("", "secrets", apps, &["get", "patch"]),
    ]
}

/// Where web pods write app passwords, empty: what they write stays theirs.
pub(super) fn app_passwords(cluster: &DiskCluster, names: &Names) -> Vec<Secret> {
    (0..SHARDS)
        .map(|shard| Secret {
            metadata: owned(cluster, &names.app_passwords(shard), Component::Credentials),
            type_: Some("Opaque".to_owned()),
            ..Secret::default()
        })
        .collect()
}

fn self_service(names: &Names) -> Vec<PolicyRule> {
    vec![
        // Members change what they give to groups. The admission policies hold whoever lacks the verb administer to
        // that, and to Members of a DiskCluster he may serve. One is read before it is patched.
        rule(GROUP, "members", Vec::new(), &["get", "patch"]),
        // Owners change who takes part in a group, and members make groups.
        rule(GROUP, "groups", Vec::new(), &["get", "create", "patch"]),
        // Self-service for this DiskCluster and no other.
        rule(GROUP, "diskclusters", vec![names.cluster().to_owned()], &["serve"]),
    ]
}
