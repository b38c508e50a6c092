//! Who may sign in, and how.

use kube::core::Rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kubernetes::quantity::Quantity;
use crate::kubernetes::reference::{KeyReference, Switch};
use crate::kubernetes::schema::{self, invalid, required};

/// Who may sign in, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = rules()))]
pub struct SignIn {
    /// Passwords, as the page asks for them.
    pub passwords: Passwords,
    /// Further passwords that a member makes for programs.
    pub app_passwords: AppPasswords,
    /// TOTP or passkey after a password.
    pub second_factor: SecondFactor,
    /// Members who make themselves with a password.
    pub registration: Registration,
    /// OpenID providers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub oidc: Vec<OidcProvider>,
    /// For Members who make themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_members: Option<NewMembers>,
    /// How long one stays signed in.
    pub sessions: Sessions,
}

fn rules() -> Vec<Rule> {
    vec![
        required(
            "has(self.newMembers) || (self.registration.mode == 'Closed' \
             && (!has(self.oidc) || self.oidc.all(p, p.newMembers == 'Refuse')))",
            "Members who make themselves need a quota: set signIn.newMembers.quota",
        )
        .field_path(".newMembers"),
        invalid(
            "self.passwords.mode == 'Enabled' || (has(self.oidc) && self.oidc.size() > 0)",
            "nobody could sign in: enable passwords or add an OIDC provider",
        )
        .field_path(".passwords"),
        invalid(
            "self.passwords.mode == 'Enabled' || self.registration.mode == 'Closed'",
            "registration makes a password: with passwords disabled it must be Closed, and oidc[].newMembers be used",
        )
        .field_path(".registration"),
    ]
}

/// Passwords.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Passwords {
    /// Whether one signs in with a password.
    pub mode: Switch,
    /// Of passwords that members choose.
    #[schemars(range(min = 8, max = 128))]
    pub minimum_length: i32,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { mode: Switch::Enabled, minimum_length: 12 }
    }
}

/// Further passwords, for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AppPasswords {
    /// For WebDAV clients.
    pub mode: Switch,
    /// How many one member may have.
    #[schemars(range(min = 1, max = 100))]
    pub maximum_per_member: i32,
}

impl Default for AppPasswords {
    fn default() -> Self {
        Self { mode: Switch::Enabled, maximum_per_member: 20 }
    }
}

/// Whether a second factor is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SecondFactor {
    /// It is not.
    Disabled,
    /// Of those who have set one up.
    #[default]
    Optional,
    /// Of everybody.
    Required,
}

/// Members who make themselves with a password.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Registration {
    /// Who may make a Member for himself on the page. Approval: it is made in state Pending.
    pub mode: RegistrationMode,
    /// Only with an address at one of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::hosts")]
    pub email_domains: Vec<String>,
}

/// Who may make a Member for himself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RegistrationMode {
    /// Nobody.
    #[default]
    Closed,
    /// Everybody, and an administrator approves.
    Approval,
    /// Everybody.
    Open,
}

/// For Members who make themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewMembers {
    /// Quota of a Member who registered or came by OIDC.
    #[schemars(schema_with = "schema::amount")]
    pub quota: Quantity,
    /// No more are made on the page when the cluster has so many Members.
    #[serde(default = "a_thousand")]
    #[schemars(range(min = 1, max = 100_000))]
    pub maximum: i32,
}

fn a_thousand() -> i32 {
    1000
}

/// How long one stays signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = [invalid(
    "self.idleTimeoutSeconds <= self.lifetimeSeconds",
    "idleTimeoutSeconds must not exceed lifetimeSeconds",
).field_path(".idleTimeoutSeconds")]))]
pub struct Sessions {
    /// Then one must sign in again in any case.
    #[schemars(range(min = 300, max = 31_536_000))]
    pub lifetime_seconds: i32,
    /// Without a request a session ends after this.
    #[schemars(range(min = 60, max = 31_536_000))]
    pub idle_timeout_seconds: i32,
}

impl Default for Sessions {
    fn default() -> Self {
        Self { lifetime_seconds: 2_592_000, idle_timeout_seconds: 604_800 }
    }
}

/// An OpenID provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OidcProvider {
    /// Name of the provider here; Member.spec.identities refers to it.
    #[schemars(schema_with = "schema::short_name")]
    pub name: String,
    /// On the button.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub display_name: Option<String>,
    /// Issuer, exactly as in its tokens.
    #[serde(rename = "issuerURL")]
    #[schemars(schema_with = "schema::https_url")]
    pub issuer_url: String,
    /// The client that this disk is at the issuer.
    #[serde(rename = "clientID")]
    #[schemars(length(min = 1, max = 512))]
    pub client_id: String,
    /// Client secret; key: clientSecret, if none is named. Leave out for a public client (PKCE is always used).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret_ref: Option<KeyReference>,
    /// ConfigMap with the certificate authorities of the issuer; key: ca.crt, if none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_bundle_ref: Option<KeyReference>,
    /// What is asked for.
    #[serde(default = "scopes")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 128)), extend("x-kubernetes-list-type" = "set"))]
    pub scopes: Vec<String>,
    /// Which claim says what.
    #[serde(default)]
    pub claim_mappings: ClaimMappings,
    /// All must hold, or sign-in is refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["claim"]))]
    pub claim_validation_rules: Vec<ClaimRule>,
    /// What happens when somebody unknown signs in: refused; a Member in state Pending is made; a Member in state
    /// Active is made.
    #[serde(default)]
    pub new_members: NewMemberPolicy,
}

fn scopes() -> Vec<String> {
    ["openid", "profile", "email"].map(str::to_owned).to_vec()
}

/// Which claim says what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ClaimMappings {
    /// Claim that identifies the person for ever.
    #[schemars(length(min = 1, max = 128))]
    pub subject: String,
    /// Claim with the name people see.
    #[schemars(length(min = 1, max = 128))]
    pub display_name: String,
    /// Claim with the address for notices.
    #[schemars(length(min = 1, max = 128))]
    pub email: String,
}

impl Default for ClaimMappings {
    fn default() -> Self {
        Self { subject: "sub".to_owned(), display_name: "name".to_owned(), email: "email".to_owned() }
    }
}

/// What a token must say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClaimRule {
    /// Name of the claim.
    #[schemars(length(min = 1, max = 128))]
    pub claim: String,
    /// The claim, or one item of it where it is a list, must equal this.
    #[schemars(length(max = 256))]
    pub required_value: String,
}

/// What happens when somebody unknown comes by OpenID.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum NewMemberPolicy {
    /// Nothing.
    #[default]
    Refuse,
    /// A Member in state Pending is made.
    Approval,
    /// A Member in state Active is made.
    Create,
}
