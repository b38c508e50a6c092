//! What every pod needs to know of a DiskCluster that is not about one member or group.

use api::ids::{PodName, VolumeName};
use api::keys::VerifyingKey;
use api::kubernetes::DiskCluster;
use api::kubernetes::disk_cluster::operation::ServiceMode;
use api::kubernetes::disk_cluster::{policies, sign_in as spec};
use api::kubernetes::group;
use roster::{AppPasswordSettings, LinkPolicy, ShareSettings};
use roster::{ClaimRule, Newcomers, Provider, SignInSettings};
use roster::{
    DiskPodAddress, GroupCreation, GroupSettings, HistorySettings, JoinPolicy, Mode, SessionSettings,
    Settings, TicketKey, TrashSettings, UploadSettings, VersionSettings,
};

use super::addresses::Addresses;

/// The head of the roster.
pub fn settings(
    cluster: &DiskCluster,
    addresses: &Addresses,
    ticket_keys: Vec<TicketKey>,
    disk_keys: Vec<VerifyingKey>,
) -> Settings {
    let spec = &cluster.spec;
    let policies::Policies { trash, versions, history, uploads, shares, groups, overcommit_percent: _ } =
        &spec.policies;
    let sessions = &spec.sign_in.sessions;
    Settings {
        web_url: addresses.web.clone(),
        dav_url: addresses
            .disks
            .as_ref()
            .filter(|_| spec.disk.protocols.webdav.is_enabled())
            .map(|origin| format!("{origin}/dav/")),
        disk_pods: addresses.disk_pods.iter().filter_map(complete).collect(),
        volumes: spec.volumes.iter().filter_map(|volume| volume.name.parse::<VolumeName>().ok()).collect(),
        ticket_keys,
        web_internal: addresses.web_private.clone(),
        disk_keys,
        passwords_without_tls: spec.disk.protocols.passwords_without_tls.is_enabled(),
        trusted_proxies: spec.web.trusted_proxies.clone(),
        mode: match spec.service.mode {
            ServiceMode::ReadWrite => Mode::ReadWrite,
            ServiceMode::ReadOnly => Mode::ReadOnly,
            ServiceMode::Offline => Mode::Offline,
        },
        notice: spec.service.notice.clone(),
        uploads: UploadSettings {
            expiration_hours: whole(uploads.expiration_hours),
            max_file_size: uploads.maximum_file_size.as_ref().and_then(|size| size.bytes().ok()),
        },
        trash: TrashSettings {
            retention_days: whole(trash.retention_days),
            maximum_percent: u8::try_from(trash.maximum_percent).unwrap_or_default(),
        },
        versions: VersionSettings {
            retention_days: whole(versions.retention_days),
            maximum_per_file: whole(versions.maximum_per_file),
        },
        history: HistorySettings { retention_hours: whole(history.retention_hours) },
        sign_in: sign_in(&spec.sign_in),
        sessions: SessionSettings {
            lifetime_s: whole(sessions.lifetime_seconds),
            idle_s: whole(sessions.idle_timeout_seconds),
        },
        shares: ShareSettings {
            links: match shares.links {
                policies::LinkPolicy::Allowed => LinkPolicy::Allowed,
                policies::LinkPolicy::PasswordRequired => LinkPolicy::PasswordRequired,
                policies::LinkPolicy::Forbidden => LinkPolicy::Forbidden,
            },
            maximum_lifetime_days: whole(shares.maximum_lifetime_days),
        },
        app_passwords: AppPasswordSettings {
            enabled: spec.sign_in.app_passwords.mode.is_enabled(),
            maximum: whole(spec.sign_in.app_passwords.maximum_per_member),
        },
        groups: GroupSettings {
            creation: match groups.creation {
                policies::GroupCreation::Members => GroupCreation::Members,
                policies::GroupCreation::Administrators => GroupCreation::Administrators,
            },
            join_policies: groups.join_policies.iter().map(join_policy).collect(),
            maximum_per_member: whole(groups.maximum_per_member),
        },
        freshness_ms: whole(spec.disk.freshness_milliseconds),
        default_language: spec.web.default_language.clone(),
    }
}

/// A disk pod that has both addresses: one that clients cannot reach, or that cannot be probed, is of no use to them.
fn complete(pod: &super::addresses::DiskPodAddresses) -> Option<DiskPodAddress> {
    Some(DiskPodAddress {
        name: pod.name.parse::<PodName>().ok()?,
        url: pod.url.clone()?,
        internal: pod.internal.clone()?,
    })
}

fn sign_in(spec: &spec::SignIn) -> SignInSettings {
    SignInSettings {
        without_passwords: !spec.passwords.mode.is_enabled(),
        providers: spec.oidc.iter().map(provider).collect(),
        new_member_quota: spec.new_members.as_ref().and_then(|new| new.quota.bytes().ok()),
    }
}

fn provider(spec: &spec::OidcProvider) -> Provider {
    let rule = |rule: &spec::ClaimRule| ClaimRule {
        claim: rule.claim.clone(),
        required: rule.required_value.clone(),
    };
    Provider {
        name: spec.name.clone(),
        display_name: spec.display_name.clone(),
        issuer: spec.issuer_url.clone(),
        client_id: spec.client_id.clone(),
        scopes: spec.scopes.clone(),
        subject_claim: spec.claim_mappings.subject.clone(),
        display_name_claim: spec.claim_mappings.display_name.clone(),
        email_claim: spec.claim_mappings.email.clone(),
        rules: spec.claim_validation_rules.iter().map(rule).collect(),
        newcomers: match spec.new_members {
            spec::NewMemberPolicy::Refuse => Newcomers::Refuse,
            spec::NewMemberPolicy::Approval => Newcomers::Approval,
            spec::NewMemberPolicy::Create => Newcomers::Create,
        },
    }
}

fn join_policy(policy: &group::JoinPolicy) -> JoinPolicy {
    match policy {
        group::JoinPolicy::Open => JoinPolicy::Open,
        group::JoinPolicy::OnRequest => JoinPolicy::OnRequest,
        group::JoinPolicy::InviteOnly => JoinPolicy::InviteOnly,
    }
}

/// The schema lets no negative number in.
fn whole(number: i32) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::addresses::DiskPodAddresses;

    #[test]
    fn what_providers_are_asked_is_told() {
        let cluster: DiskCluster = serde_json::from_value(json!({
            "apiVersion": "internetdisk.dev/v1alpha1", "kind": "DiskCluster", "metadata": { "name": "demo" },
            "spec": { "volumes": [{ "name": "main" }], "signIn": {
                "passwords": { "mode": "Disabled" }, "newMembers": { "quota": "1Gi" },
                "oidc": [{ "name": "corp", "issuerURL": "https://id.example.org", "clientID": "disk",
                    "newMembers": "Create", "claimValidationRules": [{ "claim": "groups", "requiredValue": "staff" }] }],
            } },
        }))
        .unwrap();
        let told = settings(&cluster, &Addresses::default(), Vec::new(), Vec::new()).sign_in;
        let expected = Provider {
            name: "corp".to_owned(),
            display_name: None,
            issuer: "https://id.example.org".to_owned(),
            client_id: "disk".to_owned(),
            scopes: ["openid", "profile", "email"].map(str::to_owned).to_vec(),
            subject_claim: "sub".to_owned(),
            display_name_claim: "name".to_owned(),
            email_claim: "email".to_owned(),
            rules: vec![ClaimRule { claim: "groups".to_owned(), required: "staff".to_owned() }],
            newcomers: Newcomers::Create,
        };
        assert_eq!(told.providers, [expected]);
        assert!(told.without_passwords);
        assert_eq!(told.new_member_quota, Some(api::bytes::Bytes(1 << 30)));
    }

    #[test]
    fn the_defaults_of_the_resource_are_told_and_half_known_pods_are_not() {
        let cluster: DiskCluster = serde_json::from_value(json!({
            "apiVersion": "internetdisk.dev/v1alpha1", "kind": "DiskCluster", "metadata": { "name": "demo" },
            "spec": { "volumes": [{ "name": "main" }], "service": { "mode": "ReadOnly", "notice": "Moving house" } },
        }))
        .unwrap();
        let pod = |ordinal: u32, internal: Option<&str>| DiskPodAddresses {
            name: format!("demo-disk-{ordinal}"),
            url: Some(format!("http://{ordinal}.files.example.org")),
            internal: internal.map(str::to_owned),
        };
        let addresses = Addresses {
            web: Some("http://disk.example.org".to_owned()),
            web_internal: None,
            web_private: Some("10.0.0.3:8081".to_owned()),
            disks: Some("http://files.example.org".to_owned()),
            disk_pods: vec![pod(0, Some("10.0.0.1:8081")), pod(1, None)],
        };
        let told = settings(&cluster, &addresses, Vec::new(), Vec::new());
        let expected = Settings {
            web_url: Some("http://disk.example.org".to_owned()),
            dav_url: Some("http://files.example.org/dav/".to_owned()),
            disk_pods: vec![DiskPodAddress {
                name: "demo-disk-0".parse().unwrap(),
                url: "http://0.files.example.org".to_owned(),
                internal: "10.0.0.1:8081".to_owned(),
            }],
            volumes: vec!["main".parse().unwrap()],
            web_internal: Some("10.0.0.3:8081".to_owned()),
            mode: Mode::ReadOnly,
            notice: Some("Moving house".to_owned()),
            sessions: SessionSettings { lifetime_s: 2_592_000, idle_s: 604_800 },
            ..Settings::default()
        };
        assert_eq!(told, expected);
    }
}
