//! The disk under test, and the cluster it is on.

use anyhow::Result;

use crate::objects::Cluster;
use crate::settings::Settings;
use crate::web::Session;

/// What every test begins with.
#[derive(Clone)]
pub struct Demo {
    /// Where it is.
    pub settings: Settings,
    /// Its objects.
    pub cluster: Cluster,
}

impl Demo {
    /// Finds the demo and connects to its cluster.
    ///
    /// # Errors
    /// When there is none, or its cluster does not answer.
    pub async fn find() -> Result<Self> {
        let settings = Settings::read()?;
        let cluster = Cluster::connect(&settings).await?;
        Ok(Self { settings, cluster })
    }

    /// Signs in as the member who is there already.
    ///
    /// # Errors
    /// When the password is not accepted.
    pub async fn sign_in(&self) -> Result<Session> {
        Session::sign_in(&self.settings.web_url, &self.settings.member, &self.settings.password).await
    }
}
