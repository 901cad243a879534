//! Words for one user alone, in the channel where a button was pressed: why it did nothing.
//!
//! Said by the bot, at the configured address: the address that Slack offers in the call itself is not asked.

use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::{
    super::answer::{Http, Limits, inquire},
    bot::{Said, judge},
    mrkdwn,
};
use crate::{
    channel::{ChannelError, answer::Failure},
    config::secret::Secret,
};

/// How long it may take.
const LIMIT: Duration = Duration::from_secs(10);
/// Most characters.
const TEXT_MAX: usize = 1_000;

/// Says things to one user alone.
#[derive(Clone, Debug)]
pub struct Whisper {
    http: Http,
}

impl Whisper {
    /// Contacts nobody.
    pub fn new() -> Result<Self, ChannelError> {
        Ok(Self { http: Http::new(Limits { total: LIMIT, ..Limits::default() })? })
    }

    /// Says `text` to `user` in `channel`. The error says why it was not said, without secrets.
    pub async fn say(&self, url: &str, token: &Secret, channel: &str, user: &str, text: &str) -> Result<(), String> {
        let body: Value = json!({"channel": channel, "user": user, "text": mrkdwn::line(text, TEXT_MAX)});
        let request = self.http.client().post(format!("{}/api/chat.postEphemeral", url.trim_end_matches('/')));
        let request = request.bearer_auth(token.expose()).header(CONTENT_TYPE, "application/json; charset=utf-8");
        let said = async {
            match judge(&self.http.send(request.json(&body)).await?)? {
                Said::Ok(_) => Ok(String::new()),
                Said::No { reason, .. } => Err(Failure::dead(reason)),
            }
        };
        inquire(LIMIT, &[token], said).await.map(drop)
    }
}
