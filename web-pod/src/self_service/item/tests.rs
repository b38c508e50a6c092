use serde_json::json;

use super::*;

const UID: Uuid = Uuid::from_u128(5);

/// A Member with these allocations; each with the managers that own it, `apply:` or `update:` before the name.
fn member(allocations: &[(&str, &[&str])]) -> DynamicObject {
    let mut managers: Vec<(&str, Map<String, Value>)> = Vec::new();
    for (group, owners) in allocations {
        for owner in *owners {
            let item = format!("k:{{\"group\":\"{group}\"}}");
            let fields = json!({ ".": {}, "f:group": {}, "f:size": {} });
            match managers.iter_mut().find(|(name, _)| name == owner) {
                Some((_, items)) => _ = items.insert(item, fields),
                None => managers.push((owner, Map::from_iter([(item, fields)]))),
            }
        }
    }
    let managed: Vec<Value> = managers
        .into_iter()
        .map(|(owner, items)| {
            let (operation, name) = owner.split_once(':').unwrap();
            let operation = if operation == "apply" { "Apply" } else { "Update" };
            json!({ "manager": name, "operation": operation, "apiVersion": "internetdisk.dev/v1alpha1",
                "fieldsType": "FieldsV1", "fieldsV1": { "f:spec": { "f:allocations": items } } })
        })
        .collect();
    serde_json::from_value(json!({
        "apiVersion": "internetdisk.dev/v1alpha1", "kind": "Member",
        "metadata": { "name": "bob", "namespace": "disk", "uid": UID, "resourceVersion": "42",
            "managedFields": managed },
        "spec": {
            "clusterRef": { "name": "demo" }, "quota": "10Gi",
            "allocations": allocations.iter()
                .map(|(group, _)| json!({ "group": group, "size": "1Gi" })).collect::<Vec<_>>(),
        },
    }))
    .unwrap()
}

fn edit<'a>(group: &'a str, size: Option<&str>) -> Edit<'a> {
    Edit {
        item: Item { list: "allocations", key: "group", name: group },
        value: size.map(|size| json!({ "group": group, "size": size })),
        uid: UID,
    }
}

fn what(object: &DynamicObject, edit: &Edit<'_>) -> Result<Option<Write>, Refusal> {
    write(object, &ApiResource::erase::<Member>(&()), "demo", edit)
}

fn applied(object: &DynamicObject, edit: &Edit<'_>) -> (Value, bool) {
    match what(object, edit).unwrap() {
        Some(Write::Apply { body, force }) => (body, force),
        other => panic!("{other:?}"),
    }
}

const OURS: &[&str] = &["apply:internetdisk-web"];
const GIT: &[&str] = &["apply:gitops"];
const KUBECTL: &[&str] = &["update:kubectl-create"];

#[test]
fn our_items_are_applied_together_and_those_of_others_are_left_alone() {
    let object = member(&[("ours", OURS), ("git", GIT), ("once", KUBECTL)]);
    let (body, force) = applied(&object, &edit("new", Some("2Gi")));
    assert_eq!(
        body,
        json!({
            "apiVersion": "internetdisk.dev/v1alpha1", "kind": "Member",
            "metadata": { "name": "bob", "namespace": "disk", "uid": UID, "resourceVersion": "42" },
            "spec": { "allocations": [
                { "group": "ours", "size": "1Gi" }, { "group": "new", "size": "2Gi" },
            ] },
        })
    );
    assert!(!force);
}

#[test]
fn an_item_that_was_written_once_is_taken_over() {
    let (body, force) = applied(&member(&[("once", KUBECTL)]), &edit("once", Some("2Gi")));
    assert!(force);
    assert_eq!(body["spec"]["allocations"], json!([{ "group": "once", "size": "2Gi" }]));
}

#[test]
fn an_item_that_is_in_git_belongs_to_git() {
    let object = member(&[("git", GIT), ("both", &["apply:gitops", "apply:internetdisk-web"])]);
    assert!(what(&object, &edit("git", Some("2Gi"))).is_err());
    assert!(what(&object, &edit("git", None)).is_err());
    assert!(what(&object, &edit("both", Some("2Gi"))).is_err());
}

#[test]
fn an_item_is_taken_away_from_the_whole_list() {
    let object = member(&[("ours", OURS), ("git", GIT), ("once", KUBECTL)]);
    let Some(Write::Merge { body }) = what(&object, &edit("once", None)).unwrap() else { panic!() };
    assert_eq!(body["metadata"], json!({ "uid": UID, "resourceVersion": "42" }));
    assert_eq!(
        body["spec"]["allocations"],
        json!([{ "group": "ours", "size": "1Gi" }, { "group": "git", "size": "1Gi" }])
    );
}

#[test]
fn what_is_so_already_is_not_written() {
    let object = member(&[("ours", OURS)]);
    assert_eq!(what(&object, &edit("ours", Some("1Gi"))).unwrap(), None);
    assert_eq!(what(&object, &edit("other", None)).unwrap(), None);
}

#[test]
fn another_object_of_the_name_is_not_touched() {
    let object = member(&[]);
    let other = Edit { uid: Uuid::from_u128(6), ..edit("new", Some("1Gi")) };
    assert!(what(&object, &other).is_err());
    let elsewhere = write(&object, &ApiResource::erase::<Member>(&()), "other", &edit("new", Some("1Gi")));
    assert!(elsewhere.is_err());
}
