//! Flags that more than one verb takes.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, ValueEnum};

/// `slod run`.
#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    /// What wins over the file.
    #[command(flatten)]
    pub daemon: DaemonFlags,
}

/// The scalar keys of `daemon:`, which win over the file.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Settings that win over `daemon:` in the configuration")]
pub struct DaemonFlags {
    /// Where pages and API are served
    #[arg(long, env = "SLOD_LISTEN", value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
    /// How people reach the pages
    #[arg(long, env = "SLOD_EXTERNAL_URL", value_name = "URL")]
    pub external_url: Option<String>,
    /// Where state is kept: `sqlite:PATH` or `postgres://…` (better in SLOD_STORE: arguments are seen by everybody)
    #[arg(long, env = "SLOD_STORE", value_name = "URL", hide_env_values = true)]
    pub store: Option<String>,
    /// Time zone of reports that name none
    #[arg(long, env = "SLOD_TIMEZONE", value_name = "ZONE")]
    pub timezone: Option<String>,
    /// How long slots and incidents are kept, like `400d`
    #[arg(long, env = "SLOD_RETENTION", value_name = "DURATION")]
    pub retention: Option<String>,
    /// Most series one SLO may have
    #[arg(long, env = "SLOD_MAX_SERIES_PER_SLO", value_name = "N")]
    pub max_series_per_slo: Option<usize>,
    /// The command line's way in
    #[arg(long, env = "SLOD_SOCKET", value_name = "PATH")]
    pub socket: Option<PathBuf>,
    /// error, warn, info, debug, trace, or a filter
    #[arg(long, env = "SLOD_LOG_LEVEL", value_name = "LEVEL")]
    pub log_level: Option<String>,
    /// How log lines look
    #[arg(long, env = "SLOD_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormatFlag>,
}

/// `--log-format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormatFlag {
    /// `key=value`
    Logfmt,
    /// One JSON object a line
    Json,
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
