//! What runs: asks sources on time, hands the answers to the core, writes what it decides, and sends it.
//!
//! - [`evaluator`] asks about slots when they are due;
//! - [`decider`] owns the core's state and is the only one to change it: one mailbox, one transaction a batch;
//! - [`deliverer`] leases, sends and finishes, one task a receiver;
//! - [`diagnostics`] looks at the surroundings of incidents that have just opened;
//! - [`inbound`] takes what people do where messages went to, [`pager_watch`] asks about it;
//! - [`agenda`] does what is due on crontabs, [`restart`] says what was missed while nobody was there;
//! - [`online`] asks whether everybody can be asked and told;
//! - [`keeper`] tells again what would be forgotten, [`page_watch`] looks at public pages, [`heartbeat`] says that all is well;
//! - [`maintenance`] knows what planned work leaves out, [`planned`] when messages are muted;
//! - [`gauges`] keeps the published values fresh;
//! - [`board`] holds what was last known, for whoever asks; [`desk`] answers them.

pub mod agenda;
pub mod backfill;
pub mod board;
mod breaches;
pub mod decider;
mod definition;
pub mod deliverer;
pub mod desk;
pub mod diagnostics;
pub mod evaluator;
pub mod explain;
pub mod fingerprint;
mod gaps;
pub mod gauges;
pub mod heartbeat;
pub mod inbound;
pub mod keeper;
mod looking_back;
pub mod mailbox;
pub mod maintenance;
pub mod metrics;
mod month;
pub mod noise;
pub mod online;
pub mod page_watch;
pub mod pager_watch;
pub mod planned;
pub mod report;
pub mod restart;
pub mod rulebook;
mod scene;
pub mod traffic;
pub mod unpaged;
pub mod why;
