//! What objects refer to: claims, Secrets, and lists that several write.

use super::{Effect, Policy, Validation};

pub(super) fn policies() -> Vec<Policy> {
    vec![claims(), member_secrets(), cluster_secrets(), client_side_apply()]
}

/// Every DiskCluster of the namespace is a parameter, so this looks across objects.
fn claims() -> Policy {
    Policy {
        name: "claims.internetdisk.dev",
        why: "One claim belongs to one DiskCluster.",
        resources: &["diskclusters"],
        operations: &["CREATE", "UPDATE"],
        clusters: true,
        conditions: vec![],
        variables: vec![
            (
                "theirs",
                "params.spec.volumes.map(v, has(v.existingClaim) ? v.existingClaim.name \
                 : params.metadata.name + '-' + v.name)",
            ),
            (
                "both",
                "object.spec.volumes.map(v, has(v.existingClaim) ? v.existingClaim.name \
                 : object.metadata.name + '-' + v.name).filter(c, c in variables.theirs)",
            ),
        ],
        validations: vec![Validation::refuses_saying(
            "params.metadata.name == object.metadata.name || variables.both.size() == 0",
            "'claim ' + variables.both.join(', ') + ' is used by DiskCluster ' + params.metadata.name \
             + ' already: one claim belongs to one DiskCluster'",
        )],
        effect: Effect::Deny,
    }
}

const READABLE: &str = "variables.named.all(n, authorizer.group('').resource('secrets').namespace(request.namespace)\
     .name(n).check('get').allowed())";
/// The authorizer is not there when a message is made, so that it names all that were new.
const UNREADABLE: &str = "'you may not read Secret ' + variables.named.join(' or ') \
     + ', so you may not have the operator read it: ask somebody who may'";

/// The operator reads Secrets for whoever names them; so whoever names one must be able to read it himself.
fn member_secrets() -> Policy {
    Policy {
        name: "members.secrets.internetdisk.dev",
        why: "Whoever names a Secret in a Member must be able to read it.",
        resources: &["members"],
        operations: &["CREATE", "UPDATE"],
        clusters: false,
        conditions: vec![(
            "names-another-secret",
            "has(object.spec.passwordSecretRef) && (request.operation == 'CREATE' \
             || object.spec.?passwordSecretRef != oldObject.spec.?passwordSecretRef)",
        )],
        variables: vec![("named", "[object.spec.passwordSecretRef.name]")],
        validations: vec![Validation::forbids_saying(READABLE, UNREADABLE)],
        effect: Effect::Deny,
    }
}

fn cluster_secrets() -> Policy {
    Policy {
        name: "diskclusters.secrets.internetdisk.dev",
        why: "Whoever names a Secret in a DiskCluster must be able to read it.",
        resources: &["diskclusters"],
        operations: &["CREATE", "UPDATE"],
        clusters: false,
        conditions: vec![],
        variables: vec![
            (
                "before",
                "request.operation == 'CREATE' ? [] : oldObject.spec.signIn.?oidc.orValue([])\
                 .filter(p, has(p.clientSecretRef)).map(p, p.clientSecretRef.name) \
                 + [?oldObject.spec.web.exposure.?tls.?secretRef.?name, \
                 ?oldObject.spec.disk.exposure.?tls.?secretRef.?name]",
            ),
            (
                "named",
                "(object.spec.signIn.?oidc.orValue([]).filter(p, has(p.clientSecretRef)).map(p, p.clientSecretRef.name) \
                 + [?object.spec.web.exposure.?tls.?secretRef.?name, ?object.spec.disk.exposure.?tls.?secretRef.?name])\
                 .filter(n, !(n in variables.before))",
            ),
        ],
        validations: vec![Validation::forbids_saying(READABLE, UNREADABLE)],
        effect: Effect::Deny,
    }
}

fn client_side_apply() -> Policy {
    Policy {
        name: "client-side-apply.internetdisk.dev",
        why: "kubectl apply without --server-side replaces whole lists, and what members did on the page with them.",
        resources: &["members", "groups"],
        operations: &["CREATE", "UPDATE"],
        clusters: false,
        conditions: vec![],
        variables: vec![],
        validations: vec![Validation::refuses_saying(
            "!object.metadata.?annotations['kubectl.kubernetes.io/last-applied-configuration'].orValue('')\
             .contains(request.resource.resource == 'members' ? '\"allocations\":' : '\"members\":')",
            "'kubectl apply without --server-side replaces the whole list ' \
             + (request.resource.resource == 'members' ? 'spec.allocations' : 'spec.members') \
             + ', together with what was done on the page: use kubectl apply --server-side'",
        )],
        effect: Effect::Warn,
    }
}
