//! Logging in and out: who gets a session, what it is worth, and when it ends.

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use slod::{
    http::{Surface, router},
    views::desk::Action,
};
use tower::ServiceExt as _;

use super::{
    browser::{Browser, encoded, hidden},
    companion,
    fake_desk::FakeDesk,
    get, get_as, post,
};

const ACK: &str = "/incident/7/acknowledge";

/// What is tried, its headers and body, and what is answered.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], String, u16, &'a str);

fn acts(browser: &Browser) -> usize {
    browser.desk.acts.lock().unwrap().len()
}

#[tokio::test]
async fn a_person_logs_in_acts_and_logs_out() {
    let mut browser = Browser::new(FakeDesk::default());
    let page = browser.get("/login?next=%2Fincident%2F7").await;
    assert_eq!((page.status, page.header("referrer-policy")), (StatusCode::OK, "same-origin"));
    assert!(page.text.contains("<label for=\"token\">") && page.text.contains("<label for=\"name\">"));
    assert!(!page.text.contains("Log out"));
    let form = encoded(&[("name", " ann "), ("token", "acts"), ("next", &hidden(&page.text, "next"))]);
    let answer = browser.raw("/login", &[("origin", "http://127.0.0.1:9720")], form).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/incident/7"));
    let cookie = answer.header("set-cookie").to_owned();
    assert!(cookie.starts_with("slod=") && cookie.ends_with("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict"));
    browser.keep(&answer);
    let page = browser.get("/incident/7").await.text;
    browser.csrf = hidden(&page, "csrf");
    assert!(page.contains("<bdi>ann</bdi>") && page.contains("Log out"));
    assert!(!page.contains(&cookie[5..69]), "no page shows the session's key");
    let answer = browser.submit(ACK, &[]).await;
    assert_eq!(answer.header("location"), "/incident/7?done=acknowledged#result");
    assert_eq!(browser.desk.acts.lock().unwrap()[..], [("7".to_owned(), Action::Acknowledge, "ann".to_owned())]);

    let out = browser.submit("/logout", &[]).await;
    assert_eq!((out.status, out.header("location")), (StatusCode::SEE_OTHER, "/login"));
    assert!(out.header("set-cookie").starts_with("slod=; Path=/; Max-Age=0"));
    // Whoever has kept the cookie has nothing.
    assert_eq!(browser.submit(ACK, &[]).await.status, StatusCode::UNAUTHORIZED);
    assert!(browser.get("/").await.text.contains("href=\"/login\""));
    assert_eq!(acts(&browser), 1);
}

#[tokio::test]
async fn what_forms_must_carry() {
    let ann = Browser::logged_in(FakeDesk::default(), "acts").await;
    let mut bob = ann.beside();
    bob.log_in("owns").await;
    let mut eve = ann.beside();
    eve.log_in("acts").await;
    eve.submit("/logout", &[]).await;
    let same: &[(&str, &str)] = &[("sec-fetch-site", "same-origin")];
    let fine = |csrf: &str| encoded(&[("csrf", csrf), ("once", "1")]);
    let json = [("content-type", "application/json"), ("sec-fetch-site", "same-origin")];
    let text = [("content-type", "text/plain"), ("sec-fetch-site", "same-origin")];
    let cases: &[Case<'_>] = &[
        ("no proof", same, encoded(&[("once", "1")]), 403, "does not belong to your log-in"),
        ("forged", same, fine(&"0".repeat(64)), 403, "does not belong"),
        ("no digits", same, fine("né"), 403, "does not belong"),
        ("cut", same, fine(&ann.csrf[..60]), 403, "does not belong"),
        ("another session's", same, fine(&bob.csrf), 403, "does not belong"),
        ("of a session that is over", same, fine(&eve.csrf), 403, "does not belong"),
        ("cross-site", &[("sec-fetch-site", "cross-site")], fine(&ann.csrf), 403, "not sent from a page of slod"),
        ("same-site", &[("sec-fetch-site", "same-site")], fine(&ann.csrf), 403, "not sent from a page"),
        ("origin", &[("origin", "https://evil.example")], fine(&ann.csrf), 403, "not sent from a page"),
        ("origin null", &[("origin", "null")], fine(&ann.csrf), 403, "not sent from a page"),
        ("JSON", &json, r#"{"by":"x"}"#.to_owned(), 415, "takes a form"),
        ("text", &text, fine(&ann.csrf), 415, "takes a form"),
        ("no UTF-8", same, format!("csrf={}&once=1&text=%FF%FE", ann.csrf), 400, "UTF-8"),
        ("twice", same, format!("csrf={}&csrf={}", ann.csrf, ann.csrf), 400, "twice"),
        ("no once", same, encoded(&[("csrf", &ann.csrf)]), 400, "not whole"),
        ("long", same, format!("{}&text={}", fine(&ann.csrf), "a".repeat(300_000)), 413, "larger than 256 KiB"),
        ("very long", same, "a".repeat(2_000_000), 413, "larger than"),
    ];
    for (what, headers, body, status, said) in cases {
        let answer = ann.raw(ACK, headers, body.clone()).await;
        assert_eq!(answer.status.as_u16(), *status, "{what}: {}", answer.text);
        assert!(answer.text.contains(said), "{what}: {}", answer.text);
    }
    assert_eq!(acts(&ann), 0);
    // Without anything of a browser's, the proof is enough.
    assert_eq!(ann.raw(ACK, &[], fine(&ann.csrf)).await.status, StatusCode::SEE_OTHER);
    assert_eq!(bob.submit(ACK, &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(acts(&ann), 2);
}

#[tokio::test]
async fn who_has_no_session_is_sent_to_log_in() {
    let browser = Browser::new(FakeDesk::default());
    let mut forger = browser.beside();
    for cookie in ["slod=", "slod=1", &format!("slod={}", "0".repeat(64)), "__Host-slod=x", "slod=\u{fffd}"] {
        forger.cookie = Some(cookie.to_owned());
        let answer = forger.submit(ACK, &[]).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{cookie}");
        assert!(answer.text.contains("href=\"/login?next=%2Fincident%2F7\""), "{}", answer.text);
    }
    let page = browser.get("/incident/7").await.text;
    assert!(page.contains("href=\"/login?next=%2Fincident%2F7\"") && !page.contains("<form"), "{page}");
    assert_eq!(acts(&browser), 0);
}

/// A daemon that was killed has forgotten log-ins and forms, but not what it had written.
#[tokio::test]
async fn a_form_of_a_lost_session_leads_to_what_it_was_about() {
    let before = Browser::logged_in(FakeDesk::default(), "acts").await;
    let mut after = Browser::new(FakeDesk::default());
    after.cookie.clone_from(&before.cookie);
    after.csrf.clone_from(&before.csrf);
    let lost = after.submit("/incident/7/note", &[("text", "once more")]).await;
    // Logged in again elsewhere, and the old form is sent again.
    let stale = {
        let mut again = after.beside();
        again.log_in("acts").await;
        again.csrf.clone_from(&before.csrf);
        again.submit("/incident/7/note", &[("text", "once more")]).await
    };
    for (answer, status) in [(lost, StatusCode::UNAUTHORIZED), (stale, StatusCode::FORBIDDEN)] {
        assert_eq!(answer.status, status);
        assert!(answer.text.contains("this time nothing was done"), "{}", answer.text);
        assert!(answer.text.contains("that may have counted"), "{}", answer.text);
        assert!(answer.text.contains("<a class=\"button\" href=\"/incident/7\">"), "{}", answer.text);
    }
    assert_eq!(acts(&after), 0);
}

#[tokio::test]
async fn whoever_is_logged_in_is_told_so() {
    let browser = Browser::logged_in(FakeDesk::default(), "acts").await;
    let page = browser.get("/login?next=%2Fincident%2F7").await.text;
    assert!(page.contains("Logged in as") && page.contains("ann &lt;b&gt;"), "{page}");
    assert!(page.contains("<a class=\"button\" href=\"/incident/7\">Go on</a>"), "{page}");
    assert!(page.contains("action=\"/logout\"") && !page.contains("action=\"/login\""), "{page}");
    let main = page.split_once("<main").unwrap().1;
    assert_eq!(hidden(main, "csrf"), browser.csrf);
}

#[tokio::test]
async fn a_session_is_never_the_one_that_was_brought() {
    let mut browser = Browser::new(FakeDesk::default());
    let planted = format!("slod={}", "ab".repeat(32));
    browser.cookie = Some(planted.clone());
    browser.log_in("acts").await;
    assert_ne!(browser.cookie.as_ref(), Some(&planted));
    // Logging in again ends the session before.
    let mut before = browser.beside();
    before.cookie.clone_from(&browser.cookie);
    before.csrf.clone_from(&browser.csrf);
    browser.log_in("acts").await;
    assert_ne!(browser.cookie, before.cookie);
    assert_eq!(before.submit(ACK, &[]).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(browser.submit(ACK, &[]).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_token_that_only_reads_gives_no_forms() {
    let browser = Browser::logged_in(FakeDesk::default(), "looks").await;
    for path in ["/incident/7", "/silences", "/sources", "/incident/7/resolve"] {
        let page = browser.get(path).await.text;
        assert_eq!(page.matches("<form").count(), 1, "{path} has only the log-out form");
        assert_eq!(page.matches("Your token may only read").count(), 1, "{path}");
    }
    let answer = browser.submit(ACK, &[]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.text.contains("your token may not operate"));
    assert_eq!(browser.submit("/logout", &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(acts(&browser), 0);
}

#[tokio::test]
async fn a_token_that_is_taken_away_ends_its_sessions() {
    let browser = Browser::logged_in(FakeDesk::default(), "acts").await;
    let mut other = browser.beside();
    other.log_in("owns").await;
    browser.desk.taken_away.lock().unwrap().push("acts");
    assert_eq!(browser.submit(ACK, &[]).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(other.submit(ACK, &[]).await.status, StatusCode::SEE_OTHER);
    // One that comes back does not bring them back.
    browser.desk.taken_away.lock().unwrap().clear();
    assert_eq!(browser.submit(ACK, &[]).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn wrong_log_ins_say_what_is_wrong_and_never_the_token() {
    let long = "x".repeat(201);
    let cases: [(&str, &str, u16, &str); 8] = [
        ("", "acts", 400, "id=\"name-fault\""),
        (&long, "acts", 400, "at most 200"),
        ("a\u{7}b", "acts", 400, "can be seen"),
        ("a\u{202e}b", "acts", 400, "can be seen"),
        ("ann", "", 400, "id=\"token-fault\""),
        ("ann", "guessed-secret", 401, "not known"),
        ("ann", " acts\u{0}", 401, "not known"),
        ("ann <b>", "guessed-secret", 401, "value=\"ann &lt;b&gt;\""),
    ];
    for (name, token, status, said) in cases {
        let browser = Browser::new(FakeDesk::default());
        let answer = browser.raw("/login", &[], encoded(&[("name", name), ("token", token)])).await;
        assert_eq!(answer.status.as_u16(), status, "{name} {token}: {}", answer.text);
        assert!(answer.text.contains(said), "{name} {token}: {}", answer.text);
        assert!(!answer.text.contains("guessed-secret") && answer.header("set-cookie").is_empty());
        assert!(answer.text.contains("aria-invalid=\"true\" aria-describedby="), "{}", answer.text);
    }
}

#[tokio::test]
async fn guessing_is_slow() {
    let browser = Browser::new(FakeDesk::default());
    let mut seen = Vec::new();
    for number in 0..60 {
        let body = encoded(&[("name", "eve"), ("token", &number.to_string())]);
        seen.push(browser.raw("/login", &[], body).await);
    }
    let refused: Vec<_> = seen.iter().filter(|answer| answer.status == StatusCode::TOO_MANY_REQUESTS).collect();
    assert!(seen[..20].iter().all(|answer| answer.status == StatusCode::UNAUTHORIZED) && refused.len() > 10);
    assert!(refused[0].header("retry-after").parse::<u32>().unwrap() > 0);
    assert!(refused[0].text.contains("too many attempts"));
}

#[tokio::test]
async fn nobody_is_sent_elsewhere() {
    for (next, place) in [
        ("/silences", "/silences"),
        ("//evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/.//evil.example", "/"),
        ("/x\r\nset-cookie: a=b", "/"),
        ("javascript:alert(1)", "/"),
        ("/logout", "/"),
        ("/incident/7/note", "/incident/7"),
        ("", "/"),
    ] {
        let browser = Browser::new(FakeDesk::default());
        let body = encoded(&[("name", "ann"), ("token", "acts"), ("next", next)]);
        assert_eq!(browser.raw("/login", &[], body).await.header("location"), place, "{next:?}");
        let asked = encoded(&[("next", next)]);
        let page = browser.get(&format!("/login?{asked}")).await.text;
        assert!(!page.contains("evil"), "{page}");
    }
}

#[tokio::test]
async fn over_https_the_cookie_is_bound_to_the_host() {
    let desk = FakeDesk { external_url: Some("https://slo.example.com".into()), ..FakeDesk::default() };
    let mut browser = Browser::new(desk);
    let body = encoded(&[("name", "ann"), ("token", "acts")]);
    let answer = browser.raw("/login", &[("origin", "https://slo.example.com")], body).await;
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("__Host-slod=") && cookie.ends_with("; HttpOnly; SameSite=Strict; Secure"), "{cookie}");
    browser.keep(&answer);
    assert!(browser.get("/").await.text.contains("Log out"));
    // One that any neighbour could have set is not looked at.
    browser.cookie = browser.cookie.map(|cookie| cookie.replace("__Host-", ""));
    assert!(!browser.get("/").await.text.contains("Log out"));
}

#[tokio::test]
async fn without_tokens_there_is_nothing_to_log_in_to() {
    let browser = Browser::new(FakeDesk { no_tokens: true, ..FakeDesk::default() });
    for path in ["/login", "/incident/7", "/silences"] {
        let page = browser.get(path).await.text;
        assert!(!page.contains("<form") && page.contains("slod "), "{path}");
    }
    assert!(browser.get("/incident/7").await.text.contains("slod ack 7"));
    for path in ["/login", ACK, "/silences"] {
        let answer = browser.raw(path, &[], encoded(&[("name", "ann"), ("token", "acts")])).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        assert!(answer.text.contains("TCP is for reading only"));
    }
}

#[tokio::test]
async fn log_ins_from_other_sites_are_turned_away() {
    let browser = Browser::new(FakeDesk::default());
    let body = encoded(&[("name", "ann"), ("token", "acts")]);
    for headers in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site"), ("origin", "null")] {
        let answer = browser.raw("/login", &[headers], body.clone()).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (StatusCode::FORBIDDEN, ""), "{headers:?}");
    }
}

#[tokio::test]
async fn a_script_of_ours_may_use_the_session_at_the_api() {
    let browser = Browser::logged_in(FakeDesk::default(), "acts").await;
    let api = "/api/v1/incidents/7/acknowledge";
    let body = r#"{"by":"ann"}"#;
    let csrf = browser.csrf.clone();
    let kind = ("content-type", "application/json");
    for (headers, status) in [
        (vec![kind], 401),
        (vec![kind, ("x-csrf-token", "0")], 401),
        (vec![kind, ("x-csrf-token", &csrf), ("origin", "https://evil.example")], 401),
        (vec![kind, ("x-csrf-token", &csrf)], 200),
    ] {
        assert_eq!(browser.raw(api, &headers, body).await.status.as_u16(), status, "{headers:?}");
    }
    // Nobody acts under another's name.
    let mallory = r#"{"slo":"inventory/api-response-time","at":"2026-10-25T12:00:00Z","bad":-1,"total":0,"reason":"load test","by":"mallory"}"#;
    let made = browser.raw("/api/v1/corrections", &[kind, ("x-csrf-token", &csrf)], mallory).await;
    assert_eq!((made.status, &made.json()["by"]), (StatusCode::OK, &"ann <b>".into()), "{}", made.text);
    let looks = Browser::logged_in(FakeDesk::default(), "looks").await;
    assert_eq!(looks.raw(api, &[kind, ("x-csrf-token", &looks.csrf)], body).await.status, StatusCode::UNAUTHORIZED);
}

/// Whoever sends bodies that never end takes nobody's turn to read, nor that of the command line.
#[tokio::test]
async fn slow_bodies_keep_nobody_from_reading() {
    let companion = companion(FakeDesk::default());
    let (tcp, local) = (router(companion.clone(), Surface::Tcp), router(companion, Surface::Socket));
    let mut slow = tokio::task::JoinSet::new();
    for _ in 0..300 {
        let body = Body::from_stream(futures_util::stream::pending::<Result<&'static str, std::io::Error>>());
        let request = Request::post("/login").header("content-type", "application/x-www-form-urlencoded").body(body);
        slow.spawn(tcp.clone().oneshot(request.unwrap()));
    }
    tokio::task::yield_now().await;
    for path in ["/", "/-/healthy", "/metrics", "/login"] {
        assert_eq!(get(&tcp, path).await.status, StatusCode::OK, "{path}");
    }
    assert_eq!(get(&local, "/api/v1/status").await.status, StatusCode::OK);
    assert_eq!(post(&local, "/api/v1/incidents/7/acknowledge", None, r#"{"by":"ann"}"#).await.status, StatusCode::OK);
    assert_eq!(slow.len(), 300);
}

#[tokio::test]
async fn programs_are_told_in_json() {
    let browser = Browser::new(FakeDesk::default());
    let data = get_as(&browser.router, "/login", "application/json").await.json();
    assert_eq!((&data["tokens_configured"], &data["name"]), (&true.into(), &serde_json::Value::Null));
    let answer = browser.raw("/login", &[("accept", "application/json")], encoded(&[("name", "x")])).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}
