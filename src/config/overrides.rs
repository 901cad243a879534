//! Flags and variables that win over the file: one for every scalar key of `daemon`.

/// Settings of `daemon` given on the command line or in the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
#[command(next_help_heading = "Settings that win over the file")]
pub struct Overrides {
    /// Where the companion listens
    #[arg(long, env = "SLOD_LISTEN", value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,
    /// How people reach the companion
    #[arg(long, env = "SLOD_EXTERNAL_URL", value_name = "URL")]
    pub external_url: Option<String>,
    /// Where state is kept
    #[arg(long, env = "SLOD_STORE", value_name = "URL", hide_env_values = true)]
    pub store: Option<String>,
    /// Time zone for reports that name none
    #[arg(long, env = "SLOD_TIMEZONE", value_name = "ZONE")]
    pub timezone: Option<String>,
    /// How long slots and incidents are kept
    #[arg(long, env = "SLOD_RETENTION", value_name = "DURATION")]
    pub retention: Option<String>,
    /// Most series one SLO may have
    #[arg(long, env = "SLOD_MAX_SERIES_PER_SLO", value_name = "NUMBER")]
    pub max_series_per_slo: Option<String>,
    /// The local command line's socket
    #[arg(long, env = "SLOD_SOCKET", value_name = "PATH")]
    pub socket: Option<String>,
    /// Least severe log lines that are written, or a filter
    #[arg(long, env = "SLOD_LOG_LEVEL", value_name = "LEVEL")]
    pub log_level: Option<String>,
    /// How log lines look: logfmt or json
    #[arg(long, env = "SLOD_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<String>,
}
