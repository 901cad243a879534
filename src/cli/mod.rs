//! The command line: one verb a file.
//!
//! `run`, `check` and `test` work on the configuration; every other verb asks the running daemon over its socket.
//! Data goes to stdout, everything else to stderr.

mod against;
mod annotate;
pub mod check;
mod client;
mod correct;
mod explain;
mod flags;
mod incidents;
mod init;
mod noise;
mod notify;
mod online;
mod output;
mod report;
mod route;
pub mod run;
mod shell;
mod silence;
pub mod socket;
mod status;
mod test;
mod top;
mod why;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub use self::{client::Unreachable, flags::RunArgs};

/// Exit code of success.
pub const OK: u8 = 0;
/// Exit code of findings, and of what the daemon refused.
pub const FINDINGS: u8 = 1;
/// Exit code of wrong usage.
pub const USAGE: u8 = 2;
/// Exit code of warnings under `--deny-warnings`.
pub const WARNINGS: u8 = 3;
/// Exit code where the daemon or a source cannot be asked.
pub const CANNOT_TELL: u8 = 4;

/// SLO evaluation and alert-routing daemon, and the way to talk to it.
#[derive(Debug, Parser)]
#[command(name = "slod", version, about, max_term_width = 100, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 ok · 1 findings, failed scenario · 2 usage · 3 warnings under --deny-warnings · 4 cannot tell \
                        (daemon or source unreachable) · 78 `run` refuses the configuration"
)]
pub struct Cli {
    /// The configuration: a file, or a folder that holds `slo.yaml`
    #[arg(long, global = true, env = "SLOD_CONFIG", default_value = "slo.yaml", value_name = "PATH")]
    pub config: PathBuf,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run the daemon
    #[command(after_help = "Example:\n  slod run --config /etc/slod/slo.yaml --listen 127.0.0.1:9720")]
    Run(RunArgs),
    /// Find all problems of the configuration
    #[command(
        after_help = "Example:\n  slod check --config /etc/slod --deny-warnings -o github\n  slod check --online --only prometheus\n  \
                      slod check --against-running"
    )]
    Check(check::Args),
    /// Show every objective's state and budget
    #[command(
        after_help = "Example:\n  slod status\n  slod status -o json | jq '.slos[] | select(.state != \"ok\") | .id'"
    )]
    Status(status::StatusArgs),
    /// Watch every objective and open incident, the worst first; q ends
    #[command(after_help = "Example:\n  slod top --every 5\n  slod top --once")]
    Top(top::TopArgs),
    /// Take an objective's figures apart, down to the slots and what was asked
    #[command(
        after_help = "Example:\n  slod explain warehouse/checkout\n  slod explain warehouse/checkout --at 2026-10-25T12:00:00Z"
    )]
    Explain(explain::ExplainArgs),
    /// List incidents, the newest first
    #[command(after_help = "Example:\n  slod incidents --state open")]
    Incidents(incidents::ListArgs),
    /// Look at one incident
    #[command(subcommand, after_help = "Example:\n  slod incident show 7")]
    Incident(incidents::IncidentVerb),
    /// Acknowledge an incident: I have it
    #[command(after_help = "Example:\n  slod ack 7 --by ops-lead")]
    Ack(incidents::ActArgs),
    /// Resolve an incident: it is over
    #[command(after_help = "Example:\n  slod resolve 7")]
    Resolve(incidents::ActArgs),
    /// Add a note to an incident
    #[command(after_help = "Example:\n  slod note 7 'database restarted'")]
    Note(incidents::NoteArgs),
    /// Approve or discard a draft for the public status page
    #[command(subcommand, after_help = "Example:\n  slod status-page approve 7")]
    StatusPage(incidents::StatusPageVerb),
    /// Show why somebody was told, or why nobody was
    #[command(
        after_help = "Example:\n  slod why 88acc43da13d\n  slod why --not-paged warehouse/checkout --at 2026-10-25T12:00:00Z"
    )]
    Why(why::WhyArgs),
    /// Show who would hear of an objective's alerts, at which minute; asks no daemon
    #[command(after_help = "Example:\n  slod route warehouse/checkout --policy outage")]
    Route(route::RouteArgs),
    /// Show the budget report of a month
    #[command(
        after_help = "Example:\n  slod report --month 2026-10 --service warehouse -o markdown\n  slod report --month 2026-10 -o html > 2026-10.html"
    )]
    Report(report::ReportArgs),
    /// Correct an SLO's budget: events that were counted wrongly. For ever on record
    #[command(
        after_help = "Example:\n  slod correct shop/checkout --at 2026-10-25T12:00:00Z --bad -120 --total 0 --reason 'load test'"
    )]
    Correct(correct::CorrectArgs),
    /// Put a deploy or a note on record: it stands beside charts and incidents, and judges nothing
    #[command(
        after_help = "Example:\n  slod annotate 'checkout 4.2.1' --kind deploy --service shop --url https://ci.example/builds/4711\n  \
                      slod annotate 'load test begins'"
    )]
    Annotate(annotate::AnnotateArgs),
    /// List what was put on record, or take it away
    #[command(subcommand, after_help = "Example:\n  slod annotation list --service shop")]
    Annotation(annotate::AnnotationVerb),
    /// Mute new messages for a while, with a reason
    #[command(
        subcommand,
        after_help = "Example:\n  slod silence add --service shop --slo checkout --for 1h --reason 'database move'"
    )]
    Silence(silence::SilenceVerb),
    /// Show how often each policy has paged, and what it was worth
    #[command(after_help = "Example:\n  slod noise --days 90 --service warehouse")]
    Noise(noise::NoiseArgs),
    /// Send test messages
    #[command(subcommand, after_help = "Example:\n  slod notify test ops-pager")]
    Notify(notify::NotifyVerb),
    /// Play scenarios: written slots, simulated time, the real policies
    #[command(
        after_help = "Example:\n  slod test tests/scenarios/*.yaml\n  slod test -o junit scenarios.yaml > junit.xml\n\n\
                      Exit codes: 0 all passed · 1 some failed · 2 a file cannot be used"
    )]
    Test(test::TestArgs),
    /// Write a commented starter configuration
    #[command(after_help = "Example:\n  slod init ./slo && slod check --config ./slo")]
    Init(init::InitArgs),
    /// Print the JSON Schema of the configuration, for editors
    #[command(after_help = "Example:\n  slod schema > slo.schema.json")]
    Schema,
    /// Print completions for a shell
    #[command(after_help = "Example:\n  slod completions bash > /etc/bash_completion.d/slod")]
    Completions(shell::CompletionsArgs),
    /// Print the manual page
    #[command(after_help = "Example:\n  slod man | man -l -")]
    Man,
}

/// Does what was asked and answers the exit code.
pub fn main(cli: Cli) -> anyhow::Result<u8> {
    let config = cli.config;
    match cli.verb {
        Verb::Run(args) => run::run(&config, args),
        Verb::Check(args) => online::check(&config, &args),
        Verb::Status(args) => status::run(&config, &args),
        Verb::Top(args) => top::run(&config, &args),
        Verb::Explain(args) => explain::run(&config, &args),
        Verb::Incidents(args) => incidents::list(&config, &args),
        Verb::Incident(verb) => incidents::incident(&config, &verb),
        Verb::Ack(args) => incidents::acknowledge(&config, &args),
        Verb::Resolve(args) => incidents::resolve(&config, &args),
        Verb::Note(args) => incidents::note(&config, &args),
        Verb::StatusPage(verb) => incidents::status_page(&config, &verb),
        Verb::Why(args) => why::run(&config, &args),
        Verb::Route(args) => route::run(&config, &args),
        Verb::Report(args) => report::run(&config, &args),
        Verb::Noise(args) => noise::run(&config, &args),
        Verb::Notify(notify::NotifyVerb::Test(args)) => notify::test(&config, &args),
        Verb::Silence(verb) => silence::run(&config, &verb),
        Verb::Correct(args) => correct::run(&config, &args),
        Verb::Annotate(args) => annotate::add(&config, &args),
        Verb::Annotation(verb) => annotate::run(&config, &verb),
        Verb::Test(args) => test::run(&args),
        Verb::Init(args) => init::run(&args),
        Verb::Schema => shell::schema(),
        Verb::Completions(args) => shell::completions(&args),
        Verb::Man => shell::man(),
    }
}

/// The exit code an error ends with.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    if error.downcast_ref::<Unreachable>().is_some() { CANNOT_TELL } else { FINDINGS }
}

/// An error and its causes in one line, each said once: `cannot write slo.yaml: permission denied`.
pub fn chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if text.contains(&cause) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause);
    }
    text
}
