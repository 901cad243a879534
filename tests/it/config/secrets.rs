//! Whatever is written where secrets are at home stays out of what is said, however wrong it is written.

use std::fs;

use slod::config::{Mode, Overrides, diagnostics::Severity, render};

/// The root file with `text` below, and all that is said of it.
fn said(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("slo.yaml"), format!("version: 1\n{text}\n")).unwrap();
    let loaded = slod::config::load(folder.path(), Mode::Check, &|_| None, &Overrides::default());
    assert!(loaded.count(Severity::Error) + loaded.count(Severity::Warning) > 0, "{text}: nothing is said");
    let all = &loaded.diagnostics;
    render::text(all, false) + &render::json(all) + &render::github(all)
}

#[test]
fn secrets_stay_hidden_under_every_key() {
    let receiver = |body: &str| format!("receivers:\n  w:\n    {body}");
    let source =
        |body: &str| format!("sources:\n  s:\n    prometheus:\n      url: http://prometheus:9090\n      {body}");
    let probe = |body: &str| {
        format!(
            "services:\n  a:\n    slos:\n      b:\n        objective: 99%\n        indicator:\n          probe:\n            \
             url: https://a.example\n            {body}"
        )
    };
    let cases = [
        source("bearer_token: SUPERSECRET9"),
        source("basic: {username: me, pass: SUPERSECRET9}"),
        source("headers: {\"Author ization\": \"Bearer SUPERSECRET9\"}"),
        source("headers: {Authorization: {from_env: \"SUPERSECRET9 \"}}"),
        source("max_concurrency: SUPERSECRET9"),
        source("timeout: SUPERSECRET9"),
        source("tenant: [SUPERSECRET9]"),
        source("chanel: a\n      bot: 1\n      bot: SUPERSECRET9"),
        source("bearer: \"SUPERSECRET9"),
        source("x-a: {<<: {q: SUPERSECRET9}, q: 1}\n      q: SUPERSECRET9"),
        source("bearer_tokn: 1 # once SUPERSECRET9"),
        "sources: SUPERSECRET9".into(),
        "sources: {s: {prometheus: SUPERSECRET9}}".into(),
        "recievers: {s: SUPERSECRET9}".into(),
        "recievers: [SUPERSECRET9, {a: SUPERSECRET9}]".into(),
        receiver("pagerduty: {integration_key: SUPERSECRET9}"),
        receiver("pagerduty: SUPERSECRET9"),
        receiver("pagerduty: {routing_key: 123456, routing_key: SUPERSECRET9}"),
        receiver("pagerduty: {from: SUPERSECRET9, routing_key: a}"),
        receiver("slack: {bot: xoxb-SUPERSECRET9}"),
        receiver("slack: \"https://hooks.slack.com/services/SUPERSECRET9\""),
        receiver("slack: {webhook: !x SUPERSECRET9}"),
        receiver("slack: {webhook: &a SUPERSECRET9, chanel: *a}"),
        receiver("slack: {token: SUPERSECRET9"),
        receiver("slack: {bot: a: SUPERSECRET9}"),
        receiver("webhook: {url: \"https://a.example/x?token=SUPERSECRET9\"}"),
        receiver("webhook: {url: \"http://SUPERSECRET9@a.example/x\", secret: s}"),
        receiver("email: {to: SUPERSECRET9}"),
        receiver("max_rate: SUPERSECRET9"),
        receiver("slack: {channel: C, token: {from_env: \"SUPERSECRET9-x\"}}"),
        receiver("slack: {channel: C, token: {from_env: AKIAIOSFODNN7SUPERSECRET9}}"),
        receiver("slack: {channel: C, token: {from_envv: SUPERSECRET9}}"),
        receiver("slack: {channel: C, token: {from_credential: SUPERSECRET9}}"),
        receiver("slack: {channel: C, token: {from_file: SUPERSECRET9}}"),
        receiver("slack: {channel: C, token: {from_env: A, default: [SUPERSECRET9]}}"),
        receiver("slack: {channel: C, token: {from_env: A, defaultt: SUPERSECRET9}}"),
        "receivers:\n  w: \"https://hooks.slack.com/services/SUPERSECRET9\"".into(),
        "receivers: [SUPERSECRET9]".into(),
        "daemon: {tokens: {a: SUPERSECRET9}}".into(),
        "daemon: {tokens: [SUPERSECRET9]}".into(),
        "daemon: {tokens: {a: {secret: {from_env: A}, can: [SUPERSECRET9]}}}".into(),
        "daemon: {tokenz: {a: SUPERSECRET9}, heartbeat: {url: SUPERSECRET9}}".into(),
        "mail: {smtp: SUPERSECRET9, from: SUPERSECRET9, passwort: SUPERSECRET9}".into(),
        "mail: {smtp: \"smtps://me:SUPERSECRET9@mail.example\", from: a}".into(),
        "services: {a: {decision_log: {supabase: {url: SUPERSECRET9, kee: SUPERSECRET9}}}}".into(),
        "services:\n  a:\n    bearer_token: SUPERSECRET9".into(),
        probe("headers: {\"X y\": SUPERSECRET9, Z: [SUPERSECRET9]}"),
        probe("headers: SUPERSECRET9"),
        probe("headers:\n              A: {SUPERSECRET9"),
        probe("url: xoxb-SUPERSECRET9"),
        probe("wat: \"https://a.example/?SUPERSECRET9\""),
    ];
    for case in cases {
        let said = said(&case);
        assert!(!said.contains("SUPERSECRET"), "{case}\n{said}");
    }
}

#[test]
fn a_file_that_is_a_secret_is_not_shown() {
    for text in ["SUPERSECRET9", "- SUPERSECRET9", "a: SUPERSECRET9: b", "\tSUPERSECRET9 {"] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("slo.yaml"), "version: 1\ninclude: [token]\n").unwrap();
        fs::write(folder.path().join("token"), text).unwrap();
        let loaded = slod::config::load(folder.path(), Mode::Check, &|_| None, &Overrides::default());
        let said = render::text(&loaded.diagnostics, false);
        assert!(loaded.count(Severity::Error) > 0 && !said.contains("SUPERSECRET"), "{said}");
    }
}

#[test]
fn what_a_variable_holds_is_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let text = "version: 1\ndaemon: {listen: {from_env: A}, retention: {from_env: A}}\nmail: {smtp: {from_env: A}, from: {from_env: A}}\n";
    fs::write(folder.path().join("slo.yaml"), text).unwrap();
    let env = |_: &str| Some("SUPERSECRET9".to_owned());
    let loaded = slod::config::load(folder.path(), Mode::Check, &env, &Overrides::default());
    let said = render::text(&loaded.diagnostics, false);
    assert!(loaded.count(Severity::Error) > 2 && !said.contains("SUPERSECRET"), "{said}");
    assert!(said.contains("from_env: A"), "{said}");
}

#[test]
fn what_is_harmless_stays_readable() {
    let cases = [
        ("sources: {s: {prometheus: {url: \"http://prometheus:9090\", timeoutt: 15m}}}", "timeoutt: 15m"),
        ("sources: {s: {prometheus: {url: \"http://prometheus:9090\", timeoutt: 1}}}", "http://prometheus:9090"),
        ("receivers:\n  a: {fallback: b, slack: {channel: C, token: {from_env: TOKEN}}}", "names receiver `b`"),
        ("receivers:\n  a: {slack: {channel: C, token: {from_env: TOKEN}}}", "from_env: TOKEN"),
        ("receivers:\n  a: {max_rate: 10/x, slack: {channel: C, token: {from_file: secrets/x.txt}}}", "secrets/x.txt"),
        ("services: {a: {slos: {b: {objective: 0.995}}}}", "objective: 0.995"),
        ("daemon: {listen: nowhere}", "not `nowhere`"),
        ("services: {a: {slos: {b: {indicator: {value: {query: \"sum(up\", source: s, good: '> 1'}}}}}}", "sum(up"),
    ];
    for (text, wanted) in cases {
        let said = said(text);
        assert!(said.contains(wanted), "{text}: {wanted}\n{said}");
    }
}
