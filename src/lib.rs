//! slod: evaluates service level objectives, keeps error budgets and routes alerts.

pub mod app;
pub mod channel;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod engine;
pub mod failpoint;
pub mod http;
pub mod scenario;
pub mod schedule;
pub mod source;
pub mod store;
pub mod template;
pub mod views;
