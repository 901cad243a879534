//! `slod route`: who would hear of an SLO's alerts, and when. From the files alone; no daemon is asked.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use clap::Args;
use serde::Serialize;

use super::{
    FINDINGS, OK,
    explain::slo_id,
    flags::{Form, Output},
    output,
};
use crate::{
    config::{self, Mode, Overrides, diagnostics::Severity, model::Config, render},
    domain::{
        condition::duration,
        escalation::Step,
        name::{Name, SloId},
        policy::{Priority, Unless},
    },
    engine::rulebook::rulebook,
    views::render_words::plain,
};

/// Most steps of one policy that are shown: repeated ones go on.
const STEPS_MAX: usize = 100;

/// `slod route`.
#[derive(Debug, Args)]
pub struct RouteArgs {
    /// Which SLO: `service/slo`
    #[arg(value_name = "SERVICE/SLO", value_parser = slo_id)]
    slo: SloId,
    /// Only this policy; all that watch the SLO without it
    #[arg(long, value_name = "POLICY")]
    policy: Option<String>,
    #[command(flatten)]
    form: Form,
}

/// Where an SLO's alerts go.
#[derive(Debug, Serialize)]
struct Route {
    slo: SloId,
    policies: Vec<PolicyRoute>,
}

/// Where one policy's alerts go.
#[derive(Debug, Serialize)]
struct PolicyRoute {
    policy: Name,
    priority: Priority,
    /// The alerts it makes of this SLO.
    alerts: Vec<String>,
    /// It must hold for so long before it fires, in seconds.
    for_seconds: u32,
    steps: Vec<StepRoute>,
    steps_left_out: usize,
    acknowledge_timeout_seconds: Option<u32>,
}

/// One step.
#[derive(Debug, Serialize)]
struct StepRoute {
    /// Seconds after the alert fired.
    after_seconds: u32,
    unless: Unless,
    hears: Vec<Hearer>,
}

/// Who hears.
#[derive(Debug, Serialize)]
struct Hearer {
    receiver: Name,
    kind: String,
    fallback: Option<Name>,
    fallback_after_seconds: Option<u64>,
}

/// Shows who would hear.
pub fn run(config: &Path, args: &RouteArgs) -> anyhow::Result<u8> {
    let env = |name: &str| std::env::var(name).ok();
    let loaded = config::load(config, Mode::Check, &env, &Overrides::default());
    let Some(config) = loaded.config.as_ref().filter(|_| loaded.count(Severity::Error) == 0) else {
        output::progress(render::text(&loaded.diagnostics, false).trim_end());
        return Ok(FINDINGS);
    };
    let route = route(config, &args.slo, args.policy.as_deref())?;
    if args.form.output == Output::Json {
        output::print_json(&route)?;
    } else {
        output::print(&text(&route))?;
    }
    Ok(OK)
}

fn route(config: &Config, id: &SloId, policy: Option<&str>) -> anyhow::Result<Route> {
    let rules = rulebook(config);
    let Some(slo) = rules.slos.get(id) else {
        let known: Vec<String> = rules.slos.keys().take(50).map(ToString::to_string).collect();
        anyhow::bail!("no SLO `{id}` (known: {})", known.join(", "));
    };
    let known: Vec<&str> = slo.policies.iter().map(|rules| rules.policy.name.as_str()).collect();
    if let Some(policy) = policy.filter(|policy| !known.contains(policy)) {
        let known = if known.is_empty() { "none does".to_owned() } else { known.join(", ") };
        anyhow::bail!("no policy `{policy}` watches {id} (known: {known})");
    }
    let mine = slo.policies.iter().filter(|rules| policy.is_none_or(|policy| rules.policy.name.as_str() == policy));
    let policies = mine.map(|rules| {
        let mut steps = rules.plan.pin(&rules.policy.name, chrono::DateTime::UNIX_EPOCH);
        steps.sort_by_key(|step| step.after);
        PolicyRoute {
            policy: rules.policy.name.clone(),
            priority: rules.policy.priority,
            alerts: rules.watches.iter().map(|watch| watch.name.clone()).collect(),
            for_seconds: rules.policy.hold,
            acknowledge_timeout_seconds: steps.iter().find_map(|step| step.acknowledge_timeout),
            steps_left_out: steps.len().saturating_sub(STEPS_MAX),
            steps: steps.iter().take(STEPS_MAX).map(|step| step_route(config, step)).collect(),
        }
    });
    Ok(Route { slo: id.clone(), policies: policies.collect() })
}

fn step_route(config: &Config, step: &Step) -> StepRoute {
    let hearer = |name: &Name| {
        let receiver = config.receivers.get(name);
        let fallback = receiver.and_then(|receiver| receiver.fallback.clone());
        Hearer {
            receiver: name.clone(),
            kind: receiver.map_or_else(|| "unknown".to_owned(), |receiver| receiver.kind.word().to_owned()),
            fallback_after_seconds: fallback.as_ref().and(receiver).map(|receiver| receiver.fallback_after.as_secs()),
            fallback,
        }
    };
    StepRoute { after_seconds: step.after, unless: step.unless, hears: step.notify.iter().map(hearer).collect() }
}

fn text(route: &Route) -> String {
    let mut page = format!("{}\n", plain(&route.slo.to_string()));
    if route.policies.is_empty() {
        page.push_str("  no policy watches it: nobody would hear\n");
    }
    for policy in &route.policies {
        let held = if policy.for_seconds > 0 {
            format!(", after it held for {}", duration(policy.for_seconds))
        } else {
            String::new()
        };
        let _ = writeln!(
            page,
            "\n{} ({}){held}: {}",
            plain(&policy.policy),
            policy.priority,
            plain(&policy.alerts.join(", "))
        );
        if policy.steps.is_empty() {
            page.push_str("  nobody would hear\n");
        }
        for step in &policy.steps {
            let unless = match step.unless {
                _ if step.after_seconds == 0 => "at once".to_owned(),
                Unless::Acknowledged => format!("after {}, unless acknowledged", duration(step.after_seconds)),
                Unless::Resolved => format!("after {}, unless resolved", duration(step.after_seconds)),
            };
            let _ = writeln!(page, "  {unless}: {}", plain(&hears(step)));
        }
        if policy.steps_left_out > 0 {
            let _ = writeln!(page, "  and {} more steps", policy.steps_left_out);
        }
        if let Some(seconds) = policy.acknowledge_timeout_seconds {
            let _ = writeln!(page, "  an acknowledgement lapses after {}", duration(seconds));
        }
    }
    page.push_str(&fallbacks(route));
    page
}

fn hears(step: &StepRoute) -> String {
    let words: Vec<String> = step.hears.iter().map(|hearer| format!("{} ({})", hearer.receiver, hearer.kind)).collect();
    words.join(", ")
}

/// Who hears instead, once for each receiver.
fn fallbacks(route: &Route) -> String {
    let hearers = route.policies.iter().flat_map(|policy| &policy.steps).flat_map(|step| &step.hears);
    let with: BTreeMap<&Name, String> = hearers
        .filter_map(|hearer| {
            let (fallback, after) = (hearer.fallback.as_ref()?, hearer.fallback_after_seconds?);
            let after = duration(u32::try_from(after).unwrap_or(u32::MAX));
            Some((&hearer.receiver, format!("{fallback}, when a page is undelivered for {after} or given up")))
        })
        .collect();
    let mut text = String::new();
    for (receiver, words) in with {
        let _ = writeln!(
            text,
            "{}instead of {}: {}",
            if text.is_empty() { "\n" } else { "" },
            plain(receiver),
            plain(&words)
        );
    }
    text
}
