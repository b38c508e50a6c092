//! Who is signed in. A session is a signed cookie that every web pod can read and none keeps; it ends with its time,
//! with a new password, and with the member.

use api::ids::{ClusterUid, MemberUid};
use api::keys::{self, KeyError, purpose};
use api::problem::ProblemCode;
use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::request::Parts as RequestParts;
use http::{HeaderMap, HeaderValue, header};
use jiff::{SignedDuration, Timestamp};
use roster::{MemberState, Roster, SessionSettings, Settings};
use serde::{Deserialize, Serialize};
use serve::problem::Refusal;

use crate::app::App;
use crate::keys::Ring;

const COOKIE: &str = "internet-disk-session";

/// The claims of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Session {
    cluster: ClusterUid,
    pub(crate) member: MemberUid,
    /// Which password it was begun with ([`roster::credentials::Verifier::version`]), or which identity
    /// ([`roster::Identity::version`]): when the member has it no longer, the session is over.
    credential: u64,
    began: Timestamp,
    pub(crate) expires: Timestamp,
}

impl Session {
    pub(crate) fn begin(
        cluster: ClusterUid,
        member: MemberUid,
        credential: u64,
        now: Timestamp,
        settings: SessionSettings,
    ) -> Self {
        let began = now;
        Self { cluster, member, credential, began, expires: end(began, now, settings) }
    }

    /// The same session with the end put off, when enough time has passed for that to be worth a cookie.
    fn renewed(&self, now: Timestamp, settings: SessionSettings) -> Option<Self> {
        let expires = end(self.began, now, settings);
        let gain = expires.duration_since(self.expires);
        let worth = SignedDuration::from_secs(i64::from(settings.idle_s) / 10);
        (gain > worth).then(|| Self { expires, ..self.clone() })
    }

    /// A `Set-Cookie` that begins or renews it.
    pub(crate) fn cookie(&self, ring: &Ring, settings: &Settings) -> Result<HeaderValue, Refusal> {
        let key = ring.session().ok_or_else(|| Refusal::internal("there is no key that signs sessions"))?;
        let token = keys::sign(key, purpose::SESSION, self).map_err(Refusal::internal)?;
        set_cookie(&token, settings.sessions.lifetime_s, settings)
    }
}

/// A session ends after some idle time, and after its lifetime in any case.
fn end(began: Timestamp, now: Timestamp, settings: SessionSettings) -> Timestamp {
    let after = |from: Timestamp, seconds: u32| {
        from.checked_add(SignedDuration::from_secs(i64::from(seconds))).unwrap_or(Timestamp::MAX)
    };
    after(began, settings.lifetime_s).min(after(now, settings.idle_s))
}

/// A `Set-Cookie` that ends the session in this browser.
pub(crate) fn no_cookie(settings: &Settings) -> Result<HeaderValue, Refusal> {
    set_cookie("", 0, settings)
}

fn set_cookie(value: &str, max_age: u32, settings: &Settings) -> Result<HeaderValue, Refusal> {
    // Over plain HTTP, as in a demo, a browser would not send a cookie back that is marked so.
    let https = settings.web_url.as_deref().is_some_and(|url| url.starts_with("https://"));
    let secure = if https { "; Secure" } else { "" };
    let text = format!("{COOKIE}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Strict{secure}");
    let mut header = HeaderValue::from_str(&text).map_err(Refusal::internal)?;
    header.set_sensitive(true);
    Ok(header)
}

fn token(headers: &HeaderMap) -> Option<&str> {
    cookie(headers, COOKIE)
}

/// The cookie of that name, if it says anything.
pub(crate) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(one, _)| *one == name)
        .map(|(_, value)| value)
        .filter(|value| !value.is_empty())
}

/// Why a request has no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unusable {
    /// There is none, or it is over: sign in.
    None,
    /// It is good, but the member may not use the disk now.
    Suspended,
}

/// The session of a request, if it is good here and now.
fn current(app: &App, roster: &Roster, headers: &HeaderMap, now: Timestamp) -> Result<Session, Unusable> {
    let token = token(headers).ok_or(Unusable::None)?;
    let session: Session =
        keys::verify(token, purpose::SESSION, app.keys.ring().sessions()).map_err(|error: KeyError| {
            tracing::debug!(%error, "A session is not accepted.");
            Unusable::None
        })?;
    if session.cluster != app.cluster || session.expires <= now {
        return Err(Unusable::None);
    }
    let member = roster.member_by_uid(session.member).ok_or(Unusable::None)?;
    let password = app.credentials.verifier(&member.name, member.uid);
    let by_password = password.is_some_and(|verifier| verifier.version() == session.credential);
    let providers = &roster.settings().sign_in.providers;
    let by_identity = || {
        member.identities.iter().any(|identity| {
            identity.version() == session.credential
                && providers.iter().any(|one| *one.name == *identity.provider)
        })
    };
    if !by_password && !by_identity() {
        return Err(Unusable::None);
    }
    match member.state {
        MemberState::Active => Ok(session),
        MemberState::Suspended | MemberState::Pending => Err(Unusable::Suspended),
    }
}

/// Lets only signed-in members through, and puts off the end of their sessions.
pub(crate) async fn require(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let now = Timestamp::now();
    let roster = app.roster.current();
    let session = match current(&app, &roster, request.headers(), now) {
        Ok(session) => session,
        Err(Unusable::None) => {
            return Refusal::new(
                ProblemCode::Unauthenticated,
                "sign in first, or again: nobody is signed in",
            )
            .into_response();
        }
        Err(Unusable::Suspended) => return suspended().into_response(),
    };
    let renewed = session.renewed(now, roster.settings().sessions);
    request.extensions_mut().insert(SignedIn { session });
    let mut response = next.run(request).await;
    if let Some(renewed) = renewed
        && !response.headers().contains_key(header::SET_COOKIE)
        && let Ok(cookie) = renewed.cookie(&app.keys.ring(), roster.settings())
    {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// The words for a member who may not use the disk.
pub(crate) fn suspended() -> Refusal {
    Refusal::new(
        ProblemCode::MemberSuspended,
        "this member is suspended or not yet approved; an administrator can change that",
    )
}

/// The member who makes a request. Handlers behind [`require`] can ask for it.
#[derive(Clone, Debug)]
pub(crate) struct SignedIn {
    pub(crate) session: Session,
}

impl SignedIn {
    pub(crate) fn member(&self) -> MemberUid {
        self.session.member
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut RequestParts, _state: &S) -> Result<Self, Refusal> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| Refusal::internal("a route that needs a session is not behind the session check"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: SessionSettings = SessionSettings { lifetime_s: 1000, idle_s: 100 };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_session_is_put_off_while_it_is_used_but_not_for_ever() {
        let nobody = uuid::Uuid::nil();
        let session = Session::begin(ClusterUid(nobody), MemberUid(nobody), 1, at(0), SETTINGS);
        assert_eq!(session.expires, at(100));
        assert_eq!(session.renewed(at(5), SETTINGS), None, "not worth a cookie");
        let renewed = session.renewed(at(50), SETTINGS).unwrap();
        assert_eq!((renewed.began, renewed.expires), (at(0), at(150)));
        let last = renewed.renewed(at(980), SETTINGS).unwrap();
        assert_eq!(last.expires, at(1000));
        assert_eq!(last.renewed(at(999), SETTINGS), None);
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let headers = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::COOKIE, HeaderValue::from_static(line));
            }
            headers
        };
        let found = headers(&["a=b; internet-disk-session=v4.public.x; c=d"]);
        assert_eq!(token(&found), Some("v4.public.x"));
        assert_eq!(token(&headers(&["a=b", "internet-disk-session=y"])), Some("y"));
        assert_eq!(token(&headers(&["not-internet-disk-session=y"])), None);
        assert_eq!(token(&headers(&["internet-disk-session="])), None);
    }

    #[test]
    fn a_cookie_is_for_this_site_alone() {
        let plain = no_cookie(&Settings::default()).unwrap();
        assert_eq!(
            plain.to_str().unwrap(),
            "internet-disk-session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"
        );
        let https = Settings { web_url: Some("https://disk.example.org".to_owned()), ..Settings::default() };
        assert!(no_cookie(&https).unwrap().to_str().unwrap().ends_with("; Secure"));
    }
}
