//! From Members and Groups to what a roster is compiled from. There is no operator that lends step by step: what is
//! given to a group that admits the giver is lent at once.

use anyhow::{Context, bail};
use api::bytes::Bytes;
use api::ids::{GroupUid, MemberUid, SpaceId, VolumeName};
use api::kubernetes::group::{GroupAccess as SpecAccess, JoinPolicy as SpecPolicy};
use api::kubernetes::member::MemberState as SpecState;
use api::kubernetes::{Group, Member};
use kube::ResourceExt;
use roster::compile::{
    AllocationWanted, GroupWanted, Lent, ListedMember, ListedRole, MemberWanted, admission,
};
use roster::{GroupAccess, JoinPolicy, Joining, MemberState};
use uuid::Uuid;

use super::manifests::Manifests;

/// What a roster is compiled from.
pub(super) struct Wanted {
    pub(super) members: Vec<MemberWanted>,
    pub(super) groups: Vec<GroupWanted>,
}

impl Wanted {
    /// Reads all Members and Groups. A space is on the volume that its status names, else on the first.
    pub(super) fn of(manifests: &Manifests, volumes: &[VolumeName]) -> anyhow::Result<Self> {
        let groups = manifests
            .groups
            .iter()
            .map(|group| self::group(group, volumes).with_context(|| format!("Group {}", group.name_any())));
        let groups = groups.collect::<anyhow::Result<Vec<_>>>()?;
        let members = manifests.members.iter().map(|member| {
            let wanted = self::member(member, volumes).map(|member| lend(member, &groups));
            wanted.with_context(|| format!("Member {}", member.name_any()))
        });
        Ok(Self { members: members.collect::<anyhow::Result<Vec<_>>>()?, groups })
    }
}

fn member(member: &Member, volumes: &[VolumeName]) -> anyhow::Result<MemberWanted> {
    let name = member.name_any();
    let uid = uid(member.uid().as_deref(), "member", &name)?;
    let status = member.status.clone().unwrap_or_default();
    let mut allocations = Vec::new();
    for allocation in &member.spec.allocations {
        let wrong = || format!("spec.allocations, {}", allocation.group);
        let group_uid = allocation.group_uid.as_deref().map(str::parse).transpose().with_context(wrong)?;
        allocations.push(AllocationWanted {
            group: allocation.group.parse().with_context(wrong)?,
            group_uid,
            size: allocation.size.bytes().with_context(wrong)?,
        });
    }
    let quota = member.spec.quota.bytes().context("spec.quota")?;
    let given = allocations.iter().fold(Bytes::ZERO, |sum, one| sum.saturating_add(one.size));
    if given > quota {
        bail!(
            "the allocations add up to {given}, and the quota is {quota}: take something back, or raise the quota"
        );
    }
    Ok(MemberWanted {
        name: name.parse()?,
        uid: MemberUid(uid),
        space: space(status.space_id.as_deref(), member.spec.space_id.as_deref(), uid)?,
        volume: volume(status.volume.as_deref(), volumes)?,
        display_name: member.spec.display_name.clone(),
        state: match member.spec.state {
            SpecState::Active => MemberState::Active,
            SpecState::Suspended => MemberState::Suspended,
            SpecState::Pending => MemberState::Pending,
        },
        identities: Vec::new(),
        quota,
        limit: quota,
        allocations,
        lent: Vec::new(),
    })
}

/// Gives what groups admit, and leaves the rest to the own disk.
fn lend(member: MemberWanted, groups: &[GroupWanted]) -> MemberWanted {
    let lent = member.allocations.iter().filter(|allocation| allocation.size > Bytes::ZERO);
    let lent: Vec<Lent> = lent
        .filter_map(|allocation| {
            let group = groups.iter().find(|group| group.name == allocation.group);
            admission(&member, allocation, group).role?;
            group.map(|group| Lent {
                group: group.name.clone(),
                group_uid: group.uid,
                granted: allocation.size,
            })
        })
        .collect();
    let given = lent.iter().fold(0, |sum, one| sum + one.granted.0);
    MemberWanted { limit: Bytes(member.quota.0.saturating_sub(given)), lent, ..member }
}

fn group(group: &Group, volumes: &[VolumeName]) -> anyhow::Result<GroupWanted> {
    let name = group.name_any();
    let uid = uid(group.uid().as_deref(), "group", &name)?;
    let status = group.status.clone().unwrap_or_default();
    let mut members = Vec::new();
    for listed in &group.spec.members {
        let wrong = || format!("spec.members, {}", listed.name);
        members.push(ListedMember {
            name: listed.name.parse().with_context(wrong)?,
            uid: listed.member_uid.as_deref().map(str::parse).transpose().with_context(wrong)?,
            role: listed.role.in_space().map_or(ListedRole::Blocked, ListedRole::Admitted),
        });
    }
    let joining = &group.spec.joining;
    Ok(GroupWanted {
        name: name.parse()?,
        uid: GroupUid(uid),
        space: space(status.space_id.as_deref(), group.spec.space_id.as_deref(), uid)?,
        volume: volume(status.volume.as_deref(), volumes)?,
        display_name: group.spec.display_name.clone(),
        description: group.spec.description.clone(),
        joining: Joining {
            policy: match joining.policy {
                SpecPolicy::Open => JoinPolicy::Open,
                SpecPolicy::OnRequest => JoinPolicy::OnRequest,
                SpecPolicy::InviteOnly => JoinPolicy::InviteOnly,
            },
            default_role: joining.default_role.into(),
            minimum: joining.minimum_contribution.bytes().context("spec.joining.minimumContribution")?,
        },
        access: match group.spec.access {
            SpecAccess::ReadWrite => GroupAccess::ReadWrite,
            SpecAccess::ReadOnly => GroupAccess::ReadOnly,
        },
        members,
    })
}

/// The uid that Kubernetes gave an object; one that was never there has one made of its name, the same each time.
fn uid(given: Option<&str>, kind: &str, name: &str) -> anyhow::Result<Uuid> {
    if let Some(given) = given.filter(|given| !given.is_empty()) {
        return given.parse().context("metadata.uid");
    }
    let mut hasher = blake3::Hasher::new_derive_key("internet-disk standalone uid v1");
    hasher.update(kind.as_bytes()).update(b"/").update(name.as_bytes());
    let mut bytes = [0; 16];
    hasher.finalize_xof().fill(&mut bytes);
    Ok(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

fn space(status: Option<&str>, spec: Option<&str>, uid: Uuid) -> anyhow::Result<SpaceId> {
    status.or(spec).map_or(Ok(SpaceId(uid)), |text| text.parse().context("spaceID"))
}

fn volume(status: Option<&str>, volumes: &[VolumeName]) -> anyhow::Result<VolumeName> {
    let first = volumes.first().context("no volume was given")?;
    // One volume needs no name: it is the one.
    let (Some(status), [_, _, ..]) = (status, volumes) else { return Ok(first.clone()) };
    let named = volumes.iter().find(|volume| volume.as_str() == status);
    named.cloned().with_context(|| format!("it is on the volume {status}: give --volume {status}=DIR too"))
}

#[cfg(test)]
mod tests {
    use api::role::Role;
    use roster::compile::compile;

    use super::*;

    fn object<T: serde::de::DeserializeOwned>(kind: &str, name: &str, mut spec: serde_json::Value) -> T {
        spec["clusterRef"] = serde_json::json!({"name": "demo"});
        serde_json::from_value(serde_json::json!({
            "apiVersion": "internetdisk.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec,
        }))
        .unwrap()
    }

    fn manifests() -> Manifests {
        let gives =
            serde_json::json!([{"group": "design", "size": "1Gi"}, {"group": "closed", "size": "1Gi"}]);
        Manifests {
            members: vec![object(
                "Member",
                "alice",
                serde_json::json!({"quota": "4Gi", "allocations": gives}),
            )],
            groups: vec![
                object(
                    "Group",
                    "design",
                    serde_json::json!({"members": [{"name": "alice", "role": "Owner"}]}),
                ),
                object("Group", "closed", serde_json::json!({"members": [{"name": "bob", "role": "Owner"}]})),
            ],
        }
    }

    #[test]
    fn what_a_group_admits_is_lent_and_the_rest_is_the_own_disk() {
        let volumes = ["main".parse().unwrap()];
        let Wanted { members, groups } = Wanted::of(&manifests(), &volumes).unwrap();
        let compiled = compile(&members, &groups);
        let alice = &compiled.members[0];
        assert_eq!((alice.quota, alice.limit), (Bytes(4 << 30), Bytes(3 << 30)));
        assert_eq!(alice.space.0, alice.uid.0);
        let design = compiled.groups.iter().find(|group| group.name.as_str() == "design").unwrap();
        assert_eq!(design.capacity, Bytes(1 << 30));
        assert_eq!(design.participants[0].role, Role::Owner);
        let again = Wanted::of(&manifests(), &volumes).unwrap();
        assert_eq!(again.members, members, "the uids are the same each time");
        assert_ne!(alice.uid.0, design.uid.0);
    }

    #[test]
    fn what_a_cluster_has_written_down_counts() {
        let mut manifests = manifests();
        let (uid, space) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let alice = &mut manifests.members[0];
        alice.metadata.uid = Some(uid.to_string());
        let status = serde_json::json!({"spaceID": space, "volume": "old"});
        alice.status = Some(serde_json::from_value(status).unwrap());
        let volumes =
            |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect::<Vec<VolumeName>>();
        let read = |names: &[&str]| Wanted::of(&manifests, &volumes(names));
        let one = read(&["main"]).unwrap();
        assert_eq!((one.members[0].uid.0, one.members[0].space.0), (uid, space));
        assert_eq!(one.members[0].volume.as_str(), "main", "there is no other");
        assert_eq!(read(&["new", "old"]).unwrap().members[0].volume.as_str(), "old");
        let error = format!("{:#}", read(&["new", "newer"]).err().unwrap());
        assert!(error.contains("--volume old=DIR"), "{error}");
    }

    #[test]
    fn more_than_the_quota_cannot_be_given() {
        let mut manifests = manifests();
        manifests.members[0].spec.quota = api::kubernetes::Quantity("1Gi".to_owned());
        let error = format!("{:#}", Wanted::of(&manifests, &["main".parse().unwrap()]).err().unwrap());
        assert!(error.contains("Member alice") && error.contains("quota"), "{error}");
    }
}
