//! Tables that tell the most first, and words that are right for one and for none.

use super::{fake_desk::FakeDesk, get_as, tcp};

async fn page(path: &str) -> String {
    get_as(&tcp(FakeDesk::default()), path, "text/html").await.text
}

#[tokio::test]
async fn incidents_stand_before_work_and_work_before_annotations() {
    let page = page("/slo/inventory/api-response-time").await;
    let part = &page[page.find("<caption>What happened in the window").unwrap()..];
    let place = |cell: &str| part.find(cell).unwrap_or_else(|| panic!("no {cell}: {part}"));
    let order = [
        place("2026-10-25 11:50:00"),
        place("2026-10-20 12:00:00"),
        place("2026-10-01 01:00:00"),
        place("2026-10-25 11:48:00"),
        place("2026-10-25 11:46:00"),
    ];
    assert!(order.is_sorted(), "{order:?}");
    assert!(page.contains("class=\"chart all\""), "{page}");
}

#[tokio::test]
async fn corrections_are_rows() {
    let page = page("/inventory/budget").await;
    let part = &page[page.find("Corrections of inventory/api-response-time</caption>").unwrap()..];
    let row = part.split("</table>").next().unwrap();
    for said in [">−12</data>", ">0</data>", ">ops-lead</bdi>", "2026-10-20 12:00:00 UTC", "2026-10-21 08:00:00 UTC"]
    {
        assert!(row.contains(said), "{said}: {row}");
    }
    assert!(!row.contains("<dl>"), "{row}");
}

#[tokio::test]
async fn what_is_not_so_is_not_said() {
    let noise = page("/inventory/optimization").await;
    assert!(!noise.contains("only the newest are counted: ") && !noise.contains("0 of the 1 days"), "{noise}");
}

#[tokio::test]
async fn a_percentage_does_not_break() {
    let overview = page("/").await;
    assert!(overview.contains("as measured; <span class=\"whole\">if good 46.3 %</span>"), "{overview}");
    let css = page("/assets/slod.css").await;
    assert!(css.contains("data, .whole { white-space: nowrap; }"));
}
