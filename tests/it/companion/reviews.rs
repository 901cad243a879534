//! The review of a month and a reminder, as they are put into words.

use chrono::TimeDelta;
use serde_json::json;
use slod::{
    domain::bulletin::{Bulletin, Mark},
    views::{
        almanac::Almanac,
        reminder::{Check, Finding, reminder},
        review::{Review, review},
        when::When,
    },
};

use super::{
    fake_desk::FakeDesk,
    fixed_data::{at, report},
};

fn when(late: bool, missed: usize) -> When {
    When {
        key: "report/monthly-review@1793523600".into(),
        due_at: at("2026-11-01T09:00:00Z"),
        decided_at: at("2026-11-01T09:00:01Z"),
        late,
        missed,
    }
}

/// All but the data for machines.
fn words(bulletin: &Bulletin) -> serde_json::Value {
    let mut value = json!(bulletin);
    value.as_object_mut().unwrap().remove("data");
    value
}

async fn monthly(is_over: bool, when: When) -> Bulletin {
    let (report, noise) = (report("2026-10"), FakeDesk::default().noise(90, None).await.unwrap());
    let external_url = "https://slod.example";
    review(&Review { name: "monthly-review", report: &report, noise: &noise, is_over, when, external_url })
}

#[tokio::test]
async fn a_month_in_review() {
    let bulletin = monthly(true, when(false, 0)).await;
    insta::assert_json_snapshot!(words(&bulletin));
    assert_eq!(bulletin.data["budget"]["month"], "2026-10");
    assert_eq!(bulletin.data["noise"]["policies"].as_array().unwrap().len(), 1, "of its services alone");
}

#[tokio::test]
async fn what_is_late_or_not_over_says_so() {
    let bulletin = monthly(false, when(true, 3)).await;
    let said = bulletin.lines.join("\n");
    assert!(
        said.contains("Late: it was due at 2026-11-01 09:00:00 UTC") && said.contains("3 times before it"),
        "{said}"
    );
    assert!(said.contains("2026-10 has not ended yet in Europe/Paris"), "{said}");
    assert!(bulletin.late && bulletin.headline.chars().count() <= 80, "{}", bulletin.headline);
    let nothing = slod::views::report::BudgetReport { services: Vec::new(), ..report("2026-10") };
    let noise = FakeDesk::default().noise(90, None).await.unwrap();
    let (name, external_url) = ("monthly-review", "https://slod.example");
    let empty =
        review(&Review { name, report: &nothing, noise: &noise, is_over: true, when: when(false, 0), external_url });
    assert_eq!((empty.headline.as_str(), empty.tables.len()), ("2026-10 0 services: no objectives", 0));
}

#[test]
fn a_reminder_says_what_its_check_found() {
    let finding = |name: &str, word: &str, text: &str| Finding {
        ok: word == "ok",
        word: word.into(),
        name: name.into(),
        text: text.into(),
    };
    let check = Check {
        findings: vec![
            finding("source prometheus", "ok", "answers"),
            finding("SLO shop/front (slo.yaml:52)", "failed", "no such bucket"),
            finding("receiver team", "no answer", "connection refused"),
        ],
        took: TimeDelta::milliseconds(1_250),
        config_hash: "0f1e2d3c4b5a69788796".into(),
    };
    let text = "Validate the credentials.\n\nThen tell the lead.";
    let bulletin = reminder("quarterly", text, Some(&check), when(true, 1), "https://slod.example");
    insta::assert_json_snapshot!(words(&bulletin));
    assert_eq!(bulletin.data["check"]["ok"], false);
    let fine = Check { findings: check.findings[..1].to_vec(), ..check };
    let bulletin = reminder("quarterly", text, Some(&fine), when(false, 0), "https://slod.example");
    assert_eq!(bulletin.headline, "checked: all 1 ok: Validate the credentials.");
    assert_eq!(bulletin.tables[0].rows[0].mark, Mark::Good);
    let plain = reminder("quarterly", text, None, when(false, 0), "https://slod.example");
    assert_eq!((plain.headline.as_str(), plain.tables.len()), ("Validate the credentials.", 0));
    assert!(plain.data["check"].is_null());
}
