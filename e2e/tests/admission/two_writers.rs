//! Git and the page write one list: each its own items.

use serde_json::{Value, json};

use super::place::Place;

fn applied(resource_version: Option<&Value>, quota: Option<&str>, allocations: &[(&str, &str)]) -> Value {
    let allocations: Vec<Value> =
        allocations.iter().map(|(group, size)| json!({ "group": group, "size": size })).collect();
    let mut object = json!({
        "apiVersion": "internetdisk.dev/v1alpha1", "kind": "Member", "metadata": { "name": "frank" },
        "spec": { "allocations": allocations },
    });
    if let Some(quota) = quota {
        object["spec"]["quota"] = quota.into();
        object["spec"]["clusterRef"] = json!({ "name": "team" });
    }
    if let Some(version) = resource_version {
        object["metadata"]["resourceVersion"] = version.clone();
    }
    object
}

fn groups(member: &Value) -> Vec<&str> {
    let mut groups: Vec<&str> = member["spec"]["allocations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|allocation| allocation["group"].as_str().unwrap())
        .collect();
    groups.sort_unstable();
    groups
}

#[tokio::test]
async fn git_and_the_page_keep_their_own_items() {
    const PATH: &str = "members/frank";
    let place = Place::make().await;
    let git = |size| applied(None, Some("10Gi"), &[("design", size)]);

    place.apply("git", PATH, &git("2Gi")).await.unwrap();
    let joined = place.apply("page", PATH, &applied(None, None, &[("trip", "1Gi")])).await.unwrap();
    assert_eq!(
        groups(&joined),
        ["design", "trip"],
        "the page needs no required fields, and takes nothing away"
    );

    let refused =
        place.apply("page", PATH, &applied(None, None, &[("design", "1Gi"), ("trip", "1Gi")])).await;
    assert!(refused.unwrap_err().contains("conflict with \"git\""));

    let again = place.apply("git", PATH, &git("3Gi")).await.unwrap();
    assert_eq!(groups(&again), ["design", "trip"], "what was done on the page stays");
    let above = place.apply("git", PATH, &git("9.5Gi")).await.unwrap_err();
    assert!(above.contains("take something back from a group, or raise the quota"), "{above}");

    let seen = &again["metadata"]["resourceVersion"];
    place.apply("page", PATH, &applied(Some(seen), None, &[("trip", "2Gi")])).await.unwrap();
    let stale =
        place.apply("page", PATH, &applied(Some(seen), None, &[("photos", "1Gi")])).await.unwrap_err();
    assert!(stale.contains("the object has been modified"), "{stale}");

    let left = place.apply("page", PATH, &applied(None, None, &[])).await.unwrap();
    assert_eq!(groups(&left), ["design"]);
    place.remove().await;
}
