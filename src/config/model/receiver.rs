//! `receivers:` and `mail:`, after all checks.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    config::secret::Secret,
    domain::{digest::Rate, name::Name},
};

/// One entry of `receivers:`.
#[derive(Clone, Debug)]
pub struct Receiver {
    /// Its kind.
    pub kind: ReceiverKind,
    /// Who is told if this one cannot be.
    pub fallback: Option<Name>,
    /// A page undelivered this long is told to the fallback.
    pub fallback_after: Duration,
    /// How many messages it wants in a time; any number if unwritten.
    pub max_rate: Option<Rate>,
}

/// A receiver's kind.
#[derive(Clone, Debug)]
pub enum ReceiverKind {
    /// PagerDuty Events v2.
    Pagerduty {
        /// Integration key.
        routing_key: Secret,
        /// Base address of the Events API (`…/v2/enqueue` is appended).
        url: String,
        /// How people's acts come back.
        people: PagerdutyPeople,
    },
    /// Slack Web API with a bot token.
    SlackBot {
        /// Channel id.
        channel: String,
        /// `xoxb-…`
        token: Secret,
        /// Base address (`…/api/METHOD` is appended).
        url: String,
        /// How people's acts come back.
        people: SlackPeople,
    },
    /// Slack incoming webhook: the address is the secret.
    SlackWebhook {
        /// The whole address.
        webhook: Secret,
    },
    /// E-mail.
    Email {
        /// Addresses.
        to: Vec<String>,
        /// Addresses.
        cc: Vec<String>,
    },
    /// Atlassian Statuspage.
    Statuspage {
        /// Page id.
        page: String,
        /// API key.
        key: Secret,
        /// Component ids by our names.
        components: BTreeMap<String, String>,
        /// Base address (`…/v1/pages/…` is appended).
        url: String,
    },
    /// Instatus.
    Instatus {
        /// Page id.
        page: String,
        /// API key.
        key: Secret,
        /// Component ids by our names.
        components: BTreeMap<String, String>,
        /// Base address (`…/v1/PAGE/…` is appended).
        url: String,
    },
    /// A webhook of somebody's own.
    Webhook {
        /// The whole address. Empty if its variable is not set.
        url: Secret,
        /// Signs what is sent.
        secret: Option<Secret>,
    },
    /// Prometheus' Alertmanager.
    Alertmanager {
        /// Base addresses of all members (`…/api/v2/alerts` is appended).
        urls: Vec<Secret>,
    },
}

/// How acts of people at PagerDuty come back to us.
#[derive(Clone, Debug, Default)]
pub struct PagerdutyPeople {
    /// What signs the calls of a webhook subscription.
    pub webhook_secret: Option<Secret>,
    /// REST token: asks what became of pages, and sets priorities.
    pub api_token: Option<Secret>,
    /// The user's address in whose name priorities are set.
    pub from: Option<String>,
    /// Base address of the REST API (`…/incidents` is appended).
    pub api_url: String,
}

/// How buttons in Slack come back to us.
#[derive(Clone, Debug, Default)]
pub struct SlackPeople {
    /// What signs the app's calls; without it messages have no buttons that do something.
    pub signing_secret: Option<Secret>,
    /// Ids of the users who may press them: nobody else may.
    pub allow: Vec<String>,
}

impl ReceiverKind {
    /// The kind's word in the configuration.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Pagerduty { .. } => "pagerduty",
            Self::SlackBot { .. } | Self::SlackWebhook { .. } => "slack",
            Self::Email { .. } => "email",
            Self::Statuspage { .. } => "statuspage",
            Self::Instatus { .. } => "instatus",
            Self::Webhook { .. } => "webhook",
            Self::Alertmanager { .. } => "alertmanager",
        }
    }
}

/// `mail:`
#[derive(Clone, Debug)]
pub struct Mail {
    /// `smtp://host:25`, `smtps://host`, `smtp://host:587?tls=required`.
    pub smtp: String,
    /// User.
    pub user: Option<String>,
    /// Password.
    pub password: Option<Secret>,
    /// Sender.
    pub from: String,
}
