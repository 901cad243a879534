//! The core: decides, and does nothing else. No clock, no I/O, no vendor's word.

pub mod alert;
pub mod budget;
pub mod chunk;
pub mod condition;
pub mod correction;
pub mod decide;
pub mod delivery;
pub mod escalation;
pub mod headline;
pub mod history;
pub mod incident;
pub mod ledger;
pub mod memory;
pub mod message;
pub mod name;
pub mod notification;
pub mod policy;
pub mod record;
pub mod replay;
pub mod rulebook;
pub mod run;
pub mod slo;
pub mod slot;
pub mod status_page;
pub mod watch;
pub mod window;
