//! Behaviour, from the outside: the real code in a made-up world. One binary for all of it.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod alertmanager_faults;
mod backfill;
mod blind;
mod certificates;
mod channels;
mod companion;
mod config;
mod core;
mod corrections;
mod damaged;
mod deliveries;
mod faults;
mod faulty_channel;
mod floors;
mod kills;
mod ledgers;
mod live;
mod maintenance;
mod operating;
mod outbox;
mod own;
mod per;
mod readme;
mod scenarios;
mod schema;
mod seed;
mod sources;
mod status_page;
mod systemd;
mod trouble;
mod uptime;
