//! The inbox for people: one plain page.

use std::fmt::Write;

use super::request::{Peer, Received};

/// What was received, the newest first.
pub(super) fn page(log: &[Received]) -> String {
    let problems: usize = log.iter().map(|entry| entry.problems.len()).sum();
    let mut html = format!(
        "<!doctype html><meta charset=utf-8><meta http-equiv=refresh content=5><title>Inbox</title><style>{STYLE}</style>\
        <h1>Inbox</h1><p>{} received, {problems} problems. Newest first.</p><table>",
        log.len()
    );
    for entry in log.iter().rev() {
        let at = entry.at.format("%H:%M:%S");
        let status =
            entry.fault.as_ref().map_or(entry.status.to_string(), |fault| format!("{} (fault {fault})", entry.status));
        let (peer, summary) =
            (peer(entry.peer), escape(if entry.summary.is_empty() { &entry.path } else { &entry.summary }));
        let _ = write!(html, "<tr><td>{at}<td><b>{peer}</b><td>{summary}");
        for problem in &entry.problems {
            let _ = write!(html, "<div class=problem>{}</div>", escape(problem));
        }
        let body = entry.body.get("plain").and_then(|text| text.as_str().map(str::to_owned));
        let body = body.or_else(|| serde_json::to_string_pretty(&entry.body).ok()).unwrap_or_default();
        let (method, path) = (escape(&entry.method), escape(&entry.path));
        let _ = write!(
            html,
            "<details><summary>{method} {path} → {}</summary><pre>{}</pre></details>",
            escape(&status),
            escape(&body)
        );
    }
    html + "</table>"
}

const STYLE: &str = "body{font:15px/1.4 system-ui,sans-serif;margin:2rem;max-width:70rem}td{vertical-align:top;padding:.4rem .8rem .4rem 0;\
    border-top:1px solid #ccc}pre{white-space:pre-wrap;overflow-wrap:anywhere}summary{color:#555}.problem{color:#a00}";

fn peer(peer: Peer) -> &'static str {
    match peer {
        Peer::Pagerduty => "PagerDuty",
        Peer::Slack => "Slack",
        Peer::Statuspage => "Statuspage",
        Peer::Supabase => "Decision log",
        Peer::Mail => "Mail",
        Peer::Instatus => "Instatus",
        Peer::Alertmanager => "Alertmanager",
        Peer::Webhook => "webhook",
        Peer::Heartbeat => "heartbeat",
        Peer::Other => "?",
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
