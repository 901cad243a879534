//! Slack: with a bot token one thread per incident, its first message kept up to date; or an incoming webhook,
//! which can only add messages.
//!
//! Posting is not idempotent and cannot be looked up: a repeat is rare, and says that it may be one.

mod bot;
mod bulletin;
mod buttons;
mod look;
mod mrkdwn;
pub mod press;
mod webhook;
mod whisper;

pub use bot::SlackBotChannel;
pub use webhook::SlackWebhookChannel;
pub use whisper::Whisper;
