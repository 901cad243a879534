//! The core: decides, and does nothing else. No clock, no I/O, no vendor's word.

pub mod name;
pub mod notification;
pub mod policy;
pub mod slo;
pub mod slot;
