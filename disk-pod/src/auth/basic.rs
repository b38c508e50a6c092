//! Name and password with every request (RFC 7617), as clients send them that mount a disk. A web pod, which has the
//! verifiers, is asked once; what it said is remembered for a minute, and forgotten when credentials change.

use std::time::{Duration, Instant};

use api::credential_check::{CheckOutcome, Checked, CredentialKind, Right};
use api::ticket::Access;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::request::Parts;
use http::{HeaderValue, header};
use roster::shard_of;
use serve::Peer;
use tokio::sync::Semaphore;

use super::memory::{Memory, Remembered};
use super::{Identity, PasswordFile, Via, WebPods};
use crate::app::App;
use crate::error::Error;

/// What asks a client for name and password.
pub const CHALLENGE: HeaderValue =
    HeaderValue::from_static("Basic realm=\"Internet Disk\", charset=\"UTF-8\"");

/// Nobody has a longer name and password; what is longer is not looked at.
const LONGEST: usize = 4096;
/// What a web pod says counts no longer than this, whatever it says.
const REMEMBER: Duration = Duration::from_secs(60);
/// A wrong password is refused without asking for so long: clients repeat it in bursts.
const REFUSE: Duration = Duration::from_secs(5);
/// Questions under way; those beyond are told to come back.
const AT_ONCE: usize = 64;

/// Where passwords are checked.
#[derive(Debug)]
pub enum Checker {
    /// Nowhere: tickets alone are good.
    Nowhere,
    /// By the web pods.
    WebPods(WebPods),
    /// Here, where there is no cluster.
    File(PasswordFile),
}

/// Checks names and passwords, and remembers what came of it.
pub struct Passwords {
    checker: Checker,
    memory: Memory,
    turns: Semaphore,
}

impl Passwords {
    /// With an empty memory.
    ///
    /// # Errors
    /// When there are no random numbers.
    pub fn new(checker: Checker) -> std::io::Result<Self> {
        let memory = Memory::new().map_err(std::io::Error::other)?;
        Ok(Self { checker, memory, turns: Semaphore::new(AT_ONCE) })
    }

    async fn check(&self, app: &App, head: &Parts, name: &str, password: &str) -> Result<Identity, Error> {
        let of = self.memory.fingerprint(name, password);
        let newest = || {
            let roster = app.roster.current();
            let named = roster.index().and_then(|index| index.credentials.get(usize::from(shard_of(name))));
            named.copied().unwrap_or_default()
        };
        if let Some(remembered) = self.memory.recall(of, newest(), Instant::now()) {
            return answer(remembered);
        }
        let _turn = self.memory.turn(of).await;
        let at_least = newest();
        if let Some(remembered) = self.memory.recall(of, at_least, Instant::now()) {
            return answer(remembered);
        }
        let _place = self.turns.try_acquire().map_err(|_| Error::TooManyAttempts { wait_seconds: 1 })?;
        let address = head.extensions.get::<Peer>().map(|Peer(address)| address.ip());
        let (outcome, generation) = match &self.checker {
            Checker::Nowhere => return Err(Error::TicketsAlone),
            Checker::WebPods(pods) => {
                let Checked { outcome, generation, cluster: _, nonce: _ } =
                    pods.ask(app, name, password, address, at_least).await?;
                (outcome, generation)
            }
            Checker::File(file) => (look_up(app, file, name, password).await, at_least),
        };
        // It counts from before it was asked for: then it was true.
        let now = Instant::now();
        let (remembered, lasts) = match outcome {
            CheckOutcome::Right(right) => {
                let lasts = Duration::from_secs(right.remember_seconds.into()).min(REMEMBER);
                (Remembered::Right(Identity::of_credential(right)), lasts)
            }
            CheckOutcome::Wrong => (Remembered::Wrong, REFUSE),
            CheckOutcome::Limited { wait_seconds } => {
                let wait = Duration::from_secs(u64::from(wait_seconds).clamp(1, 60));
                (Remembered::Limited(now + wait), wait.min(REFUSE))
            }
        };
        self.memory.remember(of, remembered.clone(), generation, now, lasts);
        answer(remembered)
    }
}

async fn look_up(app: &App, file: &PasswordFile, name: &str, password: &str) -> CheckOutcome {
    let right = file.is_right(name, password).await;
    match app.roster.current().member_by_name(name) {
        Some(member) if right => CheckOutcome::Right(Right {
            member: member.uid,
            kind: CredentialKind::Password,
            access: Access::ReadWrite,
            scope: None,
            remember_seconds: u32::MAX,
        }),
        _ => CheckOutcome::Wrong,
    }
}

fn answer(remembered: Remembered) -> Result<Identity, Error> {
    match remembered {
        Remembered::Right(identity) => Ok(identity),
        Remembered::Wrong => Err(Error::WrongPassword),
        Remembered::Limited(until) => {
            let wait = until.saturating_duration_since(Instant::now()).as_secs().max(1);
            Err(Error::TooManyAttempts { wait_seconds: wait })
        }
    }
}

impl Identity {
    fn of_credential(right: Right) -> Self {
        let Right { member, kind, access, scope, remember_seconds: _ } = right;
        let via = match kind {
            CredentialKind::Password => Via::Password,
            CredentialKind::AppPassword { .. } => Via::AppPassword,
        };
        let scope = scope.map(|scope| super::Scope { space: scope.space, path: scope.path });
        Self { member, via, access, scope, link: None }
    }
}

/// Whether a request shows a name and a password.
pub(super) fn is_shown(head: &Parts) -> bool {
    let text = head.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    text.and_then(|text| text.split_once(' ')).is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))
}

/// Whose name and password a request shows.
pub(super) async fn by_password(app: &App, head: &Parts) -> Result<Identity, Error> {
    if !app.roster.is_loaded() {
        return Err(Error::RosterMissing);
    }
    if !is_protected(app, head) {
        return Err(Error::PasswordInTheClear);
    }
    // A browser sends what a person once typed with every request, even one that a page of others has made.
    let site = head.headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    if site.is_some_and(|site| site != "same-origin" && site != "none") {
        return Err(Error::Forbidden("a page of another site has made this request: it needs a ticket"));
    }
    let (name, password) = shown(head).ok_or(Error::WrongPassword)?;
    app.passwords.check(app, head, name.trim(), &password).await
}

fn shown(head: &Parts) -> Option<(String, String)> {
    let text = head.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (_, encoded) = text.split_once(' ')?;
    let encoded = encoded.trim();
    if encoded.len() > LONGEST {
        return None;
    }
    let decoded = String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()?;
    let (name, password) = decoded.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

/// Whether nobody on the way could read the password. Whoever ends TLS before this pod says so in `X-Forwarded-Proto`;
/// a client that lies there deceives itself alone. What comes from this machine was on no network.
fn is_protected(app: &App, head: &Parts) -> bool {
    if app.roster.current().settings().passwords_without_tls {
        return true;
    }
    match head.headers.get("x-forwarded-proto").and_then(|value| value.to_str().ok()) {
        Some(schemes) => {
            schemes.split(',').next().is_some_and(|first| first.trim().eq_ignore_ascii_case("https"))
        }
        None => head.extensions.get::<Peer>().is_some_and(|Peer(address)| address.ip().is_loopback()),
    }
}
