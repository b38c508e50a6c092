//! One attempt with a name and a password, however it came here.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use roster::credentials::Verifier;
use roster::{MemberEntry, Roster};
use secrecy::SecretString;
use serve::problem::Refusal;

use crate::app::App;

/// What came of it.
pub(crate) enum Attempted<'a> {
    /// They are the member's, who may be suspended all the same.
    Right(&'a MemberEntry, Verifier),
    /// They are nobody's.
    Wrong,
    /// Nothing was looked at: too many attempts failed, and one has to wait.
    Limited(Duration),
}

/// Compares a password with that of the member of a name.
///
/// # Errors
/// When there is too much to do.
pub(crate) async fn attempt<'a>(
    app: &App,
    roster: &'a Roster,
    name: &str,
    password: SecretString,
    address: Option<IpAddr>,
) -> Result<Attempted<'a>, Refusal> {
    let counted = match app.sign_in.attempts.begin(name, address, Instant::now()) {
        Ok(counted) => counted,
        Err(wait) => {
            app.metrics.sign_in("limited");
            return Ok(Attempted::Limited(wait));
        }
    };
    let member = roster.member_by_name(name);
    let verifier = member.and_then(|member| app.credentials.verifier(&member.name, member.uid));
    // Whoever is unknown, or has no password, costs the same and is told the same.
    let right = app.sign_in.passwords.check(password, verifier.clone()).await.inspect_err(|_| {
        app.metrics.sign_in("overloaded");
        app.sign_in.attempts.forgive(&counted);
    })?;
    let (Some(member), Some(verifier), true) = (member, verifier, right) else {
        app.metrics.sign_in("wrong");
        return Ok(Attempted::Wrong);
    };
    app.sign_in.attempts.forgive(&counted);
    Ok(Attempted::Right(member, verifier))
}
