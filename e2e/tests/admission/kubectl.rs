//! What a platform engineer types.

use internet_disk_e2e::command::{kubectl, kubectl_with};
use internet_disk_e2e::settings::root;

use super::place::Place;

#[tokio::test]
async fn the_examples_are_taken_as_they_are() {
    let place = Place::empty().await;
    let examples = root().join("examples");
    let written = kubectl(&place.settings, &["kustomize", examples.to_str().unwrap()]).await.unwrap();
    // Where the demo has none of them.
    let here = format!("namespace: {}", place.namespace);
    let written = written.expect_success().unwrap().replace("namespace: disk", &here);
    let arguments = ["apply", "--dry-run=server", "--server-side", "--validate=strict", "-f", "-"];
    let told = kubectl_with(&place.settings, &arguments, &written).await.unwrap().expect_success().unwrap();
    for object in ["diskcluster", "member", "group"] {
        assert!(told.contains(&format!("{object}.internetdisk.dev/")), "{object} is missing in {told}");
    }
    place.remove().await;
}

#[tokio::test]
async fn an_apply_that_would_undo_what_the_page_did_is_warned_of() {
    let place = Place::make().await;
    let member = "apiVersion: internetdisk.dev/v1alpha1\nkind: Member\nmetadata: {name: grace}\nspec:\n  \
                  clusterRef: {name: team}\n  quota: 1Gi\n  allocations: [{group: design, size: 1Mi}]\n";
    for (further, warned) in [(None, true), (Some("--server-side"), false)] {
        let mut arguments = vec!["-n", place.namespace.as_str(), "apply", "--dry-run=server", "-f", "-"];
        arguments.extend(further);
        let told = kubectl_with(&place.settings, &arguments, member).await.unwrap();
        assert!(told.success, "{}", told.stderr);
        assert_eq!(told.stderr.contains("use kubectl apply --server-side"), warned, "{}", told.stderr);
    }
    place.remove().await;
}

#[tokio::test]
async fn every_field_is_explained() {
    let place = Place::make().await;
    for (path, words) in [
        ("diskcluster.spec.volumes.state", "Draining: spaces are moved"),
        ("diskcluster.spec.disk.pods", "beyond what the operator sets"),
        ("idm.spec.allocations", "What the member gives to groups"),
        ("idg.spec.joining.policy", "OnRequest"),
        ("idc.status.volumes", "The volumes of the pool"),
    ] {
        let told = kubectl(&place.settings, &["explain", path]).await.unwrap().expect_success().unwrap();
        let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains(words), "{path}: {told}");
    }
    place.remove().await;
}
