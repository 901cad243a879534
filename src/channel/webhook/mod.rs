//! A webhook of somebody's own: the notification as JSON, signed.

mod bulletin;
mod payload;
mod sign;

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use reqwest::header::{CONTENT_TYPE, HeaderValue};

use super::{
    Channel, Delivery, Outcome,
    answer::{Answer, Failure, Http, attempt, inquire, not_for},
};
use crate::{config::secret::Secret, domain::notification::Message};

/// One address.
pub struct WebhookChannel {
    http: Http,
    limit: Duration,
    /// It may hold a token.
    url: Secret,
    /// Signs what is sent; without one nothing is signed.
    secret: Option<Secret>,
}

impl WebhookChannel {
    /// Messages go to `url` as it stands.
    pub fn new(http: Http, limit: Duration, url: Secret, secret: Option<Secret>) -> Self {
        Self { http, limit, url, secret }
    }

    async fn send(&self, delivery: &Delivery) -> Result<String, Failure> {
        let (id, body) = match &delivery.message {
            Message::Notification(notification) => {
                let id = payload::delivery_id(notification, delivery.id);
                let body = payload::body(notification, &id);
                (id, body)
            }
            Message::Bulletin(bulletin) => {
                let id = payload::name(&bulletin.key, bulletin.decided_at, delivery.id);
                let body = bulletin::body(bulletin, &id);
                (id, body)
            }
            Message::Record(_) => return Err(not_for("webhook", "rows of a decision log")),
            Message::StatusPost(_) => return Err(not_for("webhook", "posts for a public status page")),
        };
        self.usable()?;
        let timestamp = delivery.now.timestamp();
        let mut request = self
            .http
            .client()
            .post(self.url.expose())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header("X-Slod-Delivery", &id)
            .header("X-Slod-Timestamp", timestamp);
        if let Some(secret) = &self.secret {
            request = request.header("X-Slod-Signature", sign::signature(secret.expose(), timestamp, &body));
        }
        judge(&self.http.send(request.body(body)).await?)?;
        Ok(id)
    }

    fn usable(&self) -> Result<(), Failure> {
        match url::Url::parse(self.url.expose()) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(()),
            _ => Err(Failure::dead("the webhook's address is empty or not a web address")),
        }
    }

    /// Whether somebody is there, by a request that carries no message.
    async fn look(&self) -> Result<String, Failure> {
        self.usable()?;
        let answer = self.http.send(self.http.client().head(self.url.expose())).await?;
        if is_redirect(answer.status) || answer.status >= 500 {
            judge(&answer)?;
        }
        let status = answer.status;
        Ok(format!("answers ({status} to HEAD); whether it takes messages is seen by `slod notify test` only"))
    }

    fn secrets(&self) -> Vec<&Secret> {
        self.secret.iter().chain([&self.url]).collect()
    }
}

fn is_redirect(status: u16) -> bool {
    matches!(status, 300..=399)
}

/// A redirect would take the message, and its signature, to somebody else.
fn judge(answer: &Answer) -> Result<(), Failure> {
    match answer.status {
        200..=299 => Ok(()),
        status if is_redirect(status) => {
            Err(Failure::dead(format!("{status}: redirects are not followed; write the address it leads to")))
        }
        _ => Err(answer.failure()),
    }
}

impl Channel for WebhookChannel {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Outcome> {
        async { attempt(self.limit, &self.secrets(), self.send(delivery)).await }.boxed()
    }

    fn verify(&self) -> BoxFuture<'_, Result<String, String>> {
        async { inquire(self.limit, &self.secrets(), self.look()).await }.boxed()
    }
}
