//! The head of an incident's page: what is wrong in the source's words, since when, and where to go on.

use slod::views::incident::{IncidentView, TimelineView};

use super::{fake_desk::FakeDesk, fixed_data::at, get_as, tcp};

async fn head(desk: FakeDesk) -> String {
    let page = get_as(&tcp(desk), "/incident/7", "text/html").await;
    assert_eq!(page.status.as_u16(), 200, "{}", page.text);
    let from = page.text.find("<p class=\"lead\">").unwrap();
    let to = page.text.find("class=\"changes\"").unwrap_or(page.text.len());
    page.text[from..to].to_owned()
}

fn source_own(incident: &mut IncidentView) {
    (incident.service, incident.slo, incident.source) = (None, None, Some("prometheus".into()));
    incident.series.clear();
}

fn gone(incident: &mut IncidentView) {
    incident.slo = Some("no-more".into());
}

fn reopened(incident: &mut IncidentView) {
    let lines = ["2026-10-25T11:52:00Z", "2026-10-25T12:00:09Z"].map(at);
    for (at, kind) in lines.into_iter().zip(["resolved", "reopened"]) {
        incident.timeline.push(TimelineView { at, kind: kind.into(), text: String::new() });
    }
}

#[tokio::test]
async fn it_says_what_is_wrong_and_since_when() {
    let head = head(FakeDesk { runbook: Some("https://wiki.example/run?a=1&b"), ..FakeDesk::default() }).await;
    for said in [
        "<a href=\"https://wiki.example/run?a=1&amp;b\" rel=\"noreferrer\">Runbook</a>",
        "<a href=\"/slo/inventory/api-response-time?shop=",
        "<a href=\"/inventory/health\">Service ",
        "Last answer: </strong><bdi>good (3) is more than total (2) ",
        "2 bad slots in a row, the first began at 2026-10-25 06:00:00 UTC (",
    ] {
        assert!(head.contains(said), "{said}: {head}");
    }
    assert!(!head.contains("opened again"), "{head}");
}

/// Only pages are linked, what the configuration has no more is left out, and what is over shows nothing of now.
#[tokio::test]
async fn it_leaves_out_what_there_is_not() {
    let plain = head(FakeDesk::default()).await;
    assert!(!plain.contains("Runbook") && plain.contains(">Service "), "{plain}");
    let left = head(FakeDesk { turned: Some(gone), ..FakeDesk::default() }).await;
    assert!(!left.contains("/slo/") && !left.contains("Last answer") && !left.contains("in a row"), "{left}");
    let over = head(FakeDesk { over: true, ..FakeDesk::default() }).await;
    assert!(over.contains("/slo/") && !over.contains("Last answer") && !over.contains("in a row"), "{over}");
}

#[tokio::test]
async fn a_sources_own_says_its_error() {
    let own = head(FakeDesk { turned: Some(source_own), ..FakeDesk::default() }).await;
    assert!(own.contains("Last answer: ") && own.contains("&lt;script"), "{own}");
    assert!(!own.contains(">Service "), "{own}");
}

#[tokio::test]
async fn one_that_opened_again_says_when() {
    let again = head(FakeDesk { turned: Some(reopened), ..FakeDesk::default() }).await;
    assert!(again.contains("opened again 3 s ago, first opened 10 min"), "{again}");
}
