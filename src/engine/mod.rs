//! What runs: asks sources on time, hands the answers to the core, writes what it decides, and sends it.
//!
//! - [`evaluator`] asks about slots when they are due;
//! - [`decider`] owns the core's state and is the only one to change it: one mailbox, one transaction a batch;
//! - [`deliverer`] leases, sends and finishes, one task a receiver;
//! - [`inbound`] takes what people do where messages went to, [`pager_watch`] asks about it;
//! - [`maintenance`] knows what planned work leaves out;
//! - [`gauges`] keeps the published values fresh;
//! - [`board`] holds what was last known, for whoever asks; [`desk`] answers them.

pub mod backfill;
pub mod board;
mod breaches;
pub mod decider;
pub mod deliverer;
pub mod desk;
pub mod evaluator;
pub mod explain;
pub mod gauges;
pub mod inbound;
pub mod maintenance;
pub mod metrics;
pub mod pager_watch;
pub mod report;
pub mod rulebook;
pub mod traffic;
