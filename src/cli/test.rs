//! `slod test`: what the policies would have done.

use std::{io::IsTerminal as _, path::PathBuf};

use clap::ValueEnum;

use super::{FINDINGS, OK, USAGE, output};
use crate::{config::render, scenario};

/// `slod test`.
#[derive(Clone, Debug, clap::Args)]
pub struct TestArgs {
    /// Files of scenarios; each names its configuration
    #[arg(required = true, value_name = "FILES")]
    files: Vec<PathBuf>,
    /// Form of the answer
    #[arg(short = 'o', long = "output", value_name = "FORM", default_value = "text")]
    output: Output,
}

/// A form of the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people
    #[default]
    Text,
    /// For programs: JUnit XML
    Junit,
}

/// Plays all scenarios of all files; none if any of the files has errors.
pub fn run(args: &TestArgs) -> anyhow::Result<u8> {
    let (mut books, mut problems) = (Vec::new(), Vec::new());
    for path in &args.files {
        match scenario::read(path, &|name| std::env::var(name).ok()) {
            Ok(book) => books.push(book),
            Err(found) => problems.extend(found),
        }
    }
    if !problems.is_empty() {
        let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        output::progress(render::text(&problems, colour).trim_end());
        return Ok(USAGE);
    }
    let plays =
        books.iter().flat_map(|book| book.scenarios.iter().map(|scenario| scenario::play(scenario, &book.rules)));
    let outcomes: Vec<scenario::Outcome> = plays.collect();
    match args.output {
        Output::Text => output::print_raw(scenario::text(&outcomes).as_bytes())?,
        Output::Junit => output::print_raw(scenario::junit(&outcomes).as_bytes())?,
    }
    Ok(if outcomes.iter().all(|outcome| outcome.failures.is_empty()) { OK } else { FINDINGS })
}
