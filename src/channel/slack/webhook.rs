//! A Slack incoming webhook: no threads, no edits, and the address is the secret.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use serde_json::{Value, json};

use super::{
    super::{
        Channel, Delivery, Outcome,
        answer::{Answer, Failure, Http, attempt, inquire, not_for},
    },
    bulletin,
    look::{Look, look},
};
use crate::{
    config::secret::Secret,
    domain::notification::{Message, Notification},
};

/// One webhook, bound by the vendor to one channel.
pub struct SlackWebhookChannel {
    http: Http,
    limit: Duration,
    webhook: Secret,
    /// The part of the address that must not be seen even without its host.
    path: Secret,
}

/// The body of one message.
fn payload(notification: &Notification, repeat: bool) -> Value {
    body(&look(notification, repeat))
}

fn body(look: &Look) -> Value {
    json!({"text": look.text, "blocks": look.blocks, "unfurl_links": false, "unfurl_media": false})
}

impl SlackWebhookChannel {
    /// Messages go to `webhook` as it stands.
    pub fn new(http: Http, limit: Duration, webhook: Secret) -> Self {
        let path = url::Url::parse(webhook.expose()).map(|url| url.path().trim_matches('/').to_owned());
        Self { http, limit, path: Secret::new(path.unwrap_or_default()), webhook }
    }

    async fn send(&self, delivery: &Delivery) -> Result<String, Failure> {
        let repeat = delivery.attempt > 1;
        let payload = match &delivery.message {
            Message::Notification(notification) => payload(notification, repeat),
            Message::Bulletin(bulletin) => body(&bulletin::look(bulletin, repeat)),
            Message::StatusPost(_) => return Err(not_for("slack", "posts for a public status page")),
            Message::Record(_) => return Err(not_for("slack", "records for a decision log")),
        };
        self.usable()?;
        judge(&self.http.send(self.http.client().post(self.webhook.expose()).json(&payload)).await?)
    }

    fn usable(&self) -> Result<(), Failure> {
        match url::Url::parse(self.webhook.expose()) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(()),
            _ => Err(Failure::dead("the webhook's address is empty or not a web address")),
        }
    }

    fn secrets(&self) -> [&Secret; 2] {
        [&self.webhook, &self.path]
    }
}

/// 200 and exactly `ok`; anything else carries one word that says why.
fn judge(answer: &Answer) -> Result<String, Failure> {
    if answer.status == 200 && answer.body.trim() == "ok" { Ok("ok".to_owned()) } else { Err(answer.failure()) }
}

impl Channel for SlackWebhookChannel {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Outcome> {
        async { attempt(self.limit, &self.secrets(), self.send(delivery)).await }.boxed()
    }

    fn verify(&self) -> BoxFuture<'_, Result<String, String>> {
        let learned = async {
            self.usable()?;
            Ok("a webhook cannot be asked without sending: try `slod notify test`".to_owned())
        };
        async { inquire(self.limit, &self.secrets(), learned).await }.boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::samples;

    #[test]
    fn the_body_is_the_common_look() {
        insta::assert_json_snapshot!("webhook", payload(&samples::opening(), false));
    }

    #[test]
    fn answers_are_judged() {
        let judged = |status, body: &str| judge(&Answer { status, retry_after: None, body: body.into() });
        assert_eq!(judged(200, "ok"), Ok("ok".to_owned()));
        assert_eq!(judged(403, "invalid_token"), Err(Failure::dead("403 invalid_token")));
        assert_eq!(judged(400, "invalid_blocks"), Err(Failure::dead("400 invalid_blocks")));
        assert_eq!(judged(410, "channel_is_archived"), Err(Failure::dead("410 channel_is_archived")));
        assert_eq!(judged(500, "rollup_error"), Err(Failure::retry("500 rollup_error")));
        assert_eq!(judged(429, ""), Err(Failure::retry("429 Too Many Requests")));
        assert_eq!(judged(200, "<html>"), Err(Failure::retry("unexpected answer: 200 <html>")));
    }
}
