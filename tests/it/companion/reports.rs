//! The budget report in its forms.

use slod::views::{
    render_csv::csv, render_html::html, render_markdown::markdown, render_text::text, report::BudgetReport,
};
use unicode_width::UnicodeWidthStr as _;

use super::{
    fake_desk::FakeDesk,
    fixed_data::{HOSTILE, at, report},
    get, tcp,
};

#[test]
fn as_csv() {
    insta::assert_snapshot!(csv(&report("2026-10")).replace("\r\n", "\n"));
}

#[test]
fn as_html() {
    let page = html(&report("2026-10"));
    insta::assert_snapshot!(
        page.split_once("</style>").unwrap().1.replace("<tr>", "\n<tr>").replace("<section>", "\n<section>")
    );
}

/// Every start tag is closed in order, but those that have no end; what stands between is text.
fn is_balanced(page: &str) {
    const EMPTY: [&str; 3] = ["meta", "br", "link"];
    let mut open = Vec::new();
    let body = page.strip_prefix("<!DOCTYPE html>").unwrap();
    for part in body.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap_or_else(|| panic!("<{part}"));
        assert!(!text.contains('>') || open.last() == Some(&"style"), "{text}");
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        let name = tag.split(' ').next().unwrap();
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed), "{part}");
        } else if !EMPTY.contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn html_is_one_file_valid_accessible_and_harmless() {
    let page = html(&report("2026-10"));
    is_balanced(&page);
    assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">") && page.matches("<h1>").count() == 1);
    assert!(page.contains("<title>Budget report 2026-10</title>") && page.contains("<main>"));
    let tables = page.matches("<table>").count();
    let heads = page.matches("<th ").count() + page.matches("<th>").count();
    assert!(tables >= 5 && page.matches("<caption>").count() == tables && page.matches(" scope=\"").count() == heads);
    assert_eq!(page.matches("<svg ").count(), page.matches("role=\"img\"").count());
    assert_eq!(page.matches("<svg ").count(), page.matches("aria-label=\"").count());
    for outside in
        ["<script", "<link", "<img", "<iframe", " src=", " href=", "url(", "@import", " style=", "javascript:"]
    {
        let place = page.find(outside).map(|at| &page[at..page.len().min(at + 60)]);
        assert!(place.is_none(), "{outside}: {place:?}");
    }
    assert!(!page.contains(HOSTILE) && !page.chars().any(|letter| letter.is_control() && letter != '\n'));
    assert!(page.contains("default-src &#39;none&#39;") || page.contains("default-src 'none'"));
    for rule in ["@media print", "break-before: page", "prefers-color-scheme: dark", "table-header-group"] {
        assert!(page.contains(rule), "{rule}");
    }
    for said in ["still open", "−13 %", "113 %", "no events", "1 d 16 h", "by ops-lead", "2026-10-03 01:07:00 UTC"] {
        assert!(page.contains(said), "{said}");
    }
    is_balanced(&html(&BudgetReport { services: Vec::new(), ..report("2026-10") }));
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

#[test]
fn as_text_at_80_columns() {
    insta::assert_snapshot!(text(&report("2026-10"), Some(80)));
}

#[test]
fn as_text_at_120_columns() {
    insta::assert_snapshot!(text(&report("2026-10"), Some(120)));
}

/// At any width no line runs over, no objective is left out, and a verdict has its coverage beside it.
#[test]
fn text_fits_and_says_of_how_much_it_speaks() {
    for width in 60..=200 {
        let page = text(&report("2026-10"), Some(width));
        let over = page.lines().find(|line| line.width() > usize::from(width));
        assert!(over.is_none(), "{width}: {over:?}");
        assert!(page.contains("cannot tell") && page.contains("0.04 %") && page.contains("99.8 %"), "{width}");
        assert!(!page.contains('\u{1b}') && page.matches("inventory/").count() >= 3, "{width}");
    }
    let month_is_over = BudgetReport { ends_at: at("2026-10-20T00:00:00Z"), ..report("2026-10") };
    for form in [text(&month_is_over, None), html(&month_is_over), markdown(&month_is_over), csv(&month_is_over)] {
        assert!(!form.contains("so far") && form.contains("missed"), "{form}");
    }
    for form in [text(&report("2026-10"), None), html(&report("2026-10")), markdown(&report("2026-10"))] {
        assert!(form.contains("missed so far") && form.contains("missed in the 0.04 % measured"), "{form}");
        assert!(form.contains("2 min") && form.contains("44 min 38 s") && form.contains("95.52 %"), "{form}");
        assert!(
            form.contains("5 stretches, 1 h 12 min together") && form.contains("and 3 more, 2 min together"),
            "{form}"
        );
    }
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
