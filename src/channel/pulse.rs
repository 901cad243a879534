//! The outward heartbeat: one request that says that slod is well.

use std::time::Duration;

use super::{
    Limits,
    answer::{Http, inquire},
    build::ChannelError,
};
use crate::config::secret::Secret;

/// The address that is called.
pub struct Pulse {
    http: Http,
    limit: Duration,
    /// It holds the token of the check.
    url: Secret,
}

impl Pulse {
    /// Calls `url` as it stands. Connects nowhere yet.
    pub fn new(url: Secret, limits: Limits) -> Result<Self, ChannelError> {
        Ok(Self { http: Http::new(limits)?, limit: limits.total, url })
    }

    /// Calls it once, by GET. Anything but 2xx is an error; redirects are not followed.
    pub async fn beat(&self) -> Result<(), String> {
        let call = async {
            let answer = self.http.send(self.http.client().get(self.url.expose())).await?;
            if (200..300).contains(&answer.status) { Ok(String::new()) } else { Err(answer.failure()) }
        };
        inquire(self.limit, &[&self.url], call).await.map(drop)
    }
}
