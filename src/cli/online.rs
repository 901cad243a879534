//! `slod check`, and the questions of `--online`: does every source answer, does every query run, are every
//! receiver's credentials good? No message is sent.

use std::{collections::BTreeMap, io::Write as _, path::Path, time::Duration};

use anyhow::Context as _;

use super::check::{self, Args, Output};
use crate::{
    channel::{self, SharedChannel},
    clock::{Clock as _, SystemClock},
    config::model::{Config, Indicator},
    domain::{name::Name, slot::Span},
    engine::evaluator::limit_of,
    source::{self, Question, SharedSource, SourceError, probe::Prober},
};

/// What one question came to.
struct Answer {
    name: String,
    ok: bool,
    /// Nobody answered: it cannot be told whether it is good.
    silent: bool,
    text: String,
}

/// Checks the configuration; with `--online`, what it names as well.
pub fn check(config: &Path, args: &Args) -> anyhow::Result<u8> {
    let colour = std::io::IsTerminal::is_terminal(&std::io::stdout()) && std::env::var_os("NO_COLOR").is_none();
    let mut out = std::io::stdout().lock();
    let checked = check::run(config, args, &|name| std::env::var(name).ok(), colour, &mut out)?;
    let offline = checked.verdict.code();
    let (true, Some(config)) = (args.online, checked.config) else { return Ok(offline) };
    if let Some(name) = &args.only
        && !config.sources.contains_key(name.as_str())
        && !config.receivers.contains_key(name.as_str())
        && !channel::is_log(&config, name)
        && !config.slos.keys().any(|id| id.to_string() == *name)
    {
        anyhow::bail!("`--only {name}`: no source, receiver or SLO has that name");
    }
    drop(out);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start the runtime")?;
    let answers = runtime.block_on(ask(&config, args.only.as_deref()))?;
    show(&answers, args.output)?;
    let failed = answers.iter().any(|answer| !answer.ok && !answer.silent);
    let silent = answers.iter().any(|answer| answer.silent);
    Ok(if failed {
        super::FINDINGS
    } else if silent {
        super::CANNOT_TELL
    } else {
        offline
    })
}

fn show(answers: &[Answer], output: Output) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    match output {
        Output::Text => {
            for answer in answers {
                let word = if answer.ok {
                    "ok"
                } else if answer.silent {
                    "no answer"
                } else {
                    "failed"
                };
                writeln!(out, "{word:<9} {}: {}", answer.name, answer.text)?;
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
                let text = answer.text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
                writeln!(out, "::error::{}: {text}", answer.name)?;
            }
        }
    }
    Ok(())
}

async fn ask(config: &Config, only: Option<&str>) -> anyhow::Result<Vec<Answer>> {
    let wanted = |name: &str| only.is_none_or(|only| only == name);
    let sources = source::build(config)
        .map_err(|errors| anyhow::anyhow!(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")))?;
    let channels = channel::build_all(config, channel::Limits::default())?;
    let mut answers = Vec::new();
    for (name, source) in sources.iter().filter(|(name, _)| wanted(name)) {
        answers.push(ping(config, name, source).await);
    }
    let silent: Vec<String> = answers.iter().filter(|answer| answer.silent).map(|answer| answer.name.clone()).collect();
    answers.extend(indicators(config, &sources, &silent, &wanted).await?);
    answers.extend(gauges(config, &sources, &silent, &wanted).await);
    for (name, channel) in channels.iter().filter(|(name, _)| wanted(name)) {
        answers.push(verify(name, channel).await);
    }
    Ok(answers)
}

async fn ping(config: &Config, name: &Name, source: &SharedSource) -> Answer {
    let limit = config.sources.get(name).map_or(Duration::from_secs(10), |source| limit_of(&source.kind));
    let (ok, silent, text) = match source.ping(limit).await {
        Ok(()) => (true, false, "answers".to_owned()),
        Err(error) => (false, !matches!(error, SourceError::Refused(_)), error.to_string()),
    };
    Answer { name: format!("source {name}"), ok, silent, text }
}

async fn indicators(
    config: &Config,
    sources: &BTreeMap<Name, SharedSource>,
    silent: &[String],
    wanted: &impl Fn(&str) -> bool,
) -> anyhow::Result<Vec<Answer>> {
    let prober = Prober::new().map_err(|error| anyhow::anyhow!(error.to_string()))?;
    let now = SystemClock.now().timestamp();
    let mut answers = Vec::new();
    for (id, slo) in &config.slos {
        let every = slo.spec.every;
        let span = Span::slot(now / i64::from(every) - 1, every);
        let name = format!("SLO {id}");
        match slo.indicator.source() {
            None if wanted(&id.to_string()) => {
                if let Indicator::Probe(probe) = &slo.indicator {
                    let result = prober.check(probe, now, probe.timeout * 2).await;
                    let good =
                        matches!(result.reading, crate::domain::slot::Reading::Events { good, .. } if good > 0.0);
                    answers.push(Answer { name, ok: good, silent: false, text: result.detail });
                }
            }
            Some(source)
                if (wanted(source) || wanted(&id.to_string())) && !silent.contains(&format!("source {source}")) =>
            {
                let limit = config.sources.get(source).map_or(Duration::from_secs(10), |source| limit_of(&source.kind));
                if let Some(built) = sources.get(source) {
                    let question = Question::of(slo, &config.daemon);
                    let (ok, text) = match built.inspect(question, span, limit).await {
                        Ok(text) => (true, text),
                        Err(text) => (false, text),
                    };
                    answers.push(Answer { name: format!("{name} ({})", slo.location), ok, silent: false, text });
                }
            }
            _ => {}
        }
    }
    Ok(answers)
}

async fn gauges(
    config: &Config,
    sources: &BTreeMap<Name, SharedSource>,
    silent: &[String],
    wanted: &impl Fn(&str) -> bool,
) -> Vec<Answer> {
    let now = SystemClock.now().timestamp();
    let mut answers = Vec::new();
    for (name, gauge) in config.services.values().flat_map(|service| &service.gauges) {
        let source = &gauge.query.source;
        if !wanted(source) || silent.contains(&format!("source {source}")) {
            continue;
        }
        let limit = config.sources.get(source).map_or(Duration::from_secs(10), |source| limit_of(&source.kind));
        if let Some(built) = sources.get(source) {
            let (ok, text) = match built.number(&gauge.query, now, limit).await {
                Ok(Some(value)) => (true, format!("is {value}")),
                Ok(None) => (false, "the query answers no value".to_owned()),
                Err(error) => (false, error.to_string()),
            };
            answers.push(Answer { name: format!("gauge {name}"), ok, silent: false, text });
        }
    }
    answers
}

async fn verify(name: &Name, channel: &SharedChannel) -> Answer {
    let (ok, text) = match tokio::time::timeout(Duration::from_secs(30), channel.verify()).await {
        Ok(Ok(text)) => (true, text),
        Ok(Err(text)) => (false, text),
        Err(_) => (false, "no answer within 30 s".to_owned()),
    };
    Answer { name: format!("receiver {name}"), ok, silent: false, text }
}
