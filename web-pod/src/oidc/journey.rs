//! A browser that has gone to a provider: what it must bring back, in a signed cookie, so that any web pod can take it in.

use api::ids::ClusterUid;
use api::keys;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use jiff::{SignedDuration, Timestamp};
use roster::Settings;
use serde::{Deserialize, Serialize};
use serve::problem::Refusal;

use crate::keys::Ring;

/// What the token is made for: it opens nothing but the way back.
const PURPOSE: &str = "internet-disk openid v1";
/// Its name.
pub(super) const COOKIE: &str = "internet-disk-openid";
/// It goes nowhere else.
const PATH: &str = "/api/oidc";
/// Long enough to find the password of elsewhere, and the second factor.
const LASTS: SignedDuration = SignedDuration::from_mins(15);
const LONGEST_PLACE: usize = 1024;

/// The claims.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Journey {
    cluster: ClusterUid,
    pub(super) provider: String,
    /// Comes back in the address: it ties the answer to this browser.
    pub(super) state: String,
    /// Comes back in the token: it ties the token to this journey.
    pub(super) nonce: String,
    /// Of PKCE (RFC 7636): it ties the code to this journey.
    pub(super) verifier: String,
    /// Where on the page to go on.
    pub(super) next: String,
    expires: Timestamp,
}

fn random() -> Result<String, Refusal> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(Refusal::internal)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

impl Journey {
    pub(super) fn begin(cluster: ClusterUid, provider: &str, next: Option<&str>) -> Result<Self, Refusal> {
        let expires = Timestamp::now().checked_add(LASTS).map_err(Refusal::internal)?;
        let next = next.filter(|next| is_here(next)).unwrap_or("/").to_owned();
        let (state, nonce, verifier) = (random()?, random()?, random()?);
        Ok(Self { cluster, provider: provider.to_owned(), state, nonce, verifier, next, expires })
    }

    /// What the provider keeps until the verifier is shown.
    pub(super) fn challenge(&self) -> String {
        let hash = ring::digest::digest(&ring::digest::SHA256, self.verifier.as_bytes());
        URL_SAFE_NO_PAD.encode(hash)
    }

    pub(super) fn cookie(&self, ring: &Ring, settings: &Settings) -> Result<HeaderValue, Refusal> {
        let key = ring.session().ok_or_else(|| Refusal::internal("there is no key that signs sessions"))?;
        let token = keys::sign(key, PURPOSE, self).map_err(Refusal::internal)?;
        set(&token, LASTS.as_secs(), settings)
    }

    /// The journey that a cookie tells of, if it was begun here and for this provider, lately, and the address says
    /// the same. Whatever is wrong, nobody is told which.
    pub(super) fn back(
        token: &str,
        cluster: ClusterUid,
        provider: &str,
        state: &str,
        ring: &Ring,
    ) -> Option<Self> {
        let journey: Self = keys::verify(token, PURPOSE, ring.sessions()).ok()?;
        let is_this = journey.cluster == cluster
            && journey.provider == provider
            && journey.state == state
            && journey.expires > Timestamp::now();
        is_this.then_some(journey)
    }
}

/// The cookie is of no use any more.
pub(super) fn over(settings: &Settings) -> Result<HeaderValue, Refusal> {
    set("", 0, settings)
}

fn set(value: &str, max_age: i64, settings: &Settings) -> Result<HeaderValue, Refusal> {
    let https = settings.web_url.as_deref().is_some_and(|url| url.starts_with("https://"));
    let secure = if https { "; Secure" } else { "" };
    // Lax, for the way back begins at another site.
    let text = format!("{COOKIE}={value}; Path={PATH}; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}");
    let mut header = HeaderValue::from_str(&text).map_err(Refusal::internal)?;
    header.set_sensitive(true);
    Ok(header)
}

/// Whether an address leads to this page and nowhere else, however a browser reads it.
fn is_here(next: &str) -> bool {
    let mut characters = next.chars();
    next.len() <= LONGEST_PLACE
        && characters.next() == Some('/')
        && !matches!(characters.next(), Some('/' | '\\'))
        && next.chars().all(|one| one.is_ascii_graphic() && one != '\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_goes_on_here_and_nowhere_else() {
        for here in ["/", "/files/a%20b?x=1#y", "/a//b", "/groups/trips"] {
            assert!(is_here(here), "{here}");
        }
        for elsewhere in [
            "",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/a\r\nSet-Cookie: x=y",
            " /a",
            "javascript:alert(1)",
            "/\u{a0}/evil.example",
            "/a\\..\\b",
        ] {
            assert!(!is_here(elsewhere), "{elsewhere:?}");
        }
    }

    #[test]
    fn the_challenge_is_that_of_the_standard() {
        // RFC 7636, appendix B.
        let mut journey = Journey::begin(ClusterUid(uuid::Uuid::nil()), "corp", None).unwrap();
        journey.verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned();
        assert_eq!(journey.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
