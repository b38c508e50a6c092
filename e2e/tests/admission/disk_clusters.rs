//! DiskClusters.

use serde_json::{Value, json};

use super::place::SPACE;
use super::{Act, Case, change, create, refuses, takes, with};

const SHRINK: &str = "a volume cannot shrink: add a smaller volume";
const DRAINED: &str = "a volume can be taken out only when it is drained";
const NAME: &str = "the name must begin with a letter";

fn cluster(spec: Value) -> Act {
    let least = json!({ "volumes": [{ "name": "main", "template": { "size": "1Gi" } }] });
    create("diskclusters", "some", with(least, spec))
}

fn volumes(volumes: Value) -> Act {
    cluster(json!({ "volumes": volumes }))
}

fn web(exposure: Value) -> Act {
    cluster(json!({ "web": { "exposure": exposure } }))
}

fn sign_in(sign_in: Value) -> Act {
    cluster(json!({ "signIn": sign_in }))
}

fn disk_pods(pods: Value) -> Act {
    cluster(json!({ "disk": { "pods": pods } }))
}

fn provider(more: Value) -> Value {
    with(json!({ "name": "corp", "issuerURL": "https://id.example.org", "clientID": "disk" }), more)
}

pub(crate) fn cases() -> Vec<Case> {
    [names(), pools(), servers(), exposures(), sign_ins(), pods(), changes()].into_iter().flatten().collect()
}

fn names() -> Vec<Case> {
    let least = || json!({ "volumes": [{ "name": "main", "template": { "size": "1Gi" } }] });
    vec![
        takes("the least DiskCluster", cluster(json!({}))),
        takes("a name of 40 characters", create("diskclusters", &"d".repeat(40), least())),
        refuses("a name of 41 characters", create("diskclusters", &"d".repeat(41), least()), NAME),
        refuses("a name with a dot", create("diskclusters", "a.b", least()), NAME),
        refuses("a name that begins with a digit", create("diskclusters", "1a", least()), NAME),
        refuses("a misspelt field", cluster(json!({ "replicas": 3 })), "unknown field \"spec.replicas\""),
    ]
}

fn pools() -> Vec<Case> {
    let claim = |name: &str, claim: &str| json!({ "name": name, "existingClaim": { "name": claim } });
    let grows = |expansion: Value| {
        volumes(json!([{ "name": "a", "template": { "size": "10Gi" }, "expansion": expansion }]))
    };
    vec![
        refuses("no volume", volumes(json!([])), "at least one volume must be Active"),
        refuses(
            "a template and a claim",
            volumes(json!([with(claim("a", "nas"), json!({ "template": { "size": "1Gi" } }))])),
            "a volume needs exactly one of template",
        ),
        refuses("neither", volumes(json!([{ "name": "a" }])), "a volume needs exactly one of template"),
        refuses(
            "no volume Active",
            volumes(json!([with(claim("a", "nas"), json!({ "state": "Cordoned" }))])),
            "at least one volume must be Active",
        ),
        refuses(
            "one claim as two volumes",
            volumes(json!([claim("a", "nas"), claim("b", "nas")])),
            "the same existing claim",
        ),
        refuses("one name twice", volumes(json!([claim("a", "nas"), claim("a", "san")])), "Duplicate value"),
        refuses(
            "a volume of 100Mi",
            volumes(json!([{ "name": "a", "template": { "size": "100Mi" } }])),
            "must be a whole number of bytes from 1Gi",
        ),
        refuses("a volume's name with a dot", volumes(json!([claim("a.b", "nas")])), "should match"),
        takes("expansion with an end", grows(json!({ "mode": "Automatic", "maximumSize": "20Gi" }))),
        refuses(
            "expansion without an end",
            grows(json!({ "mode": "Automatic" })),
            "say how far the bill may go",
        ),
        refuses(
            "an end below the beginning",
            grows(json!({ "mode": "Automatic", "maximumSize": "5Gi" })),
            "expansion.maximumSize is below template.size",
        ),
        refuses(
            "somebody else's claim enlarged",
            volumes(json!([with(
                claim("a", "nas"),
                json!({ "expansion": { "mode": "Automatic", "maximumSize": "5Gi" } })
            )])),
            "an existing claim is not enlarged automatically",
        ),
        refuses(
            "a claim that another DiskCluster made",
            volumes(json!([claim("a", "team-main")])),
            "is used by DiskCluster team already",
        ),
        refuses(
            "a claim that another DiskCluster names",
            volumes(json!([claim("a", "nas-2019")])),
            "claim nas-2019 is used by DiskCluster team",
        ),
    ]
}

fn servers() -> Vec<Case> {
    let scaled = |autoscaling: Value| cluster(json!({ "disk": { "autoscaling": autoscaling } }));
    vec![
        refuses("no disk pod", cluster(json!({ "disk": { "replicas": 0 } })), "greater than or equal to 1"),
        refuses(
            "half a disk pod",
            cluster(json!({ "disk": { "replicas": 1.5 } })),
            "must be of type integer",
        ),
        refuses(
            "2000 disk pods",
            cluster(json!({ "disk": { "replicas": 2000 } })),
            "less than or equal to 1000",
        ),
        refuses(
            "at least more than at most",
            scaled(json!({ "minReplicas": 5, "maxReplicas": 4 })),
            "minReplicas must not exceed maxReplicas",
        ),
        takes("held at a version", cluster(json!({ "images": { "version": "1.2.3-rc.1" } }))),
        refuses(
            "a version that is none",
            cluster(json!({ "images": { "version": "latest" } })),
            "should match",
        ),
        refuses(
            "probing ten thousand times a second",
            cluster(json!({ "web": { "probeIntervalMilliseconds": 0 } })),
            "greater than or equal to 20",
        ),
        refuses(
            "a policy that nobody has",
            cluster(json!({ "policies": { "groups": { "joinPolicies": [] } } })),
            "at least 1 items",
        ),
        refuses(
            "a file size that is none",
            cluster(json!({ "policies": { "uploads": { "maximumFileSize": "big" } } })),
            "must be a whole number of bytes from 1Mi",
        ),
    ]
}

fn exposures() -> Vec<Case> {
    let host = "disk.example.org";
    vec![
        takes(
            "a proxy in front",
            web(json!({ "host": host, "advertise": { "scheme": "HTTPS", "port": 8443 } })),
        ),
        refuses(
            "an Ingress without a host",
            web(json!({ "type": "Ingress" })),
            "types Ingress and Gateway need host",
        ),
        takes(
            "an Ingress",
            web(json!({ "type": "Ingress", "host": host, "ingress": { "className": "nginx" } })),
        ),
        refuses(
            "a Gateway that is not named",
            web(json!({ "type": "Gateway", "host": host })),
            "say which Gateways the routes attach to",
        ),
        refuses(
            "an Ingress with type NodePort",
            web(json!({ "type": "NodePort", "ingress": {} })),
            "ingress goes with type Ingress, and only with it",
        ),
        refuses(
            "a Secret that is not named",
            web(json!({ "tls": { "mode": "Secret" } })),
            "secretRef goes with mode Secret",
        ),
        refuses(
            "a certificate without a name",
            web(json!({ "tls": { "mode": "CertManager", "issuerRef": { "name": "ca" } } })),
            "a certificate needs a name: set host",
        ),
        refuses("a host with a path", web(json!({ "host": "disk.example.org/x" })), "should match"),
        refuses(
            "addresses that are none",
            web(json!({ "type": "LoadBalancer", "loadBalancer": { "sourceRanges": ["10.0.0.0/99"] } })),
            "must be a CIDR, such as 10.0.0.0/8",
        ),
        refuses(
            "page and files at one host",
            cluster(
                json!({ "web": { "exposure": { "host": host } }, "disk": { "exposure": { "domain": host } } }),
            ),
            "members' files are served from another origin",
        ),
    ]
}

fn sign_ins() -> Vec<Case> {
    let quota = "Members who make themselves need a quota: set signIn.newMembers.quota";
    vec![
        refuses(
            "registration without a quota",
            sign_in(json!({ "registration": { "mode": "Open" } })),
            quota,
        ),
        takes(
            "registration",
            sign_in(json!({ "registration": { "mode": "Open" }, "newMembers": { "quota": "1Gi" } })),
        ),
        refuses(
            "providers that make members, without a quota",
            sign_in(json!({ "oidc": [provider(json!({ "newMembers": "Create" }))] })),
            quota,
        ),
        refuses(
            "an issuer without TLS",
            sign_in(json!({ "oidc": [provider(json!({ "issuerURL": "http://id.example.org" }))] })),
            "must be an https:// URL",
        ),
        refuses(
            "nobody can sign in",
            sign_in(json!({ "passwords": { "mode": "Disabled" } })),
            "nobody could sign in",
        ),
        refuses(
            "registration without passwords",
            sign_in(json!({
                "passwords": { "mode": "Disabled" }, "registration": { "mode": "Open" },
                "newMembers": { "quota": "1Gi" }, "oidc": [provider(json!({}))],
            })),
            "registration makes a password",
        ),
        refuses(
            "idle for longer than signed in",
            sign_in(json!({ "sessions": { "lifetimeSeconds": 600, "idleTimeoutSeconds": 601 } })),
            "idleTimeoutSeconds must not exceed lifetimeSeconds",
        ),
        refuses(
            "passwords of four letters",
            sign_in(json!({ "passwords": { "minimumLength": 4 } })),
            "greater than or equal to 8",
        ),
    ]
}

fn pods() -> Vec<Case> {
    let wrong_operator = json!({ "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": "all" } } });
    vec![
        takes(
            "amounts as pods have them",
            disk_pods(json!({ "resources": { "requests": { "cpu": 2, "memory": "1.5Gi" } } })),
        ),
        refuses(
            "an amount that is none",
            disk_pods(json!({ "resources": { "limits": { "memory": "lots" } } })),
            "should match",
        ),
        refuses(
            "a label of the operator's",
            disk_pods(json!({ "metadata": { "labels": { "app.kubernetes.io/name": "x" } } })),
            "labels under internetdisk.dev/ and app.kubernetes.io/ belong to the operator",
        ),
        refuses(
            "root",
            disk_pods(json!({ "securityContext": { "runAsUser": 0 } })),
            "greater than or equal to 1",
        ),
        refuses(
            "a privileged pod",
            disk_pods(json!({ "securityContext": { "privileged": true } })),
            "unknown field",
        ),
        refuses("containers of one's own", disk_pods(json!({ "containers": [] })), "unknown field"),
        refuses(
            "affinity of another form",
            disk_pods(json!({ "affinity": wrong_operator })),
            "must be of type array",
        ),
        takes(
            "tolerations and spreading",
            disk_pods(json!({
                "tolerations": [{ "key": "storage", "operator": "Exists" }],
                "topologySpreadConstraints": [{
                    "maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule",
                }],
            })),
        ),
    ]
}

fn team_volumes(main: Value, old: Option<Value>) -> Act {
    let mut volumes = vec![with(json!({ "name": "main" }), main)];
    volumes.extend(old);
    change("diskclusters/team", json!({ "volumes": volumes }))
}

fn old() -> Option<Value> {
    Some(json!({ "name": "old", "existingClaim": { "name": "nas-2019" }, "state": "Draining" }))
}

fn main_volume(size: &str, class: Option<&str>) -> Value {
    let mut template = json!({ "size": size });
    if let Some(class) = class {
        template["storageClassName"] = class.into();
    }
    json!({ "template": template })
}

fn changes() -> Vec<Case> {
    let fast = Some("fast");
    let scale = |name: &str, replicas: i32| {
        change(format!("diskclusters/{name}/scale"), json!({ "replicas": replicas }))
    };
    vec![
        takes("a volume grows", team_volumes(main_volume("20Gi", fast), old())),
        refuses("a volume shrinks", team_volumes(main_volume("5Gi", fast), old()), SHRINK),
        takes("the same size in other units", team_volumes(main_volume("10240Mi", fast), old())),
        refuses(
            "another storage class",
            team_volumes(main_volume("10Gi", Some("slow")), old()),
            "the storage class of a volume cannot change",
        ),
        refuses(
            "no storage class any more",
            team_volumes(main_volume("10Gi", None), old()),
            "the storage class of a volume cannot change",
        ),
        refuses(
            "a claim in place of a template",
            team_volumes(json!({ "existingClaim": { "name": "nas" } }), old()),
            "a volume cannot switch between template and existingClaim",
        ),
        refuses(
            "another claim",
            team_volumes(
                main_volume("10Gi", fast),
                Some(json!({ "name": "old", "existingClaim": { "name": "nas-2020" } })),
            ),
            "the claim of a volume cannot change",
        ),
        takes(
            "a further volume",
            change(
                "diskclusters/team",
                json!({ "volumes": [
                with(json!({ "name": "main" }), main_volume("10Gi", fast)), old(), { "name": "new", "template": { "size": "1Gi" } },
            ] }),
            ),
        ),
        refuses("a volume taken out while it drains", team_volumes(main_volume("10Gi", fast), None), DRAINED),
        refuses(
            "adoption of another",
            change("diskclusters/team", json!({ "adoptClusterUID": SPACE.replace('7', "8") })),
            "adoptClusterUID cannot change once it is set",
        ),
        takes("scaled to 5", scale("team", 5)),
        refuses("scaled to nothing", scale("team", 0), "greater than or equal to 1"),
        refuses("scaled to 1001", scale("team", 1001), "less than or equal to 1000"),
        refuses(
            "scaled by hand beside autoscaling",
            scale("still", 5),
            "autoscaling decides the number of disk pods",
        ),
        takes(
            "autoscaling taken away",
            change("diskclusters/still", json!({ "disk": { "autoscaling": null } })),
        ),
        takes("paused no more", change("diskclusters/team", json!({ "reconciliation": "Active" }))),
    ]
}

/// After the status says that the volume is empty.
pub(crate) fn drained() -> Vec<Case> {
    vec![takes("a drained volume taken out", team_volumes(main_volume("10Gi", Some("fast")), None))]
}
