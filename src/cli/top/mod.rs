//! `slod top`: the worst first, live.

mod fetch;
mod screen;

use std::path::Path;

use clap::Args;

use self::fetch::Asked;
use super::{OK, flags::Reach, output};
use crate::{
    clock::{Clock, SystemClock},
    views::render_top::{Room, top},
};

/// Columns where nobody says how many there are.
const WIDTH: usize = 80;

/// `slod top`.
#[derive(Clone, Debug, Args)]
pub struct TopArgs {
    /// Only this service's
    #[arg(long, value_name = "SERVICE")]
    service: Option<String>,
    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = clap::value_parser!(u16).range(1..=3600))]
    every: u16,
    /// Print one look and end
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    reach: Reach,
}

/// Shows it, until told to end.
pub fn run(config: &Path, args: &TopArgs) -> anyhow::Result<u8> {
    if !args.once && output::is_seen() {
        return screen::run(config, args);
    }
    anyhow::ensure!(args.once, "stdout is no terminal: `slod top --once` prints one look");
    let glance = Asked::default().glance(config, args)?;
    let width = output::told_width().or_else(output::width).map_or(WIDTH, usize::from);
    output::print(&top(&glance, None, SystemClock.now(), Room { width, height: None }))?;
    Ok(OK)
}
