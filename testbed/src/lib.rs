//! The world around slod: real Prometheus and Postgres, a simulated service, an inbox that plays the receivers.

pub mod inbox;
