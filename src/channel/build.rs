//! From the configuration's receivers to channels.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::future::{BoxFuture, FutureExt, ready};

use super::{
    Channel, Delivery, Limits, Outcome, SharedChannel,
    answer::Http,
    email::EmailChannel,
    pagerduty::PagerDutyChannel,
    slack::{SlackBotChannel, SlackWebhookChannel},
    statuspage::StatuspageChannel,
};
use crate::{
    config::model::{Mail, Receiver, ReceiverKind},
    domain::name::Name,
};

/// Why no channel can be set up. Displays without secrets.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The HTTP client.
    #[error("cannot set up the HTTP client (are the system's CA certificates installed?): {0}")]
    Client(String),
    /// E-mail receivers, but no `mail:`.
    #[error("receiver `{0}` is an e-mail receiver, but there is no `mail:`")]
    NoMail(Name),
    /// An address that is none.
    #[error("receiver `{receiver}`: `{address}` is not an e-mail address")]
    Address {
        /// The receiver.
        receiver: Name,
        /// What was written.
        address: String,
    },
    /// `mail.smtp` cannot be used.
    #[error("`mail.smtp` is not usable: {0}")]
    Smtp(String),
}

/// One channel for every receiver. Connects nowhere.
pub fn build(
    receivers: &BTreeMap<Name, Receiver>,
    mail: Option<&Mail>,
    limits: Limits,
) -> Result<BTreeMap<Name, SharedChannel>, ChannelError> {
    let http = Http::new(limits)?;
    let channels = receivers.iter().map(|(name, receiver)| {
        let channel: SharedChannel = match &receiver.kind {
            ReceiverKind::Pagerduty { routing_key, url, people } => {
                let channel = PagerDutyChannel::new(http.clone(), limits.total, routing_key.clone(), url);
                Arc::new(match &people.api_token {
                    Some(token) => channel.with_token(token.clone(), people.from.clone(), &people.api_url),
                    None => channel,
                })
            }
            ReceiverKind::SlackBot { channel, token, url, people } => {
                let acts = people.signing_secret.is_some();
                Arc::new(SlackBotChannel::new(http.clone(), limits.total, channel, token.clone(), url, acts))
            }
            ReceiverKind::SlackWebhook { webhook } => {
                Arc::new(SlackWebhookChannel::new(http.clone(), limits.total, webhook.clone()))
            }
            ReceiverKind::Email { to, cc } => {
                let mail = mail.ok_or_else(|| ChannelError::NoMail(name.clone()))?;
                Arc::new(EmailChannel::new(name, limits, mail, to, cc)?)
            }
            ReceiverKind::Statuspage { page, key, components, url } => {
                Arc::new(StatuspageChannel::new(http.clone(), limits.total, page, key.clone(), components, url))
            }
            ReceiverKind::NotYet { kind } => Arc::new(NotYet(kind)),
        };
        Ok((name.clone(), channel))
    });
    channels.collect()
}

/// A kind that is known, but does nothing: says so, so that the fallback is told.
struct NotYet(&'static str);

impl NotYet {
    fn word(&self) -> String {
        format!("receivers of kind `{}` send nothing yet", self.0)
    }
}

impl Channel for NotYet {
    fn deliver<'a>(&'a self, _: &'a Delivery) -> BoxFuture<'a, Outcome> {
        ready(Outcome::Dead { reason: self.word() }).boxed()
    }

    fn verify(&self) -> BoxFuture<'_, Result<String, String>> {
        ready(Err(self.word())).boxed()
    }
}
