//! How one signs in, other than by a password, and who somebody is elsewhere.

use api::bytes::Bytes;
use serde::{Deserialize, Serialize};

/// How one signs in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SignInSettings {
    /// Passwords are not taken on the page.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub without_passwords: bool,
    /// OpenID providers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub providers: Vec<Provider>,
    /// What Members get who come by themselves; absent where none do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_member_quota: Option<Bytes>,
}

/// An OpenID provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Provider {
    /// What it is called here.
    pub name: String,
    /// What it is called on the button.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Exactly as in its tokens.
    pub issuer: String,
    /// What this disk is called there.
    pub client_id: String,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// The claim that identifies the person for ever.
    pub subject_claim: String,
    /// The claim with the name people see.
    pub display_name_claim: String,
    /// The claim with the address for notices.
    pub email_claim: String,
    /// What the token must say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<ClaimRule>,
    /// What happens when somebody unknown signs in.
    pub newcomers: Newcomers,
}

/// What a token must say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimRule {
    /// Name of the claim.
    pub claim: String,
    /// What it, or one item of it, must equal.
    pub required: String,
}

/// What happens when somebody unknown signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Newcomers {
    /// He is sent away.
    Refuse,
    /// A Member is made that waits for approval.
    Approval,
    /// A Member is made.
    Create,
}

/// Who a member is at a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// [`Provider::name`].
    pub provider: Box<str>,
    /// The subject.
    pub subject: Box<str>,
}

impl Identity {
    /// Stands for this identity in sessions that were begun with it: they end when the member has it no longer.
    pub fn version(&self) -> u64 {
        identity_version(&self.provider, &self.subject)
    }
}

/// The version of an identity of these parts.
pub fn identity_version(provider: &str, subject: &str) -> u64 {
    let mut hasher = blake3::Hasher::new_derive_key("internet-disk identity version v1");
    // The length keeps two splits of one text apart.
    hasher.update(&(provider.len() as u64).to_be_bytes());
    hasher.update(provider.as_bytes());
    hasher.update(subject.as_bytes());
    let [a, b, c, d, e, f, g, h, ..] = *hasher.finalize().as_bytes();
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_an_identity_counts() {
        let versions =
            [("a", "bc"), ("ab", "c"), ("a", "b"), ("b", "bc")].map(|(a, b)| identity_version(a, b));
        for (place, one) in versions.iter().enumerate() {
            assert!(!versions[..place].contains(one), "{versions:?}");
        }
        let identity = Identity { provider: "a".into(), subject: "bc".into() };
        assert_eq!(identity.version(), versions[0]);
    }
}
