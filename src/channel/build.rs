//! From the configuration's receivers to channels.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Limits, SharedChannel,
    alertmanager::AlertmanagerChannel,
    answer::Http,
    email::EmailChannel,
    instatus::INSTATUS,
    pagerduty::PagerDutyChannel,
    public_page::PublicPage,
    slack::{SlackBotChannel, SlackWebhookChannel},
    statuspage::STATUSPAGE,
    webhook::WebhookChannel,
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
                Arc::new(PublicPage::new(http.clone(), limits.total, &STATUSPAGE, page, key.clone(), components, url))
            }
            ReceiverKind::Instatus { page, key, components, url } => {
                Arc::new(PublicPage::new(http.clone(), limits.total, &INSTATUS, page, key.clone(), components, url))
            }
            ReceiverKind::Webhook { url, secret } => {
                Arc::new(WebhookChannel::new(http.clone(), limits.total, url.clone(), secret.clone()))
            }
            ReceiverKind::Alertmanager { urls } => Arc::new(AlertmanagerChannel::new(http.clone(), limits.total, urls)),
        };
        Ok((name.clone(), channel))
    });
    channels.collect()
}
