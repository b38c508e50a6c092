//! Accounts with other rights, and deletion.

use serde_json::{Value, json};

use super::{Act, Case, change, create, refuses, takes};

fn rule(resources: &[&str], verbs: &[&str]) -> Value {
    json!({ "apiGroups": ["internetdisk.dev"], "resources": resources, "verbs": verbs })
}

fn password(secret: &str) -> Act {
    change("members/alice", json!({ "passwordSecretRef": { "name": secret } }))
}

fn tls(secret: &str) -> Act {
    let tls = json!({ "mode": "Secret", "secretRef": { "name": secret } });
    change("diskclusters/team", json!({ "web": { "exposure": { "tls": tls } } }))
}

type Account = (&'static str, Vec<Value>, Vec<Case>);

pub(crate) fn accounts() -> Vec<Account> {
    let group =
        json!({ "clusterRef": { "name": "still" }, "members": [{ "name": "alice", "role": "Owner" }] });
    let own = |name: &str, resource: &str, verbs: &[&str]| json!({ "apiGroups": [""], "resources": [resource], "resourceNames": [name], "verbs": verbs });
    vec![
        (
            "patches-only",
            vec![rule(&["members"], &["patch", "get"])],
            vec![
                refuses(
                    "allocations, by who may neither administer nor serve",
                    change("members/alice", json!({ "allocations": null })),
                    "needs the verb administer on members, or serve on diskclusters/team",
                ),
                refuses(
                    "quota, by who may neither administer nor serve",
                    change("members/alice", json!({ "quota": "20Gi" })),
                    "needs the verb administer on members",
                ),
            ],
        ),
        (
            "administers",
            vec![
                rule(&["members", "groups"], &["patch", "get", "create", "administer"]),
                rule(&["diskclusters"], &["patch", "get"]),
                own("known", "secrets", &["get"]),
            ],
            vec![
                takes("quota, by an administrator", change("members/alice", json!({ "quota": "20Gi" }))),
                takes("a group with a name, by an administrator", create("groups", "finance", group)),
                takes("a password from a Secret one may read", password("known")),
                refuses(
                    "a password from another Secret",
                    password("db-root"),
                    "you may not read Secret db-root",
                ),
                takes("a certificate from a Secret one may read", tls("known")),
                refuses(
                    "a certificate from another Secret",
                    tls("db-root"),
                    "you may not read Secret db-root",
                ),
                refuses(
                    "a client secret from another Secret",
                    change(
                        "diskclusters/team",
                        json!({ "signIn": { "oidc": [{
                        "name": "corp", "issuerURL": "https://id.example.org", "clientID": "disk",
                        "clientSecretRef": { "name": "db-root" },
                    }] } }),
                    ),
                    "you may not read Secret db-root",
                ),
                refuses(
                    "what its role has not",
                    Act::Delete { path: "members/bob".to_owned() },
                    "cannot delete resource",
                ),
            ],
        ),
    ]
}

/// Given that a group has participants and files, a DiskCluster members, and a member files that would go with it.
pub(crate) fn deletions() -> Vec<Case> {
    let delete = |path: &str| Act::Delete { path: path.to_owned() };
    vec![
        refuses(
            "a member who gives",
            delete("members/alice"),
            "member alice still gives storage to design: take it back first",
        ),
        takes("a member who gives nothing", delete("members/bob")),
        refuses("a member whose files would go", delete("members/carol"), "member carol has 1Gi of files"),
        refuses(
            "a group with participants",
            delete("groups/design"),
            "group design has 2 participants and 3Gi of files",
        ),
        takes("an empty group", delete("groups/archive")),
        refuses(
            "a DiskCluster with members",
            delete("diskclusters/team"),
            "diskcluster team has 3 members and 2 groups",
        ),
        takes("an empty DiskCluster", delete("diskclusters/closed")),
        refuses("all members at once", delete("members"), "still gives storage"),
    ]
}
