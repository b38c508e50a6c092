//! Asks the web pods whose a name and a password are.

use std::net::IpAddr;
use std::time::Duration;

use api::call;
use api::credential_check::{Checked, CredentialAnswer, CredentialCheck};
use api::generation::RosterGeneration;
use api::keys::{self, SigningKey, purpose};
use serve::Client;
use serve::client::ClientError;
use uuid::Uuid;

use crate::app::App;
use crate::error::Error;

/// A connection inside the cluster takes a millisecond; a pod that is gone, for ever.
const CONNECT: Duration = Duration::from_millis(300);
/// A password takes some tens of milliseconds, and perhaps a turn before.
const ANSWER: Duration = Duration::from_secs(4);
/// The Service leads to another web pod each time.
const ATTEMPTS: usize = 3;

/// How web pods are asked: their address is in the roster, and so is the public half of this key.
#[derive(Debug)]
pub struct WebPods {
    key: SigningKey,
    client: Client,
}

impl WebPods {
    /// With the key of the disk pods.
    pub fn new(key: SigningKey) -> Self {
        Self { key, client: Client::new(CONNECT) }
    }

    /// Asks until one answers.
    ///
    /// # Errors
    /// When none does, or what it says cannot be believed.
    pub(super) async fn ask(
        &self,
        app: &App,
        name: &str,
        password: &str,
        address: Option<IpAddr>,
        at_least: RosterGeneration,
    ) -> Result<Checked, Error> {
        let roster = app.roster.current();
        let at = roster.settings().web_internal.as_deref().ok_or(Error::NobodyToAsk)?;
        let url = format!("http://{at}/v1/credentials");
        let nonce = Uuid::new_v4();
        let (name, password) = (name.to_owned(), password.to_owned());
        let question = CredentialCheck { nonce, name, password, address, at_least };
        let body = bytes::Bytes::from(serde_json::to_vec(&question).map_err(|_| Error::NobodyToAsk)?);
        let token = call::authorise(&self.key, purpose::CREDENTIAL_CHECK, app.cluster, &body)
            .map_err(|_| Error::NobodyToAsk)?;
        let mut attempt = 1;
        let answer: CredentialAnswer = loop {
            match self.client.post_json(&url, Some(&token), body.clone(), ANSWER).await {
                Ok(answer) => break answer,
                Err(error) if attempt < ATTEMPTS && is_of_one_pod(&error) => attempt += 1,
                Err(error) => {
                    tracing::warn!(%error, "No web server says whose a password is: members with passwords are refused.");
                    return Err(Error::NobodyToAsk);
                }
            }
        };
        let trust = app.ticket_keys(&roster);
        let checked: Checked =
            keys::verify(&answer.token, purpose::CREDENTIAL_ANSWER, &trust).map_err(|error| {
                tracing::warn!(%error, "What a web server said of a password is not signed as it should be.");
                Error::NobodyToAsk
            })?;
        if checked.cluster != app.cluster || checked.nonce != nonce {
            tracing::warn!("What a web server said of a password is the answer to another question.");
            return Err(Error::NobodyToAsk);
        }
        Ok(checked)
    }
}

/// Whether another web pod may do better.
fn is_of_one_pod(error: &ClientError) -> bool {
    match error {
        ClientError::Unreachable { .. } | ClientError::Broken { .. } => true,
        ClientError::Refused { status, .. } => status.is_server_error(),
        ClientError::Address(_)
        | ClientError::TimedOut { .. }
        | ClientError::Unreadable { .. }
        | ClientError::Token => false,
    }
}
