//! Groups.

use serde_json::{Value, json};

use super::place::SPACE;
use super::{Act, Case, change, create, refuses, takes, with};

const OWNER: &str = "a group needs at least one owner: add {name: <member>, role: Owner} to members";

fn group(spec: Value) -> Act {
    let least =
        json!({ "clusterRef": { "name": "team" }, "members": [{ "name": "alice", "role": "Owner" }] });
    create("groups", "some", with(least, spec))
}

fn of(members: &[(&str, &str)]) -> Act {
    let members: Vec<Value> =
        members.iter().map(|(name, role)| json!({ "name": name, "role": role })).collect();
    group(json!({ "members": members }))
}

fn crowd(size: usize) -> Act {
    let members: Vec<Value> =
        (0..size).map(|number| json!({ "name": format!("m{number}"), "role": "Owner" })).collect();
    group(json!({ "members": members }))
}

pub(crate) fn cases() -> Vec<Case> {
    let only = |name: &str, role: &str| json!({ "members": [{ "name": name, "role": role }] });
    vec![
        takes("the least Group", group(json!({}))),
        takes("members who are not there yet", of(&[("nobody-yet", "Owner"), ("bob", "Blocked")])),
        refuses("no owner", of(&[("alice", "Editor")]), OWNER),
        refuses("nobody", of(&[]), OWNER),
        refuses(
            "no list of members",
            create("groups", "some", json!({ "clusterRef": { "name": "team" } })),
            "members: Required",
        ),
        refuses("one member twice", of(&[("alice", "Owner"), ("alice", "Viewer")]), "Duplicate value"),
        refuses("a role that is none", of(&[("alice", "Owner"), ("bob", "Admin")]), "\"Owner\", \"Editor\""),
        takes("512 members", crowd(512)),
        refuses("513 members", crowd(513), "must have at most 512 items"),
        refuses("a policy in lower case", group(json!({ "joining": { "policy": "open" } })), "\"OnRequest\""),
        refuses(
            "a negative least contribution",
            group(json!({ "joining": { "minimumContribution": "-1" } })),
            "must be a whole number of bytes",
        ),
        refuses(
            "the role Owner for everybody",
            group(json!({ "joining": { "policy": "Open", "defaultRole": "Owner" } })),
            "\"Editor\", \"Viewer\"",
        ),
        refuses("a misspelt field", group(json!({ "memebers": [] })), "unknown field \"spec.memebers\""),
        refuses("a description without end", group(json!({ "description": "x".repeat(3000) })), "Too long"),
        refuses("the last owner made an editor", change("groups/design", only("alice", "Editor")), OWNER),
        takes("an owner handed over in one patch", change("groups/design", only("bob", "Owner"))),
        refuses(
            "another cluster",
            change("groups/design", json!({ "clusterRef": { "name": "still" } })),
            "clusterRef cannot change",
        ),
        refuses(
            "a space id changed",
            change("groups/design", json!({ "spaceID": SPACE.replace('7', "8") })),
            "spaceID cannot change once it is set",
        ),
        takes("made an archive", change("groups/design", json!({ "access": "ReadOnly" }))),
        takes(
            "opened by an administrator",
            change("groups/design", json!({ "joining": { "policy": "Open" } })),
        ),
    ]
}
