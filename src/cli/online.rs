//! `slod check`, with what it asks outside: the questions of `--online`, and the daemon for `--against-running`.

use std::{io::Write as _, path::Path, time::Duration};

use anyhow::Context as _;

use super::{
    against,
    check::{self, Args, Output},
};
use crate::{
    channel,
    clock::{Clock as _, SystemClock},
    config::model::Config,
    engine::online::{Answer, Online},
    source::{self, probe::Prober},
};

/// All questions together: longer than anybody waits.
const LIMIT: Duration = Duration::from_hours(24);

/// Checks the configuration; with `--online`, what it names as well; with `--against-running`, what a reload would do.
pub fn check(path: &Path, args: &Args) -> anyhow::Result<u8> {
    let colour = std::io::IsTerminal::is_terminal(&std::io::stdout()) && std::env::var_os("NO_COLOR").is_none();
    let mut out = std::io::stdout().lock();
    let checked = check::run(path, args, &|name| std::env::var(name).ok(), colour, &mut out)?;
    let mut code = checked.verdict.code();
    let Some(config) = checked.config else { return Ok(code) };
    drop(out);
    if args.online {
        code = worse(online(&config, args)?, code);
    }
    if args.against_running {
        code = worse(against::check(path, &config, args)?, code);
    }
    Ok(code)
}

/// Findings outweigh what cannot be told, and that outweighs warnings.
fn worse(one: u8, other: u8) -> u8 {
    let weight = |code: u8| match code {
        super::FINDINGS => 3,
        super::CANNOT_TELL => 2,
        super::OK => 0,
        _ => 1,
    };
    if weight(one) >= weight(other) { one } else { other }
}

fn online(config: &Config, args: &Args) -> anyhow::Result<u8> {
    if let Some(name) = &args.only
        && !config.sources.contains_key(name.as_str())
        && !config.receivers.contains_key(name.as_str())
        && !channel::is_log(config, name)
        && !config.slos.keys().any(|id| id.to_string() == *name)
    {
        anyhow::bail!("`--only {name}`: no source, receiver or SLO has that name");
    }
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start the runtime")?;
    let answers = runtime.block_on(ask(config, args.only.as_deref()))?;
    show(&answers, args.output)?;
    let failed = answers.iter().any(|answer| !answer.ok && !answer.silent);
    let silent = answers.iter().any(|answer| answer.silent);
    Ok(if failed {
        super::FINDINGS
    } else if silent {
        super::CANNOT_TELL
    } else {
        super::OK
    })
}

async fn ask(config: &Config, only: Option<&str>) -> anyhow::Result<Vec<Answer>> {
    let sources = source::build(config)
        .map_err(|errors| anyhow::anyhow!(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")))?;
    let channels = channel::build_all(config, channel::Limits::default())?;
    let prober = Prober::new().map_err(|error| anyhow::anyhow!(error.to_string()))?;
    let diagnoser = source::Diagnoser::new(config)
        .map_err(|errors| anyhow::anyhow!(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")))?;
    let (sources, channels) = (&sources, &channels);
    let online = Online { config, sources, channels, prober: &prober, diagnoser: &diagnoser, only, limit: LIMIT };
    Ok(online.ask(SystemClock.now().timestamp()).await)
}

fn show(answers: &[Answer], output: Output) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    match output {
        Output::Text => {
            for answer in answers {
                writeln!(out, "{:<9} {}: {}", answer.word(), answer.name, answer.text)?;
            }
        }
        Output::Json => {
            let list: Vec<_> = answers
                .iter()
                .map(|answer| serde_json::json!({"name": answer.name, "ok": answer.ok, "answered": !answer.silent, "text": answer.text}))
                .collect();
            writeln!(out, "{}", serde_json::json!({"online": list}))?;
        }
        Output::Github => {
            for answer in answers.iter().filter(|answer| !answer.ok) {
                writeln!(out, "::error::{}: {}", answer.name, check::escaped(&answer.text))?;
            }
        }
    }
    Ok(())
}
