//! What every pod of a DiskCluster needs to know that is not about one member or group.

use api::bytes::Bytes;
use api::ids::{PodName, VolumeName};
use api::keys::{Trust, VerifyingKey};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::shard::JoinPolicy;
use crate::sign_in::SignInSettings;

/// Settings of a DiskCluster, as far as pods need them. All have defaults, so that a pod reads the index of an
/// older operator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// Where browsers find the page, such as `https://disk.example.org`; disk pods allow this origin.
    pub web_url: Option<String>,
    /// Where WebDAV clients connect.
    pub dav_url: Option<String>,
    /// The disk pods and their lasting addresses, in order of their ordinals.
    pub disk_pods: Vec<DiskPodAddress>,
    /// The volumes of the pool.
    pub volumes: Vec<VolumeName>,
    /// The public halves of the keys that sign tickets, old ones included while their tickets live.
    pub ticket_keys: Vec<TicketKey>,
    /// `host:port` of the private port of the web pods, inside the cluster: there disk pods ask whose a password is.
    pub web_internal: Option<String>,
    /// The public halves of the keys that disk pods sign such questions with.
    pub disk_keys: Vec<VerifyingKey>,
    /// Whether names and passwords are taken with requests that came without TLS.
    pub passwords_without_tls: bool,
    /// Ranges of addresses whose word on the address of a client web pods believe: `10.0.0.0/8`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trusted_proxies: Vec<String>,
    /// What the service does at the moment.
    pub mode: Mode,
    /// A sentence for all members, shown on the page.
    pub notice: Option<String>,
    /// About uploads.
    pub uploads: UploadSettings,
    /// About deleted files.
    pub trash: TrashSettings,
    /// About earlier contents of files.
    pub versions: VersionSettings,
    /// About spaces as they were.
    pub history: HistorySettings,
    /// About share links.
    pub shares: ShareSettings,
    /// How one signs in.
    pub sign_in: SignInSettings,
    /// About sessions of the page.
    pub sessions: SessionSettings,
    /// About passwords for programs.
    pub app_passwords: AppPasswordSettings,
    /// What members may do with groups.
    pub groups: GroupSettings,
    /// How old, in milliseconds, the state may be that a disk pod answers reads from; 0 asks the volume each time.
    pub freshness_ms: u32,
    /// The language of the page where a browser asks for none that exists.
    pub default_language: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            web_url: None,
            dav_url: None,
            disk_pods: Vec::new(),
            volumes: Vec::new(),
            ticket_keys: Vec::new(),
            web_internal: None,
            disk_keys: Vec::new(),
            passwords_without_tls: false,
            trusted_proxies: Vec::new(),
            mode: Mode::default(),
            notice: None,
            uploads: UploadSettings::default(),
            trash: TrashSettings::default(),
            versions: VersionSettings::default(),
            history: HistorySettings::default(),
            shares: ShareSettings::default(),
            sign_in: SignInSettings::default(),
            sessions: SessionSettings::default(),
            app_passwords: AppPasswordSettings::default(),
            groups: GroupSettings::default(),
            freshness_ms: 1000,
            default_language: "en".to_owned(),
        }
    }
}

impl Settings {
    /// The keys whose tickets are good now.
    pub fn ticket_trust(&self, now: Timestamp) -> Trust {
        self.ticket_keys
            .iter()
            .filter(|known| known.not_after.is_none_or(|end| now <= end))
            .map(|known| known.key.clone())
            .collect()
    }
}

/// Where one disk pod is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiskPodAddress {
    /// Its name.
    pub name: PodName,
    /// Its origin as a browser uses it, such as `https://0.files.example.org`.
    pub url: String,
    /// `host:port` of its private port, inside the cluster.
    pub internal: String,
}

/// A key that signs tickets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TicketKey {
    /// The public half.
    pub key: VerifyingKey,
    /// From here on it signs nothing that counts; absent while it is in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
}

/// What the service does at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// Everything.
    #[default]
    ReadWrite,
    /// Files are read, not changed.
    ReadOnly,
    /// Nothing but the notice.
    Offline,
}

/// About uploads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UploadSettings {
    /// An upload that nobody continues is dropped after so many hours.
    pub expiration_hours: u32,
    /// The largest file; absent: whatever fits.
    pub max_file_size: Option<Bytes>,
}

impl Default for UploadSettings {
    fn default() -> Self {
        Self { expiration_hours: 72, max_file_size: None }
    }
}

/// About deleted files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TrashSettings {
    /// Deleted files are kept so many days; 0: not at all.
    pub retention_days: u32,
    /// At most this part of a space is trash.
    pub maximum_percent: u8,
}

impl Default for TrashSettings {
    fn default() -> Self {
        Self { retention_days: 30, maximum_percent: 50 }
    }
}

/// About earlier contents of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VersionSettings {
    /// They are kept so many days; 0: not at all.
    pub retention_days: u32,
    /// So many of one file are kept; 0: none.
    pub maximum_per_file: u32,
}

impl Default for VersionSettings {
    fn default() -> Self {
        Self { retention_days: 30, maximum_per_file: 20 }
    }
}

/// About spaces as they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HistorySettings {
    /// A space can be shown as it was at any moment of so many hours.
    pub retention_hours: u32,
}

impl Default for HistorySettings {
    fn default() -> Self {
        Self { retention_hours: 24 }
    }
}

/// About sessions of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SessionSettings {
    /// Seconds after which one must sign in again in any case.
    pub lifetime_s: u32,
    /// Seconds without a request after which a session ends.
    pub idle_s: u32,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self { lifetime_s: 30 * 24 * 3600, idle_s: 24 * 3600 }
    }
}

/// About share links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ShareSettings {
    /// Whether there are any.
    pub links: LinkPolicy,
    /// How long one can be good; 0: for ever.
    pub maximum_lifetime_days: u32,
}

/// Whether files are shared by links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkPolicy {
    /// They may be.
    #[default]
    Allowed,
    /// With a password.
    PasswordRequired,
    /// They may not, and links that were made open nothing.
    Forbidden,
}

/// About passwords for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AppPasswordSettings {
    /// Whether there are any. Those that were made count for nothing while there are not.
    pub enabled: bool,
    /// How many one member may have.
    pub maximum: u32,
}

impl Default for AppPasswordSettings {
    fn default() -> Self {
        Self { enabled: true, maximum: 20 }
    }
}

/// What members may do with groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GroupSettings {
    /// Who may create a group.
    pub creation: GroupCreation,
    /// Which joining policies members may choose for their groups.
    pub join_policies: Vec<JoinPolicy>,
    /// How many groups one member may own.
    pub maximum_per_member: u32,
}

impl Default for GroupSettings {
    fn default() -> Self {
        Self {
            creation: GroupCreation::default(),
            join_policies: vec![JoinPolicy::Open, JoinPolicy::OnRequest, JoinPolicy::InviteOnly],
            maximum_per_member: 32,
        }
    }
}

/// Who may create a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum GroupCreation {
    /// Every member.
    #[default]
    Members,
    /// Those who administer Groups in Kubernetes.
    Administrators,
}
