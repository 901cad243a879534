//! The budget report in its forms.

use slod::views::{render_csv::csv, render_markdown::markdown, render_text::text};

use super::{fake_desk::FakeDesk, fixed_data::report, get, tcp};

#[test]
fn as_csv() {
    insta::assert_snapshot!(csv(&report("2026-10")).replace("\r\n", "\n"));
}

#[test]
fn as_markdown() {
    insta::assert_snapshot!(markdown(&report("2026-10")));
}

#[test]
fn as_text() {
    insta::assert_snapshot!(text(&report("2026-10"), None));
}

#[test]
fn as_text_on_a_narrow_terminal() {
    let narrow = text(&report("2026-10"), Some(60));
    let table: Vec<&str> =
        narrow.lines().skip_while(|line| !line.contains("SLO")).take_while(|line| !line.contains("incident")).collect();
    assert!(table.iter().all(|line| line.chars().count() <= 60), "{narrow}");
    assert!(!narrow.contains('\u{1b}'));
}

#[tokio::test]
async fn the_api_gives_the_same_texts() {
    let router = tcp(FakeDesk::default());
    let mut sheet = get(&router, "/api/v1/budget?format=csv").await;
    assert_eq!(sheet.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(sheet.header("content-disposition"), "attachment; filename=\"budget-2026-10.csv\"");
    assert_eq!(std::mem::take(&mut sheet.text), csv(&report("2026-10")));
    let document = get(&router, "/api/v1/budget?format=markdown").await;
    assert_eq!(document.header("content-type"), "text/markdown; charset=utf-8");
    assert_eq!(document.text, markdown(&report("2026-10")));
    assert_eq!(get(&router, "/api/v1/budget?format=json").await.json()["month"], "2026-10");
}
