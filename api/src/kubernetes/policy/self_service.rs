//! What members may do for themselves, through the account of the web pods.

use super::{Effect, Policy, Validation};

/// Kubernetes' own hands, which take finalizers away and delete what is in a namespace that goes.
const NOT_KUBERNETES: (&str, &str) = (
    "caller-is-not-kubernetes",
    "!(request.userInfo.username in ['system:serviceaccount:kube-system:generic-garbage-collector', \
     'system:serviceaccount:kube-system:namespace-controller'])",
);
const NO_ADMINISTRATOR_OF_MEMBERS: (&str, &str) = (
    "caller-is-no-administrator",
    "!authorizer.group('internetdisk.dev').resource('members').namespace(request.namespace).check('administer').allowed()",
);
const NO_ADMINISTRATOR_OF_GROUPS: (&str, &str) = (
    "caller-is-no-administrator",
    "!authorizer.group('internetdisk.dev').resource('groups').namespace(request.namespace).check('administer').allowed()",
);
const CREATE: (&str, &str) = ("create", "request.operation == 'CREATE'");
const UPDATE: (&str, &str) = ("update", "request.operation == 'UPDATE'");
const SAME_METADATA: &str = "!variables.update || (object.metadata.?labels == oldObject.metadata.?labels \
     && object.metadata.?annotations == oldObject.metadata.?annotations \
     && object.metadata.?finalizers == oldObject.metadata.?finalizers \
     && object.metadata.?ownerReferences == oldObject.metadata.?ownerReferences)";

pub(super) fn policies() -> Vec<Policy> {
    vec![members(), registration(), groups(), group_limits()]
}

fn members() -> Policy {
    Policy {
        name: "members.selfservice.internetdisk.dev",
        why: "Whoever may not administer members may change their allocations, and make new ones as the DiskCluster says.",
        resources: &["members"],
        operations: &["CREATE", "UPDATE"],
        clusters: false,
        conditions: vec![NOT_KUBERNETES, NO_ADMINISTRATOR_OF_MEMBERS],
        variables: vec![CREATE, UPDATE],
        validations: vec![
            Validation::forbids_saying(
                "authorizer.group('internetdisk.dev').resource('diskclusters').namespace(request.namespace)\
                 .name(object.spec.clusterRef.name).check('serve').allowed()",
                "'needs the verb administer on members, or serve on diskclusters/' + object.spec.clusterRef.name",
            ),
            Validation::forbids(
                "!variables.update || (dyn(object.spec).all(k, k == 'allocations' \
                 || (k in oldObject.spec && object.spec[k] == oldObject.spec[k])) \
                 && dyn(oldObject.spec).all(k, k == 'allocations' || k in object.spec))",
                "self-service may change spec.allocations and nothing else of a Member",
            ),
            Validation::forbids(SAME_METADATA, "self-service may not change the metadata of a Member"),
            Validation::forbids(
                "!variables.create || (!has(object.spec.allocations) && !has(object.spec.passwordSecretRef) \
                 && !has(object.spec.spaceID) && object.spec.deletionPolicy == 'Retain' \
                 && !has(object.metadata.labels) && !has(object.metadata.annotations) \
                 && !has(object.metadata.finalizers) && !has(object.metadata.ownerReferences))",
                "a Member who makes himself comes without allocations, passwordSecretRef, spaceID, deletionPolicy and \
                 metadata",
            ),
        ],
        effect: Effect::Deny,
    }
}

/// Apart from [`members`], because a policy with parameters says nothing where there are none.
fn registration() -> Policy {
    Policy {
        name: "members.registration.internetdisk.dev",
        why: "A Member who makes himself gets the state and the quota that the DiskCluster says.",
        resources: &["members"],
        operations: &["CREATE"],
        clusters: true,
        conditions: vec![NOT_KUBERNETES, NO_ADMINISTRATOR_OF_MEMBERS],
        variables: vec![
            ("mine", "params.metadata.name == object.spec.clusterRef.name"),
            ("signIn", "params.spec.signIn"),
            ("byProvider", "has(object.spec.identities) && object.spec.identities.size() > 0"),
            // The state that such a Member gets, or '' when nobody may.
            (
                "state",
                "variables.byProvider ? (has(variables.signIn.oidc) && object.spec.identities.size() == 1 \
                 ? variables.signIn.oidc.filter(p, p.name == object.spec.identities[0].provider)\
                 .map(p, {'Create': 'Active', 'Approval': 'Pending', 'Refuse': ''}[p.newMembers]).join('') : '') \
                 : {'Open': 'Active', 'Approval': 'Pending', 'Closed': ''}[variables.signIn.registration.mode]",
            ),
        ],
        validations: vec![
            Validation::forbids(
                "!variables.mine || variables.state != ''",
                "this DiskCluster does not let people make themselves Members: see spec.signIn.registration and \
                 spec.signIn.oidc[].newMembers",
            ),
            Validation::forbids_saying(
                "!variables.mine || variables.state == '' || object.spec.state == variables.state",
                "'a Member who makes himself must have state ' + variables.state",
            ),
            Validation::forbids_saying(
                "!variables.mine || (has(variables.signIn.newMembers) \
                 && quantity(object.spec.quota).compareTo(quantity(variables.signIn.newMembers.quota)) == 0)",
                "'a Member who makes himself must have the quota of spec.signIn.newMembers: ' \
                 + variables.signIn.?newMembers.?quota.orValue('none')",
            ),
            Validation::forbids_saying(
                "!variables.mine || variables.byProvider || !has(variables.signIn.registration.emailDomains) \
                 || variables.signIn.registration.emailDomains.exists(d, \
                 object.spec.?email.orValue('').endsWith('@' + d))",
                "'only with an e-mail address at ' \
                 + variables.signIn.registration.?emailDomains.orValue([]).join(', ')",
            ),
            Validation::forbids(
                "!variables.mine || params.?status.?members.?total.orValue(0) \
                 < variables.signIn.?newMembers.?maximum.orValue(0)",
                "the cluster has spec.signIn.newMembers.maximum Members: an administrator must make further ones",
            ),
        ],
        effect: Effect::Deny,
    }
}

fn groups() -> Policy {
    Policy {
        name: "groups.selfservice.internetdisk.dev",
        why: "Whoever may not administer groups may make some, say who takes part in them, and delete empty ones.",
        resources: &["groups"],
        operations: &["CREATE", "UPDATE", "DELETE"],
        clusters: false,
        conditions: vec![NOT_KUBERNETES, NO_ADMINISTRATOR_OF_GROUPS],
        variables: vec![
            CREATE,
            UPDATE,
            ("group", "request.operation == 'DELETE' ? oldObject : object"),
            ("free", "['displayName', 'description', 'joining', 'members', 'access']"),
        ],
        validations: vec![
            Validation::forbids_saying(
                "authorizer.group('internetdisk.dev').resource('diskclusters').namespace(request.namespace)\
                 .name(variables.group.spec.clusterRef.name).check('serve').allowed()",
                "'needs the verb administer on groups, or serve on diskclusters/' \
                 + variables.group.spec.clusterRef.name",
            ),
            Validation::forbids(
                "!variables.update || (dyn(object.spec).all(k, k in variables.free \
                 || (k in oldObject.spec && object.spec[k] == oldObject.spec[k])) \
                 && dyn(oldObject.spec).all(k, k in variables.free || k in object.spec))",
                "self-service may change displayName, description, joining, members and access of a Group, nothing else",
            ),
            Validation::forbids(SAME_METADATA, "self-service may not change the metadata of a Group"),
            Validation::forbids(
                "!variables.create || (has(object.metadata.generateName) && object.metadata.generateName.size() > 0 \
                 && object.metadata.name.matches('^.{1,57}-[a-z0-9]{5}$') && !has(object.spec.spaceID) \
                 && object.spec.deletionPolicy == 'Retain' && !has(object.metadata.labels) \
                 && !has(object.metadata.annotations) && !has(object.metadata.finalizers) \
                 && !has(object.metadata.ownerReferences))",
                "a group made on the page needs metadata.generateName ending in '-' (so it can take nobody's name) and \
                 comes without spaceID, deletionPolicy and metadata",
            ),
            Validation::forbids(
                "request.operation != 'DELETE' || oldObject.spec.deletionPolicy == 'Retain'",
                "self-service may delete no group whose files would go with it: an administrator must",
            ),
        ],
        effect: Effect::Deny,
    }
}

fn group_limits() -> Policy {
    Policy {
        name: "groups.limits.internetdisk.dev",
        why: "Groups that members make keep to spec.policies.groups of the DiskCluster.",
        resources: &["groups"],
        operations: &["CREATE", "UPDATE"],
        clusters: true,
        conditions: vec![NOT_KUBERNETES, NO_ADMINISTRATOR_OF_GROUPS],
        variables: vec![("mine", "params.metadata.name == object.spec.clusterRef.name"), CREATE],
        validations: vec![
            Validation::forbids_saying(
                "!variables.mine || object.spec.joining.policy in params.spec.policies.groups.joinPolicies \
                 || (!variables.create && object.spec.joining.policy == oldObject.spec.joining.policy)",
                "'joining.policy must be one of ' + params.spec.policies.groups.joinPolicies.join(', ')",
            ),
            Validation::forbids(
                "!variables.create || !variables.mine || params.spec.policies.groups.creation == 'Members'",
                "in this DiskCluster only administrators create groups: spec.policies.groups.creation",
            ),
        ],
        effect: Effect::Deny,
    }
}
