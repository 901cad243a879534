//! `slod check --against-running`: asks the daemon, changes nothing.

use std::{collections::BTreeMap, fmt::Write as _, io::Write as _, path::Path};

use serde::Deserialize;

use super::{
    check::{self, Args, Output},
    client::Client,
    flags::Reach,
};
use crate::{
    config::model::Config,
    engine::{fingerprint::fingerprint, rulebook::rulebook},
    views::{
        against::{Against, Becomes, Effect, against},
        fingerprint::{Difference, Fingerprint},
        incident::IncidentView,
        render_words::plain,
    },
};

/// Most names of a section that are listed.
const NAMES_MAX: usize = 20;

#[derive(Deserialize)]
struct List {
    incidents: Vec<IncidentView>,
}

/// Says what a reload with `config` would do: 1 if an open incident would end or lose something.
pub fn check(path: &Path, config: &Config, args: &Args) -> anyhow::Result<u8> {
    let socket = args.overrides.socket.as_deref().filter(|socket| !socket.is_empty());
    let reach = Reach { socket: socket.map(Into::into), address: args.address.clone() };
    let client = Client::new(path, &reach)?;
    let running: Fingerprint = client.get(&["api", "v1", "config"], &[])?;
    let found = against(&running, &fingerprint(config), &rulebook(config), &open_incidents(&client)?);
    show(&found, args.output)?;
    Ok(if found.touches() { super::FINDINGS } else { super::OK })
}

/// All that are not over, with their messages.
fn open_incidents(client: &Client) -> anyhow::Result<Vec<IncidentView>> {
    let mut whole = BTreeMap::new();
    for state in ["open", "acknowledged"] {
        let List { incidents } = client.get(&["api", "v1", "incidents"], &[("state", state)])?;
        for incident in incidents {
            let incident: IncidentView = client.get(&["api", "v1", "incidents", &incident.id], &[])?;
            whole.insert(incident.id.clone(), incident);
        }
    }
    // One that was resolved while we asked is none any more.
    Ok(whole.into_values().filter(|incident| incident.state != "resolved").collect())
}

fn show(found: &Against, output: Output) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    match output {
        Output::Text => out.write_all(text(found).as_bytes())?,
        Output::Json => writeln!(out, "{}", serde_json::json!({"against_running": found}))?,
        Output::Github => {
            for effect in found.incidents.iter().filter(|effect| effect.becomes != Becomes::Stays) {
                writeln!(out, "::warning::{}", check::escaped(&plain(&in_words(effect))))?;
            }
        }
    }
    Ok(())
}

/// For people.
fn text(found: &Against) -> String {
    let short = |hash: &str| hash.chars().take(12).collect::<String>();
    let mut page = if found.running == found.at_hand {
        format!("against the running daemon: the same files, {}\n", short(&found.running))
    } else {
        format!("against the running daemon: {} runs, {} is at hand\n", short(&found.running), short(&found.at_hand))
    };
    if found.other_version {
        page.push_str("  the daemon is of another version: what is changed cannot be told, only what is there\n");
    }
    for difference in &found.differences {
        page.push_str(&difference_words(difference));
    }
    if found.differences.is_empty() {
        page.push_str("  nothing would change\n");
    }
    for effect in &found.incidents {
        let _ = writeln!(page, "{}", plain(&in_words(effect)));
    }
    if found.incidents.is_empty() {
        page.push_str("no incident is open\n");
    }
    page
}

fn difference_words(difference: &Difference) -> String {
    let mut page = String::new();
    for (word, names) in [("new", &difference.added), ("gone", &difference.removed), ("changed", &difference.changed)] {
        if !names.is_empty() {
            let listed: Vec<_> = names.iter().take(NAMES_MAX).map(|name| plain(name)).collect();
            let more =
                if names.len() > NAMES_MAX { format!(" and {} more", names.len() - NAMES_MAX) } else { String::new() };
            let _ = writeln!(page, "  {} {word}: {}{more}", difference.section, listed.join(", "));
        }
    }
    page
}

fn in_words(effect: &Effect) -> String {
    let mark = match effect.becomes {
        Becomes::Ends => "■ would end  ",
        Becomes::Changes => "▲ would lose ",
        Becomes::Stays => "● stays      ",
    };
    let mut text = format!("{mark} {} {} {}", effect.id, effect.priority, effect.title);
    for said in effect.losses.iter().chain(&effect.notes) {
        let _ = write!(text, "\n    {said}");
    }
    text
}
