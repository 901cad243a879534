//! What the reading pages promise: selections, sizes, forms.

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use tower::ServiceExt as _;

use super::{Answer, fake_desk::FakeDesk, get, get_as, tcp};

/// All pages that only show.
const PAGES: [&str; 6] = [
    "/",
    "/inventory/health",
    "/inventory/optimization",
    "/inventory/budget",
    "/slo/inventory/api-response-time",
    "/sources",
];

async fn page(router: &Router, path: &str) -> Answer {
    get_as(router, path, "text/html").await
}

/// How many bytes go over the wire to a browser.
async fn weight(router: &Router, path: &str) -> usize {
    let request = Request::get(path).header("accept", "text/html").header("accept-encoding", "gzip");
    let response = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.headers().get("content-encoding").map(axum::http::HeaderValue::as_bytes), Some(&b"gzip"[..]));
    to_bytes(response.into_body(), 16 << 20).await.unwrap().len()
}

/// The service levels of a page's table, in order.
fn rows(html: &str) -> Vec<String> {
    let titles = html.split(".title\">").skip(1).filter_map(|rest| rest.split_once("</bdi></a>"));
    titles.map(|(title, _)| title.split_whitespace().last().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn the_overview_is_selected_and_sorted_by_links() {
    let router = tcp(FakeDesk { many: 10, ..FakeDesk::default() });
    for (query, first, many) in [
        ("", "8", 12),
        ("?state=exhausted", "2", 2),
        ("?state=exhausted&q=LEVEL%207", "7", 1),
        ("?q=level", "8", 10),
        ("?service=quiet", "", 0),
        ("?service=inventory&sort=name&q=level", "0", 10),
        ("?sort=-name&q=level", "9", 10),
        ("?sort=budget&q=level", "8", 10),
        ("?sort=-budget&q=level", "8", 10),
    ] {
        let html = page(&router, &format!("/{query}")).await.text;
        let rows = rows(&html);
        let found: Vec<_> = rows.iter().take(many).collect();
        assert_eq!(html.matches("<tr><th scope=\"row\">").count(), many, "{query}");
        assert_eq!(found.first().map_or("", |row| row.as_str()), first, "{query}: {rows:?}");
    }
    let html = page(&router, "/?sort=sli").await.text;
    assert!(html.contains("aria-sort=\"ascending\"") && html.contains("href=\"/?sort=-sli\""), "{html}");
    assert_eq!(html.matches("aria-sort").count(), 1);
    let html = page(&router, "/?sort=-sli&state=ok").await.text;
    assert!(html.contains("aria-sort=\"descending\"") && html.contains("href=\"/?state=ok&amp;sort=sli\""), "{html}");
}

#[tokio::test]
async fn what_is_not_there_is_answered_by_what_is() {
    let router = tcp(FakeDesk::default());
    for (path, status, says) in [
        ("/?state=fine", 400, "blind, exhausted, burning, empty, ok"),
        ("/?service=nope", 400, "inventory, quiet"),
        ("/?sort=colour", 400, "budget, -budget"),
        ("/?colour=red", 400, "state, service, q, sort, embed"),
        ("/?embed=yes", 400, "use 0, 1"),
        ("/inventory/budget?month=2026-07", 404, "there are the months from 2026-08 to 2026-10"),
        ("/inventory/budget?month=2026-11", 404, "there are the months from 2026-08 to 2026-10"),
        ("/inventory/budget?month=now", 400, "month=2026-10"),
    ] {
        let answer = page(&router, path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        assert!(answer.text.contains(says), "{path}: {}", answer.text);
        assert_eq!(get(&router, path).await.status.as_u16(), status, "{path}");
    }
    let html = page(&router, "/inventory/budget?month=2026-08").await.text;
    assert!(html.contains("month=2026-09") && !html.contains("month=2026-07"), "{html}");
    let html = page(&router, "/inventory/budget").await.text;
    assert!(html.contains("month=2026-09") && !html.contains("month=2026-11"));
    assert!(html.contains("month=2026-10&amp;service=inventory&amp;format=csv"));
}

#[tokio::test]
async fn old_figures_are_called_old() {
    let fresh = page(&tcp(FakeDesk::default()), "/").await.text;
    assert!(fresh.contains("Judged <time") && !fresh.contains("Not fresh") && !fresh.contains("stale"));
    let old = page(&tcp(FakeDesk { stale: true, ..FakeDesk::default() }), "/").await.text;
    assert!(old.contains("Not fresh") && old.contains("◌ stale"), "{old}");
}

#[tokio::test]
async fn the_overview_says_what_comes_next() {
    let html = page(&tcp(FakeDesk::default()), "/").await.text;
    assert!(
        html.contains("<a href=\"/incident/7\">P1 open</a>") && html.contains("next <bdi>platform-pager"),
        "{html}"
    );
    assert!(html.contains("title=\"2026-10-25 12:20:00 UTC\""));
    // without the store the figures are still there
    let html = page(&tcp(FakeDesk { store_is_gone: true, ..FakeDesk::default() }), "/").await;
    assert_eq!(html.status, StatusCode::OK);
}

#[tokio::test]
async fn pages_are_light() {
    let router = tcp(FakeDesk { many: 48, slots: 43_200, ..FakeDesk::default() });
    let overview = weight(&router, "/").await;
    assert!(overview <= 60_000, "{overview} bytes");
    let whole = page(&router, "/slo/inventory/api-response-time").await.text.len();
    assert!(whole <= 100_000, "{whole} bytes");
    let many = page(&tcp(FakeDesk { many: 498, ..FakeDesk::default() }), "/").await;
    assert_eq!(many.text.matches("<tr><th scope=\"row\">").count(), 500);
}

#[tokio::test]
async fn charts_can_be_read_without_seeing_them() {
    let router = tcp(FakeDesk { slots: 30_000, ..FakeDesk::default() });
    let html = page(&router, "/slo/inventory/api-response-time").await.text;
    let charts = html.matches("<figure class=\"chart\"").count();
    assert_eq!(charts, 3, "budget, SLI, percentile");
    for part in ["role=\"img\" aria-labelledby=", "The numbers behind it", "<desc id=", "<title id="] {
        assert_eq!(html.matches(part).count(), charts, "{part}");
    }
    // the time after the last slot is hatched
    assert!(html.contains("class=\"unknown\"") && html.contains("not measured: 2026-10-"), "{html}");
    for mark in ["incident", "planned", "correction"] {
        assert!(html.contains(&format!("class=\"{mark}\"")), "{mark}");
    }
    assert!(
        html.contains("https://prometheus.example/graph?g0.expr=x%7Ba%3D%22b%22%7D") && html.contains("slo.yaml:52")
    );
}

#[tokio::test]
async fn a_wallboard_has_nothing_around_it() {
    let router = tcp(FakeDesk::default());
    for path in ["/", "/inventory/health", "/slo/inventory/api-response-time"] {
        let html = page(&router, &format!("{path}?embed=1")).await.text;
        assert!(html.contains("http-equiv=\"refresh\"") && html.contains("<body class=\"embed\""), "{path}");
        assert!(!html.contains("<header>") && !html.contains("<footer>") && !html.contains("<script"), "{path}");
        assert!(!page(&router, path).await.text.contains("http-equiv"), "{path}");
    }
}

#[tokio::test]
async fn every_page_has_both_forms_and_says_what_it_is() {
    let router = tcp(FakeDesk::default());
    for path in PAGES {
        assert!(get_as(&router, path, "application/json").await.json().is_object(), "{path}");
        let html = page(&router, path).await.text;
        assert!(html.contains("property=\"og:title\""), "{path}");
        let described = html.contains("property=\"og:description\"");
        assert!(described || path == "/sources", "{path}");
        // wide things move in a region of their own that keys can reach
        let wide = html.matches("class=\"scroll\"").count();
        assert_eq!(html.matches("class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=").count(), wide, "{path}");
    }
}

#[tokio::test]
async fn icon_and_badge_tell_the_state_without_colour() {
    let icon = |desk: FakeDesk| async move { get(&tcp(desk), "/favicon.svg").await };
    let burning = icon(FakeDesk::default()).await;
    assert!(burning.text.contains("<title>slod: burning</title>"), "{}", burning.text);
    assert_eq!(burning.header("content-type"), "image/svg+xml");
    let blind = icon(FakeDesk { many: 10, ..FakeDesk::default() }).await;
    assert!(blind.text.contains("<title>slod: blind</title>") && blind.text != burning.text);
    let badge = get(&tcp(FakeDesk::default()), "/badge/inventory/api-response-time.svg").await.text;
    assert!(badge.contains("▲ burning · 46 % left") && badge.contains("46.2 % of the error budget left"), "{badge}");
}

#[tokio::test]
async fn the_script_is_our_own_and_builds_nothing_from_text() {
    let router = tcp(FakeDesk::default());
    let script = get(&router, "/assets/slod.js").await;
    assert!(script.header("content-type").starts_with("text/javascript"));
    for forbidden in ["innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "document.write", "http://", "https://"]
    {
        assert!(!script.text.contains(forbidden), "{forbidden}");
    }
    let policy = script.header("content-security-policy").to_owned();
    assert!(
        policy.contains("script-src 'self'") && policy.contains("default-src 'none'") && !policy.contains("unsafe")
    );
}

#[tokio::test]
async fn the_past_is_told_with_its_reasons() {
    let html = page(&tcp(FakeDesk::default()), "/inventory/optimization").await.text;
    for said in [
        "It may be tighter: 95 % held at the end of 61 of 61 days, 99 % would have held on 61",
        "(present)",
        "Slots whose reading",
    ] {
        assert!(html.contains(said), "{said}: {html}");
    }
}
