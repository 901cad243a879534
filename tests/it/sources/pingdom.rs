//! Pingdom's seconds of up and down, and servers that only look like it.

use std::time::Duration;

use slod::{
    config::{
        model::{Indicator, SourceKind},
        secret::Secret,
    },
    domain::slot::Span,
    source::{Question, SharedSource, SourceError},
};
use testbed::ports::free_port;

use super::{
    LIMIT, asking,
    evil::{Evil, EvilServer, whole},
    main_source, number_query, only,
    pingdom_mock::{CHECK, Pingdom, TOKEN},
    ratio_of_one, shown,
};

const SLOT: Span = Span { start: 1_767_268_800, end: 1_767_269_100 };

fn source(url: &str, token: &str) -> SharedSource {
    only(SourceKind::Pingdom { token: Secret::new(token), url: url.to_owned() })
}

fn check(check: u64) -> Indicator {
    Indicator::Pingdom { source: main_source(), check }
}

#[tokio::test]
async fn exact_seconds_of_each_slot() {
    let mock = Pingdom::start().await;
    let source = source(&mock.url(), TOKEN);
    let one = check(CHECK);
    let start = SLOT.start;
    for (states, expected) in [
        (vec![("up", 0, i64::MAX / 2)], "300/300"),
        (vec![("up", 0, start + 100), ("down", start + 100, start + 101), ("up", start + 101, start + 900)], "299/300"),
        (vec![("down", 0, start + 900)], "0/300"),
        (vec![("up", 0, start + 60), ("unknown", start + 60, start + 900)], "60/60"),
        (vec![("unknown", 0, start + 900)], "no data"),
        (vec![], "not yet"),
        (vec![("up", 0, start + 299)], "not yet"),
        (
            vec![("up", 0, start + 200), ("down", start + 150, start + 900)],
            "fault: the check has two states at once, at 1767268950",
        ),
    ] {
        mock.set(&states);
        assert_eq!(shown(&source.read(asking(&one, SLOT), SLOT, LIMIT).await), expected, "{states:?}");
    }
    // Nothing is asked after what the slot was asked for; what is not known yet is known the next time.
    mock.asked();
    mock.set(&[("up", 0, start + 600)]);
    assert_eq!(shown(&source.read(asking(&one, SLOT), SLOT, LIMIT).await), "300/300");
    let asked = format!("/api/3.1/summary.outage/{CHECK}?from={start}&to={}&order=asc", SLOT.end);
    assert_eq!((mock.asked(), mock.problems()), (vec![asked], vec![]));
}

#[tokio::test]
async fn a_month_is_one_request() {
    let mock = Pingdom::start().await;
    let source = source(&mock.url(), TOKEN);
    let one = check(CHECK);
    let question = |every| Question { indicator: &one, per: &[], every, max_series: 1 };
    let reach = |every| source.reach(question(every));
    assert_eq!([reach(1), reach(60), reach(300), reach(3_600), reach(10_000_000)], [10_000, 10_000, 8_640, 720, 1]);

    let first = SLOT.start / 300;
    let month = Span { start: SLOT.start, end: SLOT.start + 8_640 * 300 };
    let mut states = vec![("up", 0, month.start)];
    // Down for a while every day, longer every day, and not watched for an hour after it.
    for day in 0..30 {
        let start = month.start + day * 86_400;
        states.push(("down", start, start + 17 * (day + 1)));
        states.push(("unknown", start + 17 * (day + 1), start + 17 * (day + 1) + 3_600));
        states.push(("up", start + 17 * (day + 1) + 3_600, start + 86_400));
    }
    mock.set(&states);
    mock.asked();
    let answer = source.read(question(300), month, LIMIT).await.unwrap();
    assert_eq!(mock.asked().len(), 1);
    assert_eq!(answer.slots.len(), 8_640);
    let (mut up, mut down) = (0.0, 0.0);
    for (at, slot) in answer.slots.iter().enumerate() {
        assert_eq!(slot.slot, first + at as i64);
        if let slod::domain::slot::Reading::Events { good, total, .. } = slot.reading {
            (up, down) = (up + good, down + total - good);
        }
        if at % 997 == 0 {
            let alone = Span::slot(slot.slot, 300);
            let alone = source.read(question(300), alone, LIMIT).await.unwrap();
            assert_eq!(alone.slots, std::slice::from_ref(slot), "the same alone and with others");
        }
    }
    let total_down = f64::from(17 * (30 * 31 / 2));
    assert_eq!((down, up + down), (total_down, f64::from(30 * (86_400 - 3_600))));
}

#[tokio::test]
async fn errors_have_names() {
    let mock = Pingdom::start().await;
    mock.set(&[("up", 0, i64::MAX / 2)]);
    let target = mock.url().replace("http://", "");
    let one = check(CHECK);
    let fine = source(&mock.url(), TOKEN);
    assert_eq!(fine.ping(LIMIT).await, Ok(()));
    let stranger = source(&mock.url(), "another");
    let error = stranger.read(asking(&one, SLOT), SLOT, LIMIT).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{target} cannot answer: the token is not accepted (status 401 Unauthorized)")
    );
    assert!(error.is_blinding());
    assert_eq!(stranger.ping(LIMIT).await, Err(error));
    let error = fine.read(asking(&check(7), SLOT), SLOT, LIMIT).await.unwrap_err();
    assert_eq!(error, SourceError::Refused("check 7 does not exist".to_owned()));

    let found = fine.inspect(asking(&one, SLOT), SLOT, LIMIT).await;
    assert_eq!(
        found.as_deref(),
        Ok("check 1234567 `Shop front` (http, tested every 1 min, up): up 300 s of 300 s in the last slot")
    );
    mock.set(&[]);
    let found = fine.inspect(asking(&one, SLOT), SLOT, LIMIT).await;
    assert_eq!(
        found.as_deref(),
        Ok("check 1234567 `Shop front` (http, tested every 1 min, up): the last slot is not known yet")
    );
    assert_eq!(fine.inspect(asking(&check(7), SLOT), SLOT, LIMIT).await, Err("check 7 does not exist".to_owned()));

    let per = ["zone".to_owned()];
    let question = Question { per: &per, ..asking(&one, SLOT) };
    assert_eq!(shown(&fine.read(question, SLOT, LIMIT).await), "refused: a check is one series: take out `per`");
    let other = ratio_of_one();
    assert_eq!(
        shown(&fine.read(asking(&other, SLOT), SLOT, LIMIT).await),
        "refused: a pingdom source cannot be asked for this indicator"
    );
    assert!(matches!(fine.number(&number_query("1"), 0, LIMIT).await, Err(SourceError::Refused(_))));
    assert_eq!(mock.problems(), [""; 0]);
}

#[tokio::test]
async fn a_spent_limit_is_not_asked_against() {
    let mock = Pingdom::start().await;
    mock.set(&[("up", 0, i64::MAX / 2)]);
    let one = check(CHECK);
    let source = source(&mock.url(), TOKEN);
    mock.spend(Some(3_589));
    let error = source.read(asking(&one, SLOT), SLOT, LIMIT).await.unwrap_err();
    let target = mock.url().replace("http://", "");
    assert_eq!(error.to_string(), format!("{target} cannot answer: the limit of requests is reached, until in 3589 s"));
    assert!(error.is_blinding());
    mock.spend(None);
    // Until then nothing is sent: neither questions nor pings.
    for _ in 0..3 {
        let said = shown(&source.read(asking(&one, SLOT), SLOT, LIMIT).await);
        assert!(said.contains("the limit of requests is reached, until in 358"), "{said}");
        assert!(source.ping(LIMIT).await.is_err());
    }
    assert_eq!(mock.asked().len(), 1);
}

#[tokio::test]
async fn servers_that_are_not_pingdom() {
    let short = Duration::from_millis(500);
    let fine = r#"{"summary":{"states":[]}}"#;
    for (evil, expected) in [
        (Evil::says("200 OK", "", "<html>hello</html>"), "unreadable answer: expected value at line 1 column 1"),
        (
            Evil::says("200 OK", "", r#"{"summary":{}}"#),
            "unreadable answer: missing field `states` at line 1 column 13",
        ),
        (Evil::says("200 OK", "", ""), "unreadable answer: EOF while parsing a value at line 1 column 0"),
        (Evil::says("200 OK", "content-length: 99999999\r\n", ""), "unreachable"),
        (Evil::Says(format!("HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n{fine}")), "answer over 8388608 bytes"),
        (Evil::Endless, "answer over 8388608 bytes"),
        (Evil::Drips, "no answer within 500ms"),
        (Evil::Stalls, "no answer within 500ms"),
        (Evil::Says("\u{1}".to_owned()), "unreachable"),
        (
            Evil::says("302 Found", "location: http://127.0.0.1:1/\r\n", fine),
            "{target} cannot answer: status 302 Found, which is not followed",
        ),
        (Evil::says("204 No Content", "", ""), "{target} cannot answer: status 204 No Content"),
        (
            Evil::says("500 Internal Server Error", "", "oops"),
            "{target} cannot answer: status 500 Internal Server Error",
        ),
        (
            Evil::says(
                "503 Service Unavailable",
                "",
                r#"{"error":{"errormessage":"down\n for SECRET-pingdom\u0007 "}}"#,
            ),
            "{target} cannot answer: status 503 Service Unavailable: down for …",
        ),
        (
            Evil::says("403 Forbidden", "", r#"{"error":{"errormessage":"SECRET-pingdom is not yours"}}"#),
            "{target} cannot answer: the token may not read this (status 403 Forbidden)",
        ),
        (
            Evil::says("400 Bad Request", "", &format!(r#"{{"error":{{"errormessage":"{}"}}}}"#, "no ".repeat(1_000))),
            "the question is refused: no no",
        ),
        (
            Evil::says("429 Too Many Requests", "retry-after: 999999999999\r\n", ""),
            "{target} cannot answer: the limit of requests is reached, until in 3600 s",
        ),
        (
            Evil::says("429 Too Many Requests", "req-limit-short: Remaining: 0 Time until reset: 0\r\n", ""),
            "{target} cannot answer: the limit of requests is reached, until in 1 s",
        ),
        (
            Evil::Dawdles(Duration::from_millis(50), whole("200 OK", "", r#"{"summary":{"states":[{"status":7}]}}"#)),
            "unreadable answer: invalid type: integer `7`, expected a string at line 1 column 33",
        ),
    ] {
        let server = EvilServer::start(evil.clone()).await;
        let target = server.url().replace("http://", "");
        let source = source(&server.url(), TOKEN);
        let error = source.read(asking(&check(CHECK), SLOT), SLOT, short).await.unwrap_err();
        let said = error.to_string();
        assert!(!said.contains(TOKEN) && said.len() < 300, "{said}");
        let expected = expected.replace("{target}", &target);
        let fits = said.starts_with(&expected) || (expected == "unreachable" && said.starts_with("cannot reach "));
        assert!(fits, "{evil:?}: {said}");
        let asked = server.asked.lock().unwrap().join("");
        assert!(asked.contains(&format!("GET /api/3.1/summary.outage/{CHECK}?from=")), "{asked}");
    }
    let nobody = source(&format!("http://127.0.0.1:{}", free_port().unwrap()), TOKEN).ping(LIMIT).await.unwrap_err();
    assert!(matches!(&nobody, SourceError::Unreachable { why, .. } if why == "connection refused"), "{nobody}");
    let list = EvilServer::start(Evil::says("200 OK", "", "{}")).await;
    let error = source(&list.url(), TOKEN).ping(LIMIT).await.unwrap_err();
    assert_eq!(error, SourceError::Unreadable("no list of checks".to_owned()));
}
