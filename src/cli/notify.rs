//! `slod notify test`.

use std::{path::Path, time::Duration};

use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    CANNOT_TELL, FINDINGS, OK,
    client::Client,
    flags::{By, Form, Output, Reach},
    output,
};
use crate::{
    clock::Stopwatch,
    views::{incident::DeliveryView, render_words::plain},
};

/// Between two looks at the message.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// `slod notify …`.
#[derive(Debug, Subcommand)]
pub enum NotifyVerb {
    /// Send one real, marked test message and wait for its receipt
    #[command(after_help = "Example:\n  slod notify test ops-pager --wait 60")]
    Test(TestArgs),
}

/// `slod notify test`.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// To whom
    receiver: String,
    /// Seconds to wait for the receipt
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    wait: u64,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    reach: Reach,
}

/// Queues the message and follows it: 0 accepted, 1 dead, 4 not known in time.
pub fn test(config: &Path, args: &TestArgs) -> anyhow::Result<u8> {
    let client = Client::new(config, &args.reach)?;
    let path = ["api", "v1", "notify-test", &args.receiver];
    let mut delivery: DeliveryView = client.post(&path, &json!({"by": args.by.name()}))?;
    let id = delivery.id.to_string();
    let watch = Stopwatch::start();
    let mut told = None;
    while !is_over(&delivery) && watch.elapsed() < Duration::from_secs(args.wait) {
        let news = (delivery.state.clone(), delivery.attempts, delivery.last_error.clone());
        if told.as_ref() != Some(&news) {
            output::progress(&progress(&delivery));
            told = Some(news);
        }
        client.pause(LOOK_EVERY);
        delivery = client.get(&["api", "v1", "deliveries", &id], &[])?;
    }
    if args.form.output == Output::Json {
        output::print_json(&delivery)?;
    } else {
        output::print(&format!("{}\n", outcome(&delivery, args.wait)))?;
    }
    Ok(match delivery.state.as_str() {
        "sent" => OK,
        "dead" | "dropped" => FINDINGS,
        _ => CANNOT_TELL,
    })
}

fn is_over(delivery: &DeliveryView) -> bool {
    matches!(delivery.state.as_str(), "sent" | "dead" | "dropped")
}

fn progress(delivery: &DeliveryView) -> String {
    let error = delivery.last_error.as_deref().map(|error| format!(": {}", plain(error))).unwrap_or_default();
    format!("message {} to {}: {}{error}", delivery.id, plain(&delivery.receiver), plain(&delivery.state))
}

fn outcome(delivery: &DeliveryView, waited: u64) -> String {
    let receiver = plain(&delivery.receiver);
    let error = plain(delivery.last_error.as_deref().unwrap_or("no reason given"));
    match delivery.state.as_str() {
        "sent" => {
            let receipt = plain(delivery.receipt.as_deref().unwrap_or("none"));
            format!("● sent to {receiver}: receipt {receipt}, attempts {}", delivery.attempts)
        }
        "dead" | "dropped" => format!("■ dead: {receiver} did not accept message {}: {error}", delivery.id),
        state => format!(
            "◐ {state}: {receiver} has not accepted message {} within {waited} s (attempts {}, newest failure: {error}); \
             slod goes on trying",
            delivery.id, delivery.attempts
        ),
    }
}
