//! Slack's Web API with a bot token.
//!
//! The first message of an incident is its root. A later one first brings the root up to date (which may be repeated
//! freely), then adds itself to the thread. A root that is gone is replaced by a new one. The receipt is always the
//! root's `ts`: what to thread under next time.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::{
    super::{
        Channel, Delivery, Outcome,
        answer::{Answer, Failure, Http, attempt, inquire, not_for},
        text,
    },
    bulletin, buttons,
    look::{Look, look},
};
use crate::{
    config::secret::Secret,
    domain::notification::{Message, Notification},
};

/// Words for `ok: false` that pass by themselves.
const TRANSIENT: [&str; 7] = [
    "ratelimited",
    "rate_limited",
    "internal_error",
    "fatal_error",
    "service_unavailable",
    "request_timeout",
    "team_added_to_org",
];
/// Words that say that the message to thread under is not there (any more).
const ROOT_IS_GONE: [&str; 3] = ["message_not_found", "thread_not_found", "invalid_thread_ts"];

/// One channel of one workspace.
pub struct SlackBotChannel {
    http: Http,
    limit: Duration,
    channel: String,
    token: Secret,
    url: String,
    /// Whether its buttons do something, because presses can be told from forgeries.
    acts: bool,
}

/// What the Web API said.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// `ok`, with the message's `ts` if there is one.
    Ok(String),
    /// `ok: false` for good.
    No { word: String, reason: String },
}

/// The body of `chat.postMessage`, and with `ts` of `chat.update`.
fn payload(notification: &Notification, channel: &str, place: Place<'_>, repeat: bool, acts: bool) -> Value {
    let mut look = look(notification, repeat);
    // Only in the message that is kept up to date: elsewhere they would outlive what they are about.
    if acts && !matches!(place, Place::Under(_)) {
        buttons::add(&mut look.blocks, notification);
    }
    body(&look, channel, place)
}

fn body(look: &Look, channel: &str, place: Place<'_>) -> Value {
    let mut payload = json!({"channel": channel, "text": look.text, "blocks": look.blocks});
    match place {
        Place::Root => {}
        Place::Under(ts) => payload["thread_ts"] = ts.into(),
        Place::Instead(ts) => {
            payload["ts"] = ts.into();
            return payload;
        }
    }
    payload["unfurl_links"] = false.into();
    payload["unfurl_media"] = false.into();
    payload
}

/// Where a message goes.
#[derive(Clone, Copy)]
enum Place<'a> {
    /// Into the channel.
    Root,
    /// Into a message's thread.
    Under(&'a str),
    /// In place of a message.
    Instead(&'a str),
}

impl SlackBotChannel {
    /// Methods are asked at `url` and `/api/METHOD`. `acts`: messages carry buttons that do something.
    pub fn new(http: Http, limit: Duration, channel: &str, token: Secret, url: &str, acts: bool) -> Self {
        Self { http, limit, channel: channel.to_owned(), token, url: url.trim_end_matches('/').to_owned(), acts }
    }

    fn payload(&self, notification: &Notification, place: Place<'_>, repeat: bool) -> Value {
        payload(notification, &self.channel, place, repeat, self.acts)
    }

    async fn send(&self, delivery: &Delivery) -> Result<String, Failure> {
        if self.token.is_empty() {
            return Err(Failure::dead("the bot token is empty"));
        }
        let repeat = delivery.attempt > 1;
        let notification = match &delivery.message {
            Message::Notification(notification) => notification,
            // A message of its own: no thread, no root to keep up to date.
            Message::Bulletin(bulletin) => {
                return self.post(&body(&bulletin::look(bulletin, repeat), &self.channel, Place::Root)).await;
            }
            Message::StatusPost(_) => return Err(not_for("slack", "posts for a public status page")),
            Message::Record(_) => return Err(not_for("slack", "records for a decision log")),
        };
        if let Some(root) = &delivery.thread
            && self.is_up_to_date(notification, root).await?
        {
            let reply = self.payload(notification, Place::Under(root), repeat);
            match self.call("chat.postMessage", &reply).await? {
                Said::Ok(_) => return Ok(root.clone()),
                Said::No { word, .. } if ROOT_IS_GONE.contains(&word.as_str()) => {}
                Said::No { reason, .. } => return Err(Failure::dead(reason)),
            }
        }
        self.post(&self.payload(notification, Place::Root, repeat)).await
    }

    /// Posts into the channel; the receipt is the message's `ts`.
    async fn post(&self, body: &Value) -> Result<String, Failure> {
        match self.call("chat.postMessage", body).await? {
            Said::Ok(ts) if !ts.is_empty() => Ok(ts),
            Said::Ok(_) => Err(Failure::retry("ok without a ts: not Slack's answer")),
            Said::No { reason, .. } => Err(Failure::dead(reason)),
        }
    }

    /// Brings the root up to date; false if it is gone. A root that may not be edited any more still has its thread,
    /// and whatever else is wrong the reply will hear again.
    async fn is_up_to_date(&self, notification: &Notification, root: &str) -> Result<bool, Failure> {
        let newest = self.payload(notification, Place::Instead(root), false);
        match self.call("chat.update", &newest).await? {
            Said::No { word, .. } => Ok(!ROOT_IS_GONE.contains(&word.as_str())),
            Said::Ok(_) => Ok(true),
        }
    }

    async fn call(&self, method: &str, payload: &Value) -> Result<Said, Failure> {
        let request = self.http.client().post(format!("{}/api/{method}", self.url)).bearer_auth(self.token.expose());
        let request = request.header(CONTENT_TYPE, "application/json; charset=utf-8").json(payload);
        judge(&self.http.send(request).await?)
    }
}

/// `ok` decides, not the status; a status over 299 means that Slack itself did not get to judge.
pub(super) fn judge(answer: &Answer) -> Result<Said, Failure> {
    let json = answer.json();
    let said = |field: &str| json.get(field).and_then(Value::as_str).unwrap_or_default();
    match json.get("ok").and_then(Value::as_bool) {
        Some(true) if answer.status < 300 => Ok(Said::Ok(said("ts").to_owned())),
        Some(false) if TRANSIENT.contains(&said("error")) => {
            Err(Failure::Retry { reason: said("error").to_owned(), after: answer.retry_after })
        }
        Some(false) if answer.status < 300 => {
            let word = text::line(said("error"), 100);
            let messages = json.pointer("/response_metadata/messages").and_then(Value::as_array);
            let details: Vec<_> = messages.into_iter().flatten().filter_map(Value::as_str).collect();
            let reason = if details.is_empty() { word.clone() } else { format!("{word}: {}", details.join(", ")) };
            Ok(Said::No { reason: text::line(&reason, 500), word })
        }
        _ => Err(answer.failure()),
    }
}

impl Channel for SlackBotChannel {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Outcome> {
        async { attempt(self.limit, &[&self.token], self.send(delivery)).await }.boxed()
    }

    fn verify(&self) -> BoxFuture<'_, Result<String, String>> {
        let learned = async {
            if self.token.is_empty() {
                return Err(Failure::dead("the bot token is empty"));
            }
            match self.call("auth.test", &json!({})).await? {
                Said::Ok(_) => {
                    Ok("the token is good (whether the bot may post in the channel cannot be asked)".to_owned())
                }
                Said::No { reason, .. } => Err(Failure::dead(reason)),
            }
        };
        async { inquire(self.limit, &[&self.token], learned).await }.boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{channel::samples, domain::notification::Event};

    #[test]
    fn bodies_name_their_place() {
        insta::assert_json_snapshot!("bot-root", payload(&samples::opening(), "C1", Place::Root, false, false));
        let later = samples::later(Event::Resolve);
        insta::assert_json_snapshot!("bot-reply", payload(&later, "C1", Place::Under("1.000200"), true, true));
        insta::assert_json_snapshot!("bot-update", payload(&later, "C1", Place::Instead("1.000200"), false, true));
    }

    #[test]
    fn answers_are_judged() {
        let judged = |status, body: &str| judge(&Answer { status, retry_after: None, body: body.into() });
        let no = |word: &str, reason: &str| Ok(Said::No { word: word.into(), reason: reason.into() });
        let table = [
            (200, r#"{"ok":true,"ts":"1.2"}"#, Ok(Said::Ok("1.2".into()))),
            (200, r#"{"ok":false,"error":"channel_not_found"}"#, no("channel_not_found", "channel_not_found")),
            (
                200,
                r#"{"ok":false,"error":"invalid_blocks","response_metadata":{"messages":["[ERROR] at /blocks/0"]}}"#,
                no("invalid_blocks", "invalid_blocks: [ERROR] at /blocks/0"),
            ),
            (200, r#"{"ok":false,"error":"ratelimited"}"#, Err(Failure::retry("ratelimited"))),
            (429, r#"{"ok":false,"error":"ratelimited"}"#, Err(Failure::retry("ratelimited"))),
            (200, r#"{"ok":false,"error":"internal_error"}"#, Err(Failure::retry("internal_error"))),
            (503, "", Err(Failure::retry("503 Service Unavailable"))),
            (404, "", Err(Failure::dead("404 Not Found"))),
            (200, "<html>", Err(Failure::retry("unexpected answer: 200 <html>"))),
            (500, r#"{"ok":true,"ts":"1.2"}"#, Err(Failure::retry("500 Internal Server Error"))),
        ];
        for (status, body, expected) in table {
            assert_eq!(judged(status, body), expected, "{status} {body}");
        }
    }
}
