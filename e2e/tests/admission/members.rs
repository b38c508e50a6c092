//! Members.

use serde_json::{Value, json};

use super::place::SPACE;
use super::{Act, Case, change, create, refuses, takes, with};

const WHOLE: &str = "must be a whole number of bytes from 0 to 4Pi";
const ABOVE: &str = "take something back from a group, or raise the quota";

fn member(spec: Value) -> Act {
    create("members", "someone", with(json!({ "clusterRef": { "name": "team" }, "quota": "10Gi" }), spec))
}

fn quota(quota: &str) -> Act {
    member(json!({ "quota": quota }))
}

fn gives(quota: &str, sizes: &[&str]) -> Act {
    let gives = |(number, size)| json!({ "group": format!("g{number}"), "size": size });
    let allocations: Vec<Value> = sizes.iter().enumerate().map(gives).collect();
    member(json!({ "quota": quota, "allocations": allocations }))
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = alone();
    cases.extend(changes());
    cases
}

fn alone() -> Vec<Case> {
    let long = "m".repeat(64);
    let least = json!({ "clusterRef": { "name": "team" }, "quota": "1Gi" });
    vec![
        takes("the least Member", member(json!({}))),
        takes("a Member before its DiskCluster", member(json!({ "clusterRef": { "name": "not-yet" } }))),
        takes("quota 0", quota("0")),
        takes("quota 0.5Gi, which is whole bytes", quota("0.5Gi")),
        takes("quota 1e10", quota("1e10")),
        takes("quota 4Pi", quota("4Pi")),
        refuses("quota as a bare number", member(json!({ "quota": 10 })), "must be of type string"),
        refuses("quota -1Gi", quota("-1Gi"), WHOLE),
        refuses("quota 1.5 bytes", quota("1.5"), WHOLE),
        refuses("quota 100m, a tenth of a byte", quota("100m"), WHOLE),
        refuses("quota 0.1Gi, which is a fraction of a byte", quota("0.1Gi"), WHOLE),
        refuses("quota that is none", quota("ten gigs"), WHOLE),
        refuses("quota empty", quota(""), WHOLE),
        refuses("quota above 4Pi", quota("5Pi"), WHOLE),
        refuses("quota beyond 64 bits", quota("16Ei"), WHOLE),
        refuses("quota with a thousand digits", quota(&"9".repeat(1000)), "Too long"),
        takes("allocations that are exactly the quota", gives("10Gi", &["4Gi", "6Gi"])),
        takes("mixed units", gives("10Gi", &["10G"])),
        takes("100Ti of 100Ti", gives("100Ti", &["100Ti"])),
        takes("an allocation of 0", gives("0", &["0"])),
        refuses("one byte above the quota", gives("10Gi", &["4Gi", "6442450945"]), ABOVE),
        refuses("one byte above 4Pi", gives("4Pi", &["4Pi", "1"]), ABOVE),
        refuses("256 times 4Pi", gives("4Pi", &["4Pi"; 256]), ABOVE),
        takes("256 allocations that fit", gives("256Mi", &["1Mi"; 256])),
        refuses("257 allocations", gives("1Gi", &["1Mi"; 257]), "must have at most 256 items"),
        refuses("a negative allocation beside one too big", gives("10Gi", &["-5Gi", "15Gi"]), WHOLE),
        refuses("an allocation that is none", gives("10Gi", &["oops"]), WHOLE),
        refuses(
            "one group twice",
            member(json!({ "allocations": [{ "group": "a", "size": "1" }, { "group": "a", "size": "2" }] })),
            "Duplicate value",
        ),
        refuses(
            "an allocation without a size",
            member(json!({ "allocations": [{ "group": "a" }] })),
            "size: Required",
        ),
        refuses(
            "no clusterRef",
            create("members", "someone", json!({ "quota": "1Gi" })),
            "clusterRef: Required",
        ),
        refuses(
            "no quota",
            create("members", "someone", json!({ "clusterRef": { "name": "team" } })),
            "quota: Required",
        ),
        refuses("a misspelt field", member(json!({ "qouta": "1Gi" })), "unknown field \"spec.qouta\""),
        refuses(
            "a state that is none",
            member(json!({ "state": "Banned" })),
            "\"Active\", \"Suspended\", \"Pending\"",
        ),
        refuses(
            "two identities at one provider",
            member(
                json!({ "identities": [{ "provider": "p", "subject": "1" }, { "provider": "p", "subject": "2" }] }),
            ),
            "Duplicate value",
        ),
        refuses("an e-mail address that is none", member(json!({ "email": "nobody" })), "email"),
        refuses("a space id that is none", member(json!({ "spaceID": "mine" })), "spaceID"),
        refuses(
            "a Secret with a hostile name",
            member(json!({ "passwordSecretRef": { "name": "../x" } })),
            "should match",
        ),
        refuses("a name of 64 characters", create("members", &long, least), "at most 63 characters"),
    ]
}

fn changes() -> Vec<Case> {
    vec![
        takes("quota raised", change("members/alice", json!({ "quota": "20Gi" }))),
        takes("quota lowered to what is given", change("members/alice", json!({ "quota": "2Gi" }))),
        refuses(
            "quota lowered under what is given",
            change("members/alice", json!({ "quota": "1Gi" })),
            ABOVE,
        ),
        takes(
            "both lowered in one patch",
            change(
                "members/alice",
                json!({ "quota": "1Gi", "allocations": [{ "group": "design", "size": "1Gi" }] }),
            ),
        ),
        refuses(
            "another cluster",
            change("members/alice", json!({ "clusterRef": { "name": "still" } })),
            "clusterRef cannot change: create it anew under the other cluster",
        ),
        takes("suspended", change("members/alice", json!({ "state": "Suspended" }))),
        takes("approved", change("members/erin", json!({ "state": "Active" }))),
        refuses(
            "pending again",
            change("members/bob", json!({ "state": "Pending" })),
            "a member who was admitted cannot become Pending again: use Suspended",
        ),
        takes("a space id set later", change("members/alice", json!({ "spaceID": SPACE }))),
        refuses(
            "a space id changed",
            change("members/carol", json!({ "spaceID": SPACE.replace('7', "8") })),
            "spaceID cannot change once it is set",
        ),
        refuses(
            "a space id taken away",
            change("members/carol", json!({ "spaceID": null })),
            "spaceID cannot change once it is set",
        ),
    ]
}
