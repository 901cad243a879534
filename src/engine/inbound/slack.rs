//! Buttons that people press in Slack.

use chrono::TimeDelta;
use tokio::sync::oneshot;

use super::{Inbound, Lost};
use crate::{
    channel::slack::{
        Whisper,
        press::{self, Deed, Interaction, Press},
    },
    config::{
        model::{Config, ReceiverKind, SlackPeople},
        secret::Secret,
    },
    domain::{
        decide::Rejected,
        incident::{Actor, Incident, IncidentEvent, Refused, Subject, Via},
        name::Name,
        silence::{Matcher, Silence},
    },
    engine::mailbox::Order,
    views::inbound::{Call, Reception, Unread},
};

/// How long a press for quiet lasts.
const SILENCE: TimeDelta = TimeDelta::hours(1);

/// A receiver with buttons.
#[derive(Clone, Copy)]
struct Bot<'c> {
    name: &'c Name,
    channel: &'c str,
    token: &'c Secret,
    url: &'c str,
    signing_secret: &'c Secret,
    people: &'c SlackPeople,
}

impl Inbound {
    pub(super) async fn slack_called(&self, call: &Call<'_>) -> Reception {
        let config = self.parts.config.load_full();
        let bots: Vec<Bot<'_>> = bots(&config).collect();
        if bots.is_empty() {
            return Reception::Unconfigured;
        }
        let body = match call.body {
            Ok(body) => body,
            Err(Unread::TooLarge) => return Reception::TooLarge,
            Err(Unread::BrokenOff) => return Reception::BrokenOff,
        };
        let is_signed = |bot: &&Bot<'_>| press::is_signed(call.signatures, call.timestamp, bot.signing_secret, body);
        let signed: Vec<&Bot<'_>> = bots.iter().filter(is_signed).collect();
        if signed.is_empty() {
            return Reception::Forged;
        }
        if !press::is_fresh(call.timestamp, self.parts.clock.now().timestamp()) {
            return Reception::Expired;
        }
        match press::read(body) {
            Err(_) => Reception::Malformed,
            Ok(Interaction::Other) => Reception::Ignored,
            // Our messages stand in the channels of our receivers, and nowhere else.
            Ok(Interaction::Press(press)) => match signed.iter().find(|bot| bot.channel == press.channel) {
                Some(bot) => self.pressed(bot, &press).await.unwrap_or(Reception::Unavailable),
                None => Reception::Denied,
            },
        }
    }

    async fn pressed(&self, bot: &Bot<'_>, press: &Press) -> Result<Reception, Lost> {
        if let Some(why) = refusal(bot, press) {
            whisper(bot, press, why);
            return Ok(Reception::Denied);
        }
        let Some((incident, opening)) = self.parts.store.incident_of_key(&press.key).await? else {
            whisper(bot, press, "slod does not know this incident any more".to_owned());
            return Ok(Reception::Stale);
        };
        let by = Actor {
            name: format!("{} {}", press.name, press.user),
            via: Via::Receiver(bot.name.clone()),
            event: Some(press.event.clone()),
            opening: Some(opening),
            knows: None,
            as_of: None,
        };
        if self.parts.store.has_heard(&by.via.word(), &press.event).await? {
            return Ok(Reception::Repeated);
        }
        let event = match press.deed {
            Deed::Acknowledge => IncidentEvent::Acknowledge { by },
            Deed::Resolve => IncidentEvent::Resolve { by },
            Deed::Silence => return self.silenced(bot, press, &incident, by).await,
        };
        let what = event.actor().map_or("", |(_, what)| what);
        Ok(match self.act(incident.id.clone(), event).await? {
            Ok(()) => {
                tracing::info!(incident = %incident.id, receiver = %bot.name, user = %press.user, what, "done in Slack");
                Reception::Accepted
            }
            Err(refused) => {
                whisper(bot, press, words(&refused, &incident));
                Reception::Stale
            }
        })
    }
}

impl Inbound {
    /// A press for quiet, and what the user hears of it: the messages about it are muted.
    async fn silenced(&self, bot: &Bot<'_>, press: &Press, incident: &Incident, by: Actor) -> Result<Reception, Lost> {
        let text = match self.silence(incident, &by).await? {
            Ok(id) => {
                let text = format!("silenced for one hour: `slod silence expire {id}` ends that early");
                // Noted with the press, which then counts once.
                let event = IncidentEvent::Note { by, text: text.clone() };
                if let Err(refused) = self.act(incident.id.clone(), event).await? {
                    tracing::debug!(incident = %incident.id, %refused, "a silence is not noted");
                }
                text
            }
            Err(why) => {
                whisper(bot, press, why);
                return Ok(Reception::Stale);
            }
        };
        whisper(bot, press, text);
        Ok(Reception::Accepted)
    }

    /// A silence of one hour over what the incident is about; its id, or why there is none, for the user.
    async fn silence(&self, incident: &Incident, by: &Actor) -> Result<Result<String, String>, Lost> {
        let Subject::Slo { id, series } = &incident.subject else {
            return Ok(Err("the incident of a source cannot be silenced".to_owned()));
        };
        if incident.resolved.is_some() {
            return Ok(Err(format!("incident {} is resolved already", incident.id)));
        }
        let now = self.parts.clock.now();
        let matcher =
            Matcher { service: id.service.clone(), slo: Some(id.slo.clone()), policy: None, labels: series.clone() };
        let reason = format!("a button in {}, at incident {}", by.via.word(), incident.id);
        let silence = Box::new(Silence::new(matcher, &by.to_string(), &reason, now, now + SILENCE));
        let (name, (reply, answer)) = (silence.id.clone(), oneshot::channel());
        let order = Order::Silence { silence, preview: false, reply };
        self.parts.orders.send(order).await.map_err(|_| Lost::Stopping)?;
        let scope = answer.await.map_err(|_| Lost::Stopping)?;
        Ok(scope.map(|_| name).map_err(|rejected| rejected.to_string()))
    }
}

/// Tells the user alone, beside everything else: the call is answered without waiting for it.
fn whisper(bot: &Bot<'_>, press: &Press, text: String) {
    let (url, token, receiver) = (bot.url.to_owned(), bot.token.clone(), bot.name.clone());
    let (channel, user) = (bot.channel.to_owned(), press.user.clone());
    tokio::spawn(async move {
        // Seldom needed, so that no client waits for it.
        let said = match Whisper::new() {
            Ok(whisper) => whisper.say(&url, &token, &channel, &user, &text).await,
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = said {
            tracing::warn!(%receiver, %error, "a user could not be told why a button did nothing");
        }
    });
}

/// Why this user may not.
fn refusal(bot: &Bot<'_>, press: &Press) -> Option<String> {
    if bot.people.allow.contains(&press.user) {
        return None;
    }
    let (name, user) = (bot.name, &press.user);
    Some(if bot.people.allow.is_empty() {
        format!("nobody may use these buttons: receiver {name} has no `allow` with the ids of users (yours is {user})")
    } else {
        format!("you may not use these buttons: your id {user} is not under `allow` of receiver {name}")
    })
}

fn words(refused: &Rejected, incident: &Incident) -> String {
    match refused {
        Rejected::Refused(Refused::Stale(_)) => {
            "this button is of an earlier opening of the incident: use those of the message as it is now".to_owned()
        }
        Rejected::NoIncident(_) => format!("incident {} is over and closed", incident.id),
        other => other.to_string(),
    }
}

fn bots(config: &Config) -> impl Iterator<Item = Bot<'_>> {
    config.receivers.iter().filter_map(|(name, receiver)| match &receiver.kind {
        ReceiverKind::SlackBot { channel, token, url, people } => {
            let signing_secret = people.signing_secret.as_ref()?;
            Some(Bot { name, channel, token, url, signing_secret, people })
        }
        _ => None,
    })
}
