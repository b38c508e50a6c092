//! The pods run under accounts of their own that may do what they need and nothing more; and they are confined.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)] // a test: all of it

use anyhow::Result;
use internet_disk_e2e::command::kubectl;
use internet_disk_e2e::demo::Demo;
use internet_disk_e2e::settings::OPERATOR_NAMESPACE;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::networking::v1::NetworkPolicy;
use kube::Api;
use kube::api::ListParams;

/// `what` is a resource, one of them by its name after a slash, or a subresource after a `#`.
async fn may(demo: &Demo, account: &str, verb: &str, what: &str, namespace: &str) -> Result<bool> {
    let account = format!("--as=system:serviceaccount:{account}");
    let (what, part) = what.split_once('#').unwrap_or((what, ""));
    let part = format!("--subresource={part}");
    let asked = ["auth", "can-i", verb, what, &part, &account, "-n", namespace];
    let told = kubectl(&demo.settings, &asked).await?;
    Ok(told.stdout.trim() == "yes")
}

#[tokio::test]
async fn accounts_may_do_what_they_need_and_nothing_more() {
    let demo = Demo::find().await.unwrap();
    let operator = "internetdisk-system:internet-disk-operator";
    let cases = [
        // Disk pods read the roster; they know no member and no secret.
        ("disk:demo-disk", "get", "configmaps/demo-roster", "disk", true),
        ("disk:demo-disk", "get", "configmaps/demo-roster-31", "disk", true),
        ("disk:demo-disk", "list", "configmaps", "disk", false),
        ("disk:demo-disk", "get", "secrets/demo-web-keys", "disk", false),
        ("disk:demo-disk", "get", "secrets/demo-operator-key", "disk", false),
        ("disk:demo-disk", "get", "secrets/demo-credentials-0", "disk", false),
        ("disk:demo-disk", "list", "members.internetdisk.dev", "disk", false),
        // Web pods check passwords and do what members do for themselves.
        ("disk:demo-web", "get", "secrets/demo-credentials-0", "disk", true),
        ("disk:demo-web", "get", "secrets/demo-operator-key", "disk", false),
        ("disk:demo-web", "list", "secrets", "disk", false),
        ("disk:demo-web", "get", "secrets/alice-password", "disk", false),
        ("disk:demo-web", "patch", "members.internetdisk.dev", "disk", true),
        ("disk:demo-web", "administer", "members.internetdisk.dev", "disk", false),
        ("disk:demo-web", "delete", "members.internetdisk.dev", "disk", false),
        ("disk:demo-web", "patch", "diskclusters.internetdisk.dev", "disk", false),
        ("disk:demo-web", "patch", "members.internetdisk.dev", "default", false),
        ("disk:demo-web", "create", "pods", "disk", false),
        // The operator runs disks; it is no administrator of the cluster.
        (operator, "create", "statefulsets.apps", "disk", true),
        // Those that try out a volume.
        (operator, "create", "pods", "disk", true),
        (operator, "create", "pods#exec", "disk", false),
        (operator, "patch", "pods", "disk", false),
        (operator, "delete", "members.internetdisk.dev", "disk", false),
        (operator, "create", "clusterroles.rbac.authorization.k8s.io", "disk", false),
        (operator, "escalate", "roles.rbac.authorization.k8s.io", "disk", false),
        (operator, "update", "leases.coordination.k8s.io", "disk", false),
    ];
    let mut wrong = Vec::new();
    for (account, verb, what, namespace, expected) in cases {
        if may(&demo, account, verb, what, namespace).await.unwrap() != expected {
            wrong.push(format!(
                "{account} {} {verb} {what} in {namespace}",
                if expected { "may not" } else { "may" }
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn nothing_was_refused_to_the_operator() {
    let demo = Demo::find().await.unwrap();
    let pods: Api<Pod> = Api::namespaced(demo.cluster.client.clone(), OPERATOR_NAMESPACE);
    let params = ListParams::default().labels("app.kubernetes.io/component=operator");
    let found = pods.list(&params).await.unwrap().items;
    assert_eq!(found.len(), 2, "two replicas");
    for pod in found {
        let name = pod.metadata.name.unwrap();
        let log = pods.logs(&name, &Default::default()).await.unwrap();
        let refused: Vec<&str> =
            log.lines().filter(|line| line.contains("forbidden") || line.contains("Forbidden")).collect();
        assert!(refused.is_empty(), "{name} lacks a right: {}", refused.join("\n"));
        assert!(!log.contains("panicked"), "{name}: {log}");
    }
}

#[tokio::test]
async fn every_pod_keeps_to_the_restricted_profile() {
    let demo = Demo::find().await.unwrap();
    for namespace in ["disk", OPERATOR_NAMESPACE] {
        let pods: Api<Pod> = Api::namespaced(demo.cluster.client.clone(), namespace);
        for pod in pods.list(&ListParams::default()).await.unwrap().items {
            let name = pod.metadata.name.unwrap_or_default();
            let spec = pod.spec.unwrap();
            let pod_context = spec.security_context.unwrap_or_default();
            assert_eq!(pod_context.run_as_non_root, Some(true), "{name}");
            assert_eq!(
                pod_context.seccomp_profile.map(|profile| profile.type_),
                Some("RuntimeDefault".to_owned()),
                "{name}"
            );
            for container in spec.containers {
                let context = container.security_context.unwrap_or_default();
                assert_eq!(context.allow_privilege_escalation, Some(false), "{name}");
                assert_eq!(context.read_only_root_filesystem, Some(true), "{name}");
                assert_eq!(
                    context.capabilities.and_then(|all| all.drop),
                    Some(vec!["ALL".to_owned()]),
                    "{name}"
                );
                let resources = container.resources.unwrap_or_default();
                assert!(
                    resources.requests.is_some_and(|requests| requests.contains_key("memory")),
                    "{name} asks for memory"
                );
                assert!(
                    container.liveness_probe.is_some() && container.readiness_probe.is_some(),
                    "{name} is probed"
                );
            }
        }
    }
}

#[tokio::test]
async fn every_pod_is_under_a_network_policy() {
    let demo = Demo::find().await.unwrap();
    let policies: Api<NetworkPolicy> = demo.cluster.core();
    for component in ["disk", "web"] {
        let policy = policies.get(&format!("demo-{component}")).await.unwrap();
        let selector = policy.spec.unwrap().pod_selector.unwrap().match_labels.unwrap();
        assert_eq!(
            selector.get("app.kubernetes.io/component").map(String::as_str),
            Some(component),
            "{selector:?}"
        );
        assert_eq!(
            selector.get("app.kubernetes.io/instance").map(String::as_str),
            Some("demo"),
            "{selector:?}"
        );
    }
}
