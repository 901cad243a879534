//! What terminals show: at any width, in any letters, whatever titles hold.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use slod::views::{
    desk::DaemonView,
    incident::IncidentView,
    render_columns::ascii,
    render_top::{Glance, Room, key, top},
    slo::{BudgetView, SloState, SloView},
};
use unicode_width::UnicodeWidthStr as _;

use super::fixed_data::{HOSTILE, at, incident, now, slo};

fn glance() -> Glance {
    let spent = SloView {
        budget: BudgetView { remaining: Some(-0.13), ..slo("x", SloState::Ok, true).budget },
        series: BTreeMap::new(),
        ..slo("dashboard-availability", SloState::Exhausted, true)
    };
    let wide = SloView { title: "データベース".into(), ..slo("データベース応答", SloState::Ok, true) };
    let slos = vec![
        slo("rop-freshness", SloState::Empty, false),
        wide,
        slo("api-response-time", SloState::Burning, true),
        spent,
    ];
    let falling = (0..24).map(|hour| (hour > 3).then_some(1.0 - f64::from(hour) / 20.0)).collect::<Vec<_>>();
    let trends = slos.iter().map(|slo| (key(slo), falling.clone())).collect();
    let muted = IncidentView { id: "9f3c01ab22d4".into(), state: "open".into(), ..incident() };
    let taken = IncidentView { muted: None, ..incident() };
    let daemon = DaemonView {
        ready: true,
        reasons: Vec::new(),
        store_trouble: None,
        receivers: vec![],
        agenda: vec![],
        maintenance: vec![],
    };
    Glance { at: now(), slos, incidents: vec![muted, taken], daemon, trends }
}

fn frame(width: usize) -> String {
    top(&glance(), None, now(), Room { width, height: None })
}

#[test]
fn at_60_columns() {
    insta::assert_snapshot!(frame(60));
}

#[test]
fn at_80_columns() {
    insta::assert_snapshot!(frame(80));
}

#[test]
fn at_140_columns() {
    insta::assert_snapshot!(frame(140));
}

/// A probe's slot is settled before its time has passed.
#[test]
fn no_slot_is_of_the_future() {
    let mut glance = glance();
    for slo in &mut glance.slos {
        slo.watermark = Some(now() + TimeDelta::seconds(3));
    }
    let frame = top(&glance, None, now(), Room { width: 140, height: None });
    assert!(!frame.contains("in 3 s") && frame.contains("now"), "{frame}");
}

#[test]
fn in_ascii() {
    insta::assert_snapshot!(ascii(&frame(80)));
}

#[test]
fn without_an_answer() {
    let mut glance = glance();
    glance.daemon.store_trouble = Some(format!("disk full {HOSTILE}"));
    let later = now() + TimeDelta::seconds(75);
    insta::assert_snapshot!(top(
        &glance,
        Some("no daemon answers\non /run/slod.sock"),
        later,
        Room { width: 80, height: None }
    ));
}

#[test]
fn no_line_runs_over_and_nothing_steers() {
    for width in 45..200 {
        let frame = frame(width);
        assert!(frame.lines().all(|line| line.width() <= width), "{width}:\n{frame}");
        assert!(!frame.chars().any(|letter| letter.is_control() && letter != '\n'));
        assert!(ascii(&frame).is_ascii());
    }
}

#[test]
fn the_worst_come_first_and_the_rest_is_counted() {
    let whole = frame(140);
    let place = |text: &str| whole.find(text).unwrap_or_else(|| panic!("no {text}:\n{whole}"));
    assert!(
        place("dashboard-availability") < place("api-response-time")
            && place("api-response-time") < place("rop-freshness")
    );
    assert!(whole.contains("platform-pager, inventory-eng in 19 min") && whole.contains("muted"), "{whole}");
    for height in 8..30 {
        let cut = top(&glance(), None, now(), Room { width: 100, height: Some(height) });
        assert!(cut.contains("dashboard-availability") && cut.contains("9f3c01ab22d4"), "{height}");
        assert!(cut.lines().count() <= height.max(12), "{height}:\n{cut}");
        assert!(cut.contains("more objectives") || cut.contains("rop-freshness"), "{height}:\n{cut}");
    }
    let quiet = Glance { incidents: Vec::new(), slos: Vec::new(), ..glance() };
    let quiet = top(&quiet, None, at("2026-10-25T12:00:12Z"), Room { width: 80, height: None });
    assert!(quiet.contains("no objectives") && quiet.contains("no open incidents"), "{quiet}");
}
