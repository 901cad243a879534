//! The world around slod: real Prometheus and Postgres, a simulated service, an inbox that plays the receivers.
//!
//! Everything lives in temporary folders on loopback, and ends when it is dropped.

pub mod action_queue;
pub mod clock;
pub mod daemon;
pub mod history;
pub mod inbox;
pub mod link;
pub mod ports;
pub mod postgres;
pub mod process;
pub mod prometheus;
pub mod scaled;
pub mod service;
pub mod world;
