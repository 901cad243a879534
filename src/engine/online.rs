//! The questions of `slod check --online`: does every source answer, does every query run, are every receiver's credentials
//! good? No message is sent. Reminders ask the same within the daemon.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};

use super::evaluator::limit_of;
use crate::{
    channel::SharedChannel,
    clock::Stopwatch,
    config::model::{Config, Diagnostic, Indicator, Probe},
    domain::{
        decide::time,
        diagnostic::Diagnosis,
        name::Name,
        slot::{Reading, Span},
    },
    source::{Diagnoser, Question, SharedSource, SourceError, probe::Prober},
};

/// Longest wait for a receiver's word on its credentials.
const VERIFY_LIMIT: Duration = Duration::from_secs(30);
/// For a source that names no limit.
const LIMIT: Duration = Duration::from_secs(10);

/// What one question came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What was asked about: `source prometheus`, `SLO shop/front (slo.yaml:12)`.
    pub name: String,
    /// It is as it should be.
    pub ok: bool,
    /// Nobody answered: it cannot be told whether it is good.
    pub silent: bool,
    /// What was learned. Holds no secret: sources and receivers take theirs out.
    pub text: String,
}

impl Answer {
    /// `ok`, `no answer`, `failed`.
    pub fn word(&self) -> &'static str {
        match (self.ok, self.silent) {
            (true, _) => "ok",
            (false, true) => "no answer",
            (false, false) => "failed",
        }
    }
}

/// Whom to ask.
#[derive(Clone, Copy)]
pub struct Online<'a> {
    /// What is asked.
    pub config: &'a Config,
    /// All sources.
    pub sources: &'a BTreeMap<Name, SharedSource>,
    /// All receivers.
    pub channels: &'a BTreeMap<Name, SharedChannel>,
    /// For probes.
    pub prober: &'a Prober,
    /// For diagnostics.
    pub diagnoser: &'a Diagnoser,
    /// Only what has this name; everything if none.
    pub only: Option<&'a str>,
    /// How long all of it may take.
    pub limit: Duration,
}

/// Answers as they come in, until the time is up.
struct Asked {
    watch: Stopwatch,
    limit: Duration,
    answers: Vec<Answer>,
    left: usize,
}

impl Asked {
    async fn put(&mut self, answer: impl Future<Output = Answer>) {
        let time = self.limit.saturating_sub(self.watch.elapsed());
        if time.is_zero() {
            self.left += 1;
        } else if let Ok(answer) = tokio::time::timeout(time, answer).await {
            self.answers.push(answer);
        } else {
            self.left += 1;
        }
    }

    fn is_silent(&self, source: &Name) -> bool {
        self.answers.iter().any(|answer| answer.silent && answer.name.strip_prefix("source ") == Some(source))
    }

    fn finish(mut self) -> Vec<Answer> {
        if self.left > 0 {
            self.answers.push(Answer {
                name: format!("{} more questions", self.left),
                ok: false,
                silent: true,
                text: format!("not answered: the check was ended after {:?}", self.limit),
            });
        }
        self.answers
    }
}

impl Online<'_> {
    /// Asks everybody, one after the other. `now` in Unix seconds.
    pub async fn ask(&self, now: i64) -> Vec<Answer> {
        let mut asked = Asked { watch: Stopwatch::start(), limit: self.limit, answers: Vec::new(), left: 0 };
        for (name, source) in self.sources.iter().filter(|(name, _)| self.wants(name)) {
            asked.put(self.ping(name, source)).await;
        }
        self.indicators(now, &mut asked).await;
        self.gauges(now, &mut asked).await;
        self.diagnostics(time(now), &mut asked).await;
        for (name, channel) in self.channels.iter().filter(|(name, _)| self.wants(name)) {
            asked.put(verify(name, channel)).await;
        }
        asked.finish()
    }

    fn wants(&self, name: &str) -> bool {
        self.only.is_none_or(|only| only == name)
    }

    fn limit_of(&self, source: &Name) -> Duration {
        self.config.sources.get(source).map_or(LIMIT, |source| limit_of(&source.kind))
    }

    async fn ping(&self, name: &Name, source: &SharedSource) -> Answer {
        let (ok, silent, text) = match source.ping(self.limit_of(name)).await {
            Ok(()) => (true, false, "answers".to_owned()),
            Err(error) => (false, !matches!(error, SourceError::Refused(_)), error.to_string()),
        };
        Answer { name: format!("source {name}"), ok, silent, text }
    }

    async fn indicators(&self, now: i64, asked: &mut Asked) {
        for (id, slo) in &self.config.slos {
            let every = slo.spec.every;
            let span = Span::slot(now / i64::from(every) - 1, every);
            match slo.indicator.source() {
                None if self.wants(&id.to_string()) => {
                    if let Indicator::Probe(probe) = &slo.indicator {
                        asked.put(self.probe(format!("SLO {id}"), probe, now)).await;
                    }
                }
                Some(source) if (self.wants(source) || self.wants(&id.to_string())) && !asked.is_silent(source) => {
                    let Some(built) = self.sources.get(source) else { continue };
                    let question = Question::of(slo, &self.config.daemon);
                    let inspected = async {
                        let inspected = built.inspect(question, span, self.limit_of(source)).await;
                        let (ok, text) = match inspected {
                            Ok(text) => (true, text),
                            Err(text) => (false, text),
                        };
                        Answer { name: format!("SLO {id} ({})", slo.location), ok, silent: false, text }
                    };
                    asked.put(inspected).await;
                }
                _ => {}
            }
        }
    }

    async fn probe(&self, name: String, probe: &Probe, now: i64) -> Answer {
        let result = self.prober.check(probe, now, probe.timeout * 2).await;
        let ok = matches!(result.reading, Reading::Events { good, .. } if good > 0.0);
        Answer { name, ok, silent: false, text: result.detail }
    }

    async fn gauges(&self, now: i64, asked: &mut Asked) {
        for (name, gauge) in self.config.services.values().flat_map(|service| &service.gauges) {
            let source = &gauge.query.source;
            if !self.wants(source) || asked.is_silent(source) {
                continue;
            }
            let Some(built) = self.sources.get(source) else { continue };
            let number = async {
                let (ok, text) = match built.number(&gauge.query, now, self.limit_of(source)).await {
                    Ok(Some(value)) => (true, format!("is {value}")),
                    Ok(None) => (false, "the query answers no value".to_owned()),
                    Err(error) => (false, error.to_string()),
                };
                Answer { name: format!("gauge {name}"), ok, silent: false, text }
            };
            asked.put(number).await;
        }
    }
}

impl Online<'_> {
    /// Asks each diagnostic once. What it finds is no verdict here: only that it can be asked.
    async fn diagnostics(&self, now: DateTime<Utc>, asked: &mut Asked) {
        for (service, settings) in &self.config.services {
            for diagnostic in &settings.diagnostics {
                let wanted = match diagnostic.kind.source() {
                    Some(source) => self.wants(source) && !asked.is_silent(source),
                    None => self.only.is_none(),
                };
                if wanted {
                    asked.put(self.diagnostic(service, diagnostic, now)).await;
                }
            }
        }
    }

    async fn diagnostic(&self, service: &Name, diagnostic: &Diagnostic, now: DateTime<Utc>) -> Answer {
        let (ok, silent, text) = match self.diagnoser.ask(diagnostic, now).await {
            Ok(found) => (true, false, Diagnosis::new(diagnostic.name.clone(), "", now, 0.0, Ok(found)).summary),
            Err(error) => (false, !matches!(error, SourceError::Refused(_)), error.to_string()),
        };
        Answer { name: format!("diagnostic {service}/{}", diagnostic.name), ok, silent, text }
    }
}

async fn verify(name: &Name, channel: &SharedChannel) -> Answer {
    let (ok, text) = match tokio::time::timeout(VERIFY_LIMIT, channel.verify()).await {
        Ok(Ok(text)) => (true, text),
        Ok(Err(text)) => (false, text),
        Err(_) => (false, format!("no answer within {VERIFY_LIMIT:?}")),
    };
    Answer { name: format!("receiver {name}"), ok, silent: false, text }
}
