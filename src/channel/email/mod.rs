//! E-mail over SMTP.
//!
//! A connection per attempt: mails are few, and a kept connection may be dead when it is needed most.

mod bulletin;
mod letter;
mod look;

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    address::{Address, Envelope},
    message::Mailbox,
    transport::smtp::{AsyncSmtpTransportBuilder, Error as SmtpError, PoolConfig, authentication::Credentials},
};

use self::letter::Addresses;
use super::{
    Channel, ChannelError, Delivery, Limits, Outcome,
    answer::{Failure, attempt, innermost, inquire, not_for},
    text,
};
use crate::{
    config::{model::Mail, secret::Secret},
    domain::{name::Name, notification::Message},
    failpoint::{Point, reach},
};

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// Some mailboxes behind one server.
pub struct EmailChannel {
    limit: Duration,
    transport: AsyncSmtpTransportBuilder,
    addresses: Addresses,
    secrets: Vec<Secret>,
}

impl EmailChannel {
    /// Reads the addresses; connects nowhere.
    pub fn new(
        receiver: &Name,
        limits: Limits,
        mail: &Mail,
        to: &[String],
        cc: &[String],
    ) -> Result<Self, ChannelError> {
        let parse = |address: &String| {
            let unusable = || ChannelError::Address { receiver: receiver.clone(), address: address.clone() };
            address.parse::<Mailbox>().map_err(|_| unusable())
        };
        let boxes = |list: &[String]| list.iter().map(parse).collect::<Result<Vec<_>, _>>();
        let addresses = Addresses { from: parse(&mail.from)?, to: boxes(to)?, cc: boxes(cc)? };
        let mut transport = Transport::from_url(&mail.smtp)
            .map_err(|error| ChannelError::Smtp(innermost(&error)))?
            .timeout(Some(limits.connect))
            .pool_config(PoolConfig::new().max_size(0));
        let password = mail.password.clone().filter(|password| !password.is_empty());
        if let (Some(user), Some(password)) = (&mail.user, &password) {
            transport = transport.credentials(Credentials::new(user.clone(), password.expose().to_owned()));
        }
        let in_address = url::Url::parse(&mail.smtp).ok().and_then(|url| url.password().map(Secret::new));
        Ok(Self {
            limit: limits.total,
            transport,
            addresses,
            secrets: password.into_iter().chain(in_address).collect(),
        })
    }

    async fn send(&self, delivery: &Delivery) -> Result<String, Failure> {
        let (letter, key) = match &delivery.message {
            Message::Notification(notification) => {
                let thread = delivery.thread.as_deref();
                (letter::letter(notification, delivery.id, thread, &self.addresses)?, &notification.thread_key)
            }
            Message::Bulletin(bulletin) => {
                (letter::bulletin_letter(bulletin, delivery.id, &self.addresses)?, &bulletin.key)
            }
            Message::StatusPost(_) => return Err(not_for("email", "posts for a public status page")),
            Message::Record(_) => return Err(not_for("email", "records for a decision log")),
        };
        let receipt = letter::message_id(key, delivery.id, self.addresses.from.email.domain());
        let (envelope, raw) = (letter.envelope(), letter.formatted());
        match self.transport.clone().build::<Tokio1Executor>().send_raw(envelope, &raw).await {
            Ok(_) => {
                reach(Point::SendMailed);
                Ok(receipt)
            }
            Err(error) if error.is_permanent() && envelope.to().len() > 1 => {
                self.send_singly(envelope.to(), &raw, receipt).await
            }
            Err(error) => Err(judge(&error)),
        }
    }

    /// One refused mailbox must not keep the mail from the others: each is tried by itself. Accepted if any accepts it.
    async fn send_singly(&self, to: &[Address], raw: &[u8], receipt: String) -> Result<String, Failure> {
        let mut refusals = Vec::new();
        for address in to {
            let from = self.addresses.from.email.clone();
            let envelope = Envelope::new(Some(from), vec![address.clone()])
                .map_err(|error| Failure::dead(format!("cannot be addressed: {error}")))?;
            if let Err(error) = self.transport.clone().build::<Tokio1Executor>().send_raw(&envelope, raw).await {
                tracing::warn!(%address, reason = judge(&error).reason(), "a mailbox did not take the mail");
                refusals.push(judge(&error));
            }
        }
        if refusals.len() < to.len() {
            return Ok(receipt);
        }
        let passing = refusals.iter().find(|refusal| matches!(refusal, Failure::Retry { .. }));
        Err(passing.or(refusals.first()).cloned().unwrap_or_else(|| Failure::dead("there is nobody to write to")))
    }

    fn secrets(&self) -> Vec<&Secret> {
        self.secrets.iter().collect()
    }
}

/// A 5yz reply is final, a 4yz reply is not; without a reply it is the network.
fn judge(error: &SmtpError) -> Failure {
    let word = innermost(error);
    match error.status() {
        Some(code) if error.is_permanent() => Failure::dead(format!("{code} {word}")),
        Some(code) => Failure::retry(format!("{code} {word}")),
        None if error.is_client() => Failure::dead(format!("cannot be sent: {word}")),
        None => Failure::retry(text::line(&error.to_string(), 300)),
    }
}

impl Channel for EmailChannel {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Outcome> {
        async { attempt(self.limit, &self.secrets(), self.send(delivery)).await }.boxed()
    }

    fn verify(&self) -> BoxFuture<'_, Result<String, String>> {
        let learned = async {
            match self.transport.clone().build::<Tokio1Executor>().test_connection().await {
                Ok(true) => {
                    Ok("the mail server answers; whether it takes mail for the address cannot be asked".to_owned())
                }
                Ok(false) => Err(Failure::retry("the mail server closed the connection")),
                Err(error) => Err(judge(&error)),
            }
        };
        async { inquire(self.limit, &self.secrets(), learned).await }.boxed()
    }
}
