//! The web pods' side: sign-in, spaces, groups, and where a disk is.

use anyhow::{Context, Result, anyhow, bail};
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use crate::disk::Disk;
use crate::http::{Answer, Http};

/// Somebody who is signed in.
#[derive(Clone)]
pub struct Session {
    http: Http,
    web_url: String,
    cookie: String,
}

/// Servers for a space, best first, and the ticket for them.
#[derive(Clone, Debug)]
pub struct Servers {
    /// The ticket, for the Authorization header.
    pub ticket: String,
    /// Name and URL of each.
    pub servers: Vec<(String, String)>,
}

/// Tries to sign in, and returns the answer as it is.
///
/// # Errors
/// When there is no answer.
pub async fn try_sign_in(http: &Http, web_url: &str, member: &str, password: &str) -> Result<Answer> {
    let body = json!({ "member": member, "password": password }).to_string();
    http.send(Method::POST, &format!("{web_url}/api/session"), &json_headers(), body.into()).await
}

impl Session {
    /// Signs in.
    ///
    /// # Errors
    /// When the password is not accepted.
    pub async fn sign_in(web_url: &str, member: &str, password: &str) -> Result<Self> {
        let http = Http::default();
        let answer = try_sign_in(&http, web_url, member, password).await?.expect(200)?;
        let cookie = answer.header("set-cookie").and_then(|cookie| cookie.split(';').next());
        let cookie = cookie.ok_or_else(|| anyhow!("signing in set no cookie"))?.to_owned();
        Ok(Self { http, web_url: web_url.to_owned(), cookie })
    }

    /// The cookie, for tests that send it elsewhere.
    pub fn cookie(&self) -> &str {
        &self.cookie
    }

    /// Sends a request with the session.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Result<Answer> {
        let mut headers = json_headers().to_vec();
        headers.push(("cookie", &self.cookie));
        let body = body.map_or_else(Bytes::new, |body| body.to_string().into());
        self.http.send(method, &format!("{}{path}", self.web_url), &headers, body).await
    }

    /// Own disk, groups, invitations: what the page shows.
    ///
    /// # Errors
    /// When it is not told.
    pub async fn spaces(&self) -> Result<Value> {
        self.send(Method::GET, "/api/spaces", None).await?.expect(200)?.json()
    }

    /// The id of the own disk.
    ///
    /// # Errors
    /// When it is not told.
    pub async fn own_space(&self) -> Result<String> {
        let spaces = self.spaces().await?;
        let space = spaces["own"]["space"].as_str();
        Ok(space.ok_or_else(|| anyhow!("no own space in {spaces}"))?.to_owned())
    }

    /// A group as the page shows it, when the member takes part.
    ///
    /// # Errors
    /// When nothing is told.
    pub async fn group(&self, name: &str) -> Result<Option<Value>> {
        let spaces = self.spaces().await?;
        let groups = spaces["groups"].as_array().ok_or_else(|| anyhow!("no groups in {spaces}"))?;
        Ok(groups.iter().find(|group| group["name"] == name).cloned())
    }

    /// Disk servers for a space.
    ///
    /// # Errors
    /// When there is none, with the reason.
    pub async fn servers(&self, space: &str) -> Result<Servers> {
        let body = json!({ "space": space });
        let answer = self.send(Method::POST, "/api/servers", Some(body)).await?.expect(200)?.json()?;
        let text =
            |value: &Value| value.as_str().map(str::to_owned).ok_or_else(|| anyhow!("no text: {value}"));
        let servers = answer["servers"].as_array().ok_or_else(|| anyhow!("no servers in {answer}"))?;
        let servers: Result<Vec<_>> =
            servers.iter().map(|server| Ok((text(&server["name"])?, text(&server["url"])?))).collect();
        let servers = servers?;
        if servers.is_empty() {
            bail!("an empty list of servers in place of a reason");
        }
        Ok(Servers { ticket: text(&answer["ticket"])?, servers })
    }

    /// The space on the disk server that the selector thinks best.
    ///
    /// # Errors
    /// When there is none.
    pub async fn disk(&self, space: &str) -> Result<Disk> {
        let found = self.servers(space).await?;
        let (name, url) = found.servers.into_iter().next().context("an empty list of servers")?;
        Ok(Disk { http: self.http.clone(), pod: name, url, space: space.to_owned(), ticket: found.ticket })
    }

    /// The space on each server that is offered, best first.
    ///
    /// # Errors
    /// When there is none.
    pub async fn disks(&self, space: &str) -> Result<Vec<Disk>> {
        let Servers { ticket, servers } = self.servers(space).await?;
        let disk = |(pod, url)| Disk {
            http: self.http.clone(),
            pod,
            url,
            space: space.to_owned(),
            ticket: ticket.clone(),
        };
        Ok(servers.into_iter().map(disk).collect())
    }

    /// Gives `size` bytes to a group, which is also how one joins.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn allocate(&self, group: &str, size: u64) -> Result<Answer> {
        self.send(Method::PUT, &format!("/api/allocations/{group}"), Some(json!({ "size": size }))).await
    }

    /// Leaves a group.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn leave(&self, group: &str) -> Result<Answer> {
        self.send(Method::DELETE, &format!("/api/allocations/{group}"), None).await
    }

    /// Makes a group with oneself as its owner, and returns what was answered.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn create_group(&self, display_name: &str, joining: &str, size: u64) -> Result<Answer> {
        let body = json!({ "displayName": display_name, "joining": joining, "size": size });
        self.send(Method::POST, "/api/groups", Some(body)).await
    }
}

/// What every request that changes something carries: a page of another origin could not send it.
fn json_headers() -> [(&'static str, &'static str); 2] {
    [("content-type", "application/json"), ("x-requested-with", "internet-disk")]
}
