//! Nothing that others rely on is deleted by mistake.

use super::{Effect, Policy, Validation};

/// By what the status says, which may be some seconds old: the data is kept in any case unless a spec says otherwise,
/// and a finalizer puts things away in order.
pub(super) fn policies() -> Vec<Policy> {
    vec![Policy {
        name: "deletion.internetdisk.dev",
        why: "Whatever others rely on is deleted only after somebody confirmed it by its name.",
        resources: &["members", "groups", "diskclusters"],
        operations: &["DELETE"],
        clusters: false,
        conditions: vec![(
            "not-confirmed",
            "oldObject.metadata.?annotations['internetdisk.dev/confirm-deletion'].orValue('') != oldObject.metadata.name",
        )],
        variables: vec![
            // Not a condition: there namespaceObject is empty, and nothing could be deleted.
            ("goes", "has(namespaceObject.metadata.deletionTimestamp)"),
            (
                "given",
                "request.resource.resource != 'members' ? [] : oldObject.spec.?allocations.orValue([])\
                 .filter(a, quantity(a.size).compareTo(quantity('0')) > 0).map(a, a.group)",
            ),
            ("used", "oldObject.?status.?used.orValue('0')"),
            (
                "how",
                "'. To delete it all the same: kubectl -n ' + request.namespace + ' annotate ' \
                 + request.resource.resource + ' ' + oldObject.metadata.name + ' internetdisk.dev/confirm-deletion=' \
                 + oldObject.metadata.name",
            ),
        ],
        validations: vec![
            Validation::refuses_saying(
                "variables.goes || variables.given.size() == 0",
                "'member ' + oldObject.metadata.name + ' still gives storage to ' + variables.given.join(', ') \
                 + ': take it back first, the groups would lose capacity' + variables.how",
            ),
            Validation::refuses_saying(
                "variables.goes || request.resource.resource != 'members' || oldObject.spec.deletionPolicy == 'Retain' \
                 || quantity(variables.used).compareTo(quantity('0')) == 0",
                "'member ' + oldObject.metadata.name + ' has ' + variables.used + ' of files, and deletionPolicy \
                 Delete' + variables.how",
            ),
            Validation::refuses_saying(
                "variables.goes || request.resource.resource != 'groups' \
                 || (oldObject.?status.?participants.orValue(0) == 0 \
                 && quantity(variables.used).compareTo(quantity('0')) == 0)",
                "'group ' + oldObject.metadata.name + ' has ' + string(oldObject.?status.?participants.orValue(0)) \
                 + ' participants and ' + variables.used + ' of files' + variables.how",
            ),
            Validation::refuses_saying(
                "variables.goes || request.resource.resource != 'diskclusters' \
                 || (oldObject.?status.?members.?total.orValue(0) == 0 \
                 && oldObject.?status.?groups.?total.orValue(0) == 0)",
                "'diskcluster ' + oldObject.metadata.name + ' has ' \
                 + string(oldObject.?status.?members.?total.orValue(0)) + ' members and ' \
                 + string(oldObject.?status.?groups.?total.orValue(0)) + ' groups' + variables.how",
            ),
        ],
        effect: Effect::Deny,
    }]
}
