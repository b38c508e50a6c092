//! What web pods may do in the name of members.

use serde_json::{Value, json};

use super::place::SPACE;
use super::{Act, Case, change, create, refuses, takes, with};

const FIELDS: &str = "self-service may change spec.allocations and nothing else of a Member";
const SERVE: &str = "or serve on diskclusters/still";
const PAGE: &str = "a group made on the page needs metadata.generateName";

/// As web pods have them, and more: what a later version may need must be safe already.
pub(crate) fn rights() -> Vec<Value> {
    let rule = |resource: &str, verbs: &[&str]| json!({ "apiGroups": ["internetdisk.dev"], "resources": [resource], "verbs": verbs });
    vec![
        rule("members", &["get", "create", "patch", "update"]),
        rule("groups", &["get", "create", "patch", "update", "delete"]),
        json!({ "apiGroups": ["internetdisk.dev"], "resources": ["diskclusters"], "resourceNames": ["team", "closed"], "verbs": ["serve"] }),
        json!({ "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["mine"], "verbs": ["get"] }),
    ]
}

fn metadata(path: &str, metadata: Value) -> Act {
    Act::Merge { path: path.to_owned(), patch: json!({ "metadata": metadata }) }
}

fn registers(spec: Value) -> Act {
    let spec = with(
        json!({ "clusterRef": { "name": "team" }, "quota": "1Gi", "state": "Pending", "email": "frank@example.org" }),
        spec,
    );
    create("members", "frank", spec)
}

fn by_provider(provider: &str, state: &str) -> Act {
    registers(json!({ "state": state, "identities": [{ "provider": provider, "subject": "7" }] }))
}

fn makes(metadata: Value, spec: Value) -> Act {
    let least = json!({ "clusterRef": { "name": "team" }, "members": [{ "name": "bob", "role": "Owner" }] });
    Act::Create { plural: "groups", metadata, spec: with(least, spec) }
}

fn generated(spec: Value) -> Act {
    makes(json!({ "generateName": "trip-" }), spec)
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = members();
    cases.extend(registrations());
    cases.extend(groups());
    cases
}

fn members() -> Vec<Case> {
    let gives = |size: &str| json!([{ "group": "design", "size": size }]);
    vec![
        takes("an allocation", change("members/bob", json!({ "allocations": gives("1Gi") }))),
        takes("allocations taken back", change("members/alice", json!({ "allocations": null }))),
        refuses(
            "more than the quota",
            change("members/bob", json!({ "allocations": gives("11Gi") })),
            "take something back from a group",
        ),
        refuses("a larger quota", change("members/bob", json!({ "quota": "100Gi" })), FIELDS),
        refuses(
            "the same quota in other words",
            change("members/bob", json!({ "quota": "10240Mi" })),
            FIELDS,
        ),
        refuses(
            "an allocation and a name",
            change("members/bob", json!({ "allocations": gives("1Gi"), "displayName": "B" })),
            FIELDS,
        ),
        refuses("no longer suspended", change("members/bob", json!({ "state": "Active" })), FIELDS),
        refuses(
            "somebody else's identity",
            change("members/alice", json!({ "identities": [{ "provider": "corp", "subject": "me" }] })),
            FIELDS,
        ),
        refuses(
            "another password",
            change("members/alice", json!({ "passwordSecretRef": { "name": "mine" } })),
            FIELDS,
        ),
        refuses("somebody else's files", change("members/bob", json!({ "spaceID": SPACE })), FIELDS),
        refuses(
            "a label",
            metadata("members/bob", json!({ "labels": { "a": "b" } })),
            "may not change the metadata",
        ),
        refuses(
            "a confirmation of deletion",
            metadata("members/bob", json!({ "annotations": { "internetdisk.dev/confirm-deletion": "bob" } })),
            "may not change the metadata",
        ),
        refuses(
            "a finalizer",
            metadata("members/bob", json!({ "finalizers": ["a/b"] })),
            "may not change the metadata",
        ),
        refuses(
            "a member of another DiskCluster",
            change("members/carol", json!({ "allocations": gives("1Gi") })),
            SERVE,
        ),
        refuses(
            "a deletion, which its role has not",
            Act::Delete { path: "members/bob".to_owned() },
            "cannot delete resource",
        ),
    ]
}

fn registrations() -> Vec<Case> {
    vec![
        takes("somebody registers", registers(json!({}))),
        refuses("already approved", registers(json!({ "state": "Active" })), "must have state Pending"),
        refuses(
            "with a larger quota",
            registers(json!({ "quota": "2Gi" })),
            "must have the quota of spec.signIn.newMembers: 1Gi",
        ),
        refuses(
            "from another domain",
            registers(json!({ "email": "frank@example.com" })),
            "only with an e-mail address at example.org",
        ),
        refuses(
            "with an allocation",
            registers(json!({ "allocations": [{ "group": "design", "size": "0" }] })),
            "comes without allocations",
        ),
        refuses(
            "with somebody else's files",
            registers(json!({ "spaceID": SPACE })),
            "comes without allocations",
        ),
        refuses(
            "with a Secret",
            registers(json!({ "passwordSecretRef": { "name": "mine" } })),
            "comes without allocations",
        ),
        takes("somebody comes by a provider", by_provider("corp", "Active")),
        refuses(
            "by a provider that makes nobody",
            by_provider("guests", "Active"),
            "does not let people make themselves Members",
        ),
        refuses(
            "by a provider that is not there",
            by_provider("nobody", "Active"),
            "does not let people make themselves Members",
        ),
        refuses(
            "at another DiskCluster",
            registers(json!({ "clusterRef": { "name": "elsewhere" } })),
            "or serve on diskclusters/elsewhere",
        ),
        refuses(
            "where nobody registers",
            registers(json!({ "clusterRef": { "name": "closed" } })),
            "does not let people make themselves Members",
        ),
    ]
}

fn groups() -> Vec<Case> {
    let members = json!([{ "name": "alice", "role": "Owner" }, { "name": "bob", "role": "Viewer" }, { "name": "carol" }]);
    let delete = |name: &str| Act::Delete { path: format!("groups/{name}") };
    vec![
        takes("a group", generated(json!({}))),
        refuses("a group with a name of its choice", makes(json!({ "name": "finance" }), json!({})), PAGE),
        refuses(
            "a group with labels",
            makes(json!({ "generateName": "trip-", "labels": { "a": "b" } }), json!({})),
            PAGE,
        ),
        refuses("a group with somebody else's files", generated(json!({ "spaceID": SPACE })), PAGE),
        refuses(
            "a group that is deleted with its files",
            generated(json!({ "deletionPolicy": "Delete" })),
            PAGE,
        ),
        refuses(
            "a group of another DiskCluster",
            generated(json!({ "clusterRef": { "name": "still" } })),
            SERVE,
        ),
        refuses(
            "a group where only administrators make them",
            generated(json!({ "clusterRef": { "name": "closed" } })),
            "in this DiskCluster only administrators create groups",
        ),
        refuses(
            "an open group",
            generated(json!({ "joining": { "policy": "Open" } })),
            "joining.policy must be one of OnRequest, InviteOnly",
        ),
        takes("who takes part", change("groups/design", json!({ "members": members }))),
        refuses(
            "an open door",
            change("groups/design", json!({ "joining": { "policy": "Open" } })),
            "joining.policy must be one of",
        ),
        refuses(
            "what becomes of the files",
            change("groups/design", json!({ "deletionPolicy": "Delete" })),
            "nothing else",
        ),
        refuses(
            "a label of a group",
            metadata("groups/design", json!({ "labels": { "a": "b" } })),
            "may not change the metadata",
        ),
        takes("an empty group deleted", delete("design")),
        refuses("a group deleted whose files would go", delete("archive"), "files would go with it"),
    ]
}

/// When there are as many members as spec.signIn.newMembers.maximum.
pub(crate) fn when_full() -> Vec<Case> {
    vec![refuses(
        "somebody registers when it is full",
        registers(json!({})),
        "an administrator must make further ones",
    )]
}
