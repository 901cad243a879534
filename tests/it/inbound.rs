//! What people do at PagerDuty and in Slack, against the real daemon: who is told, who is not, and what is turned away.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod by_pages;
mod calls;
mod pagerduty;
mod rest;
mod slack;
mod tokens;
mod turned_away;
mod world;
