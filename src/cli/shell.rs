//! `slod completions`, `slod man`, `slod schema`: what other programs want to know of this one.

use clap::{Args, CommandFactory};

use super::{Cli, OK, output};
use crate::config::SCHEMA;

/// `slod completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// Which shell
    shell: clap_complete::Shell,
}

/// Prints completions.
pub fn completions(args: &CompletionsArgs) -> anyhow::Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "slod", &mut script);
    output::print_raw(&script)?;
    Ok(OK)
}

/// Prints the manual page: the command, then each verb.
pub fn man() -> anyhow::Result<u8> {
    let mut page = Vec::new();
    let mut command = Cli::command();
    command.build();
    clap_mangen::Man::new(command).render(&mut page)?;
    output::print_raw(&page)?;
    Ok(OK)
}

/// Prints the JSON Schema of the configuration.
pub fn schema() -> anyhow::Result<u8> {
    output::print_raw(SCHEMA.as_bytes())?;
    Ok(OK)
}
