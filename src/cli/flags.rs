//! Flags that more than one verb takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::config::Overrides;

/// `slod run`.
#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    /// What wins over the file.
    #[command(flatten)]
    pub overrides: Overrides,
}

/// How the daemon is reached.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Reaching the daemon")]
pub struct Reach {
    /// The daemon's socket; looked for in the usual places otherwise
    #[arg(long, env = "SLOD_SOCKET", value_name = "PATH")]
    pub socket: Option<PathBuf>,
    /// Over HTTP instead of the socket, like `http://host:9720`; the token is read from SLOD_TOKEN
    #[arg(long, env = "SLOD_ADDRESS", value_name = "URL")]
    pub address: Option<String>,
}

/// `-o text|json`.
#[derive(Clone, Debug, Args)]
pub struct Form {
    /// Form of the answer
    #[arg(short = 'o', long = "output", value_name = "FORM", default_value = "text")]
    pub output: Output,
}

/// A form of the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

/// `--by`.
#[derive(Clone, Debug, Args)]
pub struct By {
    /// Who does it; recorded. You, if unsaid
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

impl By {
    /// The name given, else the user behind sudo, else the user.
    pub fn name(&self) -> String {
        let user = || ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
        let name = self.by.clone().or_else(user).filter(|name| !name.trim().is_empty());
        name.unwrap_or_else(|| "command line".to_owned())
    }
}
