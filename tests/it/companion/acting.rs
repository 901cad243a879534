//! Acting by the pages: what each form does, what it says afterwards, and what it does not do twice.

use axum::http::StatusCode;
use slod::views::desk::Action;

use super::{
    Answer,
    browser::{Browser, encoded, hidden},
    fake_desk::FakeDesk,
    fixed_data::{HOSTILE, at},
    get_as, post,
};

async fn ann() -> Browser {
    Browser::logged_in(FakeDesk::default(), "acts").await
}

fn goes_to(answer: &Answer, place: &str) {
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, place), "{}", answer.text);
}

#[tokio::test]
async fn forms_reach_the_desk_as_the_api_does() {
    let browser = ann().await;
    for (path, fields, done) in [
        ("acknowledge", vec![], "acknowledged"),
        ("resolve", vec![], "resolved"),
        ("note", vec![("text", " restarted the sync ")], "noted"),
        ("status-page/approve", vec![], "approved"),
        ("status-page/discard", vec![], "discarded"),
    ] {
        let answer = browser.submit(&format!("/incident/7/{path}"), &fields).await;
        goes_to(&answer, &format!("/incident/7?done={done}#result"));
        // The page says what is so, whatever its address says: this incident goes on, with its draft.
        let page = browser.get(&format!("/incident/7?done={done}")).await.text;
        let is_so = matches!(done, "acknowledged" | "noted");
        assert!(
            is_so == page.contains("<p class=\"result good\" id=\"result\" role=\"status\" tabindex=\"-1\">"),
            "{page}"
        );
    }
    let acts: Vec<_> = browser.desk.acts.lock().unwrap().iter().map(|(_, act, by)| (act.clone(), by.clone())).collect();
    let note = Action::Note("restarted the sync".into());
    let wanted = [Action::Acknowledge, Action::Resolve, note, Action::ApproveStatus, Action::DiscardStatus];
    assert_eq!(acts, wanted.map(|action| (action, "ann <b>".to_owned())));
}

#[tokio::test]
async fn the_result_is_a_fixed_word() {
    let browser = ann().await;
    let answer = browser.get("/incident/7?done=%3Cb%3Eall+is+well").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(!answer.text.contains("<b>all"));
    assert!(!browser.get("/incident/7").await.text.contains("id=\"result\""));
}

#[tokio::test]
async fn a_form_that_is_sent_twice_counts_once() {
    let browser = ann().await;
    let page = browser.get("/incident/7").await.text;
    let body = encoded(&[("csrf", &browser.csrf), ("once", &hidden(&page, "once")), ("text", "seen")]);
    let first = browser.raw("/incident/7/note", &[], body.clone()).await;
    goes_to(&first, "/incident/7?done=noted#result");
    goes_to(&browser.raw("/incident/7/note", &[], body.clone()).await, "/incident/7?done=again#result");
    assert_eq!(browser.desk.acts.lock().unwrap().len(), 1);
    // Another form of the same page is another one.
    goes_to(&browser.raw("/incident/7/acknowledge", &[], body).await, "/incident/7?done=acknowledged#result");
    // Each page's forms are their own.
    assert_ne!(hidden(&browser.get("/incident/7").await.text, "once"), hidden(&page, "once"));
}

#[tokio::test]
async fn what_is_over_is_said() {
    let desk = FakeDesk { over: true, conflict: Some("incident 7 is resolved already"), ..FakeDesk::default() };
    let browser = Browser::logged_in(desk, "acts").await;
    for path in ["acknowledge", "resolve"] {
        goes_to(&browser.submit(&format!("/incident/7/{path}"), &[]).await, "/incident/7?done=over#result");
    }
    let page = browser.get("/incident/7?done=over").await.text;
    assert!(page.contains("Nothing was done: the incident was over already") && !page.contains("/acknowledge\""));
    let ended = "It ended 2026-10-25 11:58:00 UTC (2 min 12 s ago), resolved by <bdi>bob (api)</bdi>.";
    assert!(page.contains(ended), "{page}");
    let question = browser.get("/incident/7/resolve").await.text;
    assert!(question.contains("It is resolved already") && !question.contains("Open since"), "{question}");
    assert!(question.contains("2026-10-25T11:58:00Z") && question.contains("bob (api)"), "when it ended, and by whom");
    let desk = FakeDesk { conflict: Some("incident 7 has changed since"), ..FakeDesk::default() };
    let browser = Browser::logged_in(desk, "acts").await;
    let answer = browser.submit("/incident/7/acknowledge", &[]).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.text.contains("incident 7 has changed since"));
    assert_eq!(browser.submit("/incident/8/acknowledge", &[]).await.status, StatusCode::NOT_FOUND);
}

/// Two people at once: the second hears of the first, and nothing else happens twice.
#[tokio::test]
async fn whoever_comes_second_is_told_who_was_first() {
    let browser = Browser::logged_in(FakeDesk { held: true, ..FakeDesk::default() }, "acts").await;
    goes_to(&browser.submit("/incident/7/acknowledge", &[]).await, "/incident/7?done=also-acknowledged#result");
    let page = browser.get("/incident/7?done=also-acknowledged").await.text;
    let said = "It was acknowledged already. Yours is written beside that: it is yours now, and nobody was told twice. \
        Before you: <bdi>bob &lt;i&gt; (api)</bdi>, 2026-10-25 11:52:00 UTC (8 min 12 s ago).";
    assert!(page.contains(said), "{page}");
    assert!(page.contains("data-field=\"acknowledged_before.by\""), "it stands with the facts");
    // An address alone makes nobody second.
    assert!(!ann().await.get("/incident/7?done=also-acknowledged").await.text.contains("It was acknowledged already"));
    let answer = get_as(&browser.router, "/incident/7", "application/json").await.json();
    assert_eq!(answer["acknowledged_before"]["at"], "2026-10-25T11:52:00Z");
}

#[tokio::test]
async fn what_cannot_be_taken_back_is_asked_first() {
    let browser = ann().await;
    let page = browser.get("/incident/7").await.text;
    for path in ["resolve", "status-page/approve", "status-page/discard"] {
        let path = format!("/incident/7/{path}");
        assert!(page.contains(&format!("href=\"{path}\"")) && !page.contains(&format!("action=\"{path}\"")), "{path}");
        let question = browser.get(&path).await;
        assert_eq!(question.status, StatusCode::OK);
        assert!(question.text.contains(&format!("<form class=\"act\" method=\"post\" action=\"{path}\">")), "{path}");
        assert!(question.text.contains("href=\"/incident/7\""));
        assert_eq!(get_as(&browser.router, &path, "application/json").await.json()["id"], "7");
    }
    let question = browser.get("/incident/7/status-page/approve").await.text;
    assert!(question.contains("Inventory is unavailable: we are looking into it"), "{question}");
    assert_eq!(browser.desk.acts.lock().unwrap().len(), 0, "asking does nothing");
}

#[tokio::test]
async fn a_note_that_is_wrong_is_given_back() {
    let browser = ann().await;
    let long = "é".repeat(10_001);
    for (text, said) in [("  ", "Write what you have seen"), (long.as_str(), "10001 characters")] {
        let answer = browser.submit("/incident/7/note", &[("text", text)]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(
            answer.text.contains("aria-invalid=\"true\" aria-describedby=\"text-fault\"") && answer.text.contains(said)
        );
    }
    assert_eq!(browser.desk.acts.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn a_silence_is_shown_before_it_is_made() {
    let browser = ann().await;
    let wanted = [("lasts", "custom"), ("custom", "2h30m"), ("reason", "rack <move>")];
    let preview = browser.submit("/incident/7/silence", &wanted).await;
    assert_eq!(preview.status, StatusCode::OK, "{}", preview.text);
    for said in ["2 of 5 SLOs", "in 2 h 30 min", "rack &lt;move&gt;", "href=\"/incident/7\"", "Nothing is silent yet"] {
        assert!(preview.text.contains(said), "{said}: {}", preview.text);
    }
    let ends_at = hidden(&preview.text, "ends_at");
    let body = encoded(&[
        ("csrf", &browser.csrf),
        ("once", &hidden(&preview.text, "once")),
        ("step", "do"),
        ("ends_at", &ends_at),
        ("reason", "rack <move>"),
    ]);
    goes_to(&browser.raw("/incident/7/silence", &[], body.clone()).await, "/incident/7?done=silenced#result");
    goes_to(&browser.raw("/incident/7/silence", &[], body).await, "/incident/7?done=again#result");
    let made = browser.desk.silenced.lock().unwrap();
    assert_eq!(made.iter().map(|silence| silence.preview).collect::<Vec<_>>(), [true, false]);
    let silence = &made[1];
    assert_eq!((silence.ends_at, silence.by.as_str()), (at("2026-10-25T14:30:12Z"), "ann <b>"));
    let matcher = &silence.matcher;
    assert_eq!((matcher.service.as_str(), matcher.slo.as_deref()), ("inventory", Some("api-response-time")));
    assert_eq!(matcher.labels["shop"], HOSTILE);
}

#[tokio::test]
async fn silences_are_made_and_ended_on_their_page() {
    let browser = ann().await;
    let page = browser.get("/silences").await.text;
    assert!(
        page.contains("<option value=\"inventory/api-response-time\">")
            && page.contains("action=\"/silences/3f9c01ab22d4/expire\"")
    );
    let fields = [
        ("target", "inventory"),
        ("policy", "fast-burn"),
        ("labels", "route=/a\nshop = b"),
        ("lasts", "4h"),
        ("reason", "move"),
    ];
    let preview = browser.submit("/silences", &fields).await;
    assert_eq!(preview.status, StatusCode::OK, "{}", preview.text);
    let ends_at = hidden(&preview.text, "ends_at");
    let again = [&fields[..], &[("step", "do"), ("ends_at", &ends_at)]].concat();
    goes_to(&browser.submit("/silences", &again).await, "/silences?done=silenced#result");
    {
        let made = browser.desk.silenced.lock().unwrap();
        let matcher = &made[1].matcher;
        assert_eq!((matcher.slo.as_deref(), matcher.policy.as_deref()), (None, Some("fast-burn")));
        assert_eq!((matcher.labels["route"].as_str(), matcher.labels["shop"].as_str()), ("/a", "b"));
        assert_eq!(made[1].ends_at, at("2026-10-25T16:00:12Z"));
    }
    goes_to(&browser.submit("/silences/3f9c01ab22d4/expire", &[]).await, "/silences?done=expired#result");
    goes_to(&browser.submit("/silences/ffff/expire", &[]).await, "/silences?done=not-active#result");
}

#[tokio::test]
async fn a_silence_that_is_wrong_is_given_back() {
    let browser = ann().await;
    let long = "x".repeat(1_001);
    let whole = [("target", "inventory"), ("lasts", "1h"), ("reason", "move")];
    for (field, value, id, said) in [
        ("target", "", "target-fault", "Choose a service"),
        ("target", "nope", "silence-fault", "there is no service"),
        ("lasts", "8d", "lasts-fault", "at most 7 days"),
        ("lasts", "custom", "lasts-fault", "at most 7 days"),
        ("lasts", "0s", "lasts-fault", "at most 7 days"),
        ("lasts", "-1h", "lasts-fault", "at most 7 days"),
        ("reason", " ", "reason-fault", "Say why"),
        ("reason", &long, "reason-fault", "at most 1000"),
        ("labels", "route", "labels-fault", "one label a line"),
        ("lasts", "99d", "silence", "Nothing was done: <a href=\"#silence\">"),
    ] {
        let mut fields = whole.to_vec();
        fields.retain(|(name, _)| *name != field);
        fields.push((field, value));
        let answer = browser.submit("/silences", &fields).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{field}={value}: {}", answer.text);
        assert!(
            answer.text.contains(&format!("id=\"{id}\"")) && answer.text.contains(said),
            "{field}: {}",
            answer.text
        );
        assert!(answer.text.contains(&format!("{id}\"")), "{field} points at what is wrong");
    }
    assert_eq!(
        browser.submit("/silences", &[("target", "inventory"), ("step", "do"), ("reason", "x")]).await.status,
        StatusCode::BAD_REQUEST
    );
    let all = browser.submit("/silences", &[("labels", "x")]).await.text;
    for id in ["target-fault", "lasts-fault", "reason-fault"] {
        assert!(all.contains(&format!("<p class=\"fault\" id=\"{id}\">")), "{id}: {all}");
    }
    assert!(browser.desk.silenced.lock().unwrap().is_empty());
}

#[tokio::test]
async fn messages_are_tried_again() {
    let browser = ann().await;
    for path in ["/incident/7", "/sources", "/inventory/alerts"] {
        let page = browser.get(path).await.text;
        assert!(page.contains("action=\"/delivery/2/retry\"") && !page.contains("/delivery/1/retry"), "{path}");
        assert!(!page.contains("may only read"), "{path}");
    }
    goes_to(&browser.submit("/delivery/2/retry", &[("from", "incident")]).await, "/incident/7?done=retried#result");
    goes_to(&browser.submit("/delivery/2/retry", &[("from", "sources")]).await, "/sources?done=retried#result");
    goes_to(&browser.submit("/delivery/1/retry", &[]).await, "/incident/7?done=not-waiting#result");
    assert_eq!(browser.submit("/delivery/x/retry", &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(browser.desk.retried.lock().unwrap()[..], [2, 2]);
}

#[tokio::test]
async fn a_store_that_cannot_be_written_is_said_before_anything_is_done() {
    let desk = FakeDesk { unwritable: Some("disk full"), ..FakeDesk::default() };
    let browser = Browser::logged_in(desk, "acts").await;
    for (path, fields) in [("/incident/7/acknowledge", &[][..]), ("/silences", &[("target", "inventory")][..])] {
        let answer = browser.submit(path, fields).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        for said in ["nothing was done", "disk full", "Newest data: <time datetime=\"2026-10-25T12:00:00Z\""] {
            assert!(answer.text.contains(said), "{said}: {}", answer.text);
        }
    }
    assert_eq!(browser.desk.acts.lock().unwrap().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_is_not_waited_for() {
    let browser = Browser::logged_in(FakeDesk { stuck: true, ..FakeDesk::default() }, "acts").await;
    let answer = browser.submit("/incident/7/acknowledge", &[]).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.text.contains("it may still do so"), "{}", answer.text);
    // A program is told sooner, and when to come again; never that nothing was done.
    for path in ["acknowledge", "resolve", "note", "status-page/approve", "status-page/discard"] {
        let path = format!("/api/v1/incidents/7/{path}");
        let answer = post(&browser.router, &path, Some("acts"), r#"{"by":"ann","text":"seen"}"#).await;
        assert_eq!((answer.status, answer.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "5"), "{path}");
        let said = "the store has not taken it within 5 s; it may still do so";
        assert_eq!(answer.json()["error"]["message"], said, "{path}");
    }
}

#[tokio::test]
async fn a_store_that_is_gone_is_said_with_the_newest_data() {
    let browser = Browser::logged_in(FakeDesk { store_is_gone: true, ..FakeDesk::default() }, "acts").await;
    for path in ["/incident/7", "/inventory/alerts"] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(answer.text.contains("Newest data: <time datetime=\"2026-10-25T12:00:00Z\""), "{}", answer.text);
        assert_eq!(get_as(&browser.router, path, "application/json").await.code(), "unavailable");
    }
}

#[tokio::test]
async fn incidents_are_paged_by_plain_links() {
    let browser = Browser::new(FakeDesk { past: 24, ..FakeDesk::default() });
    for (page, shown, links) in [(1, 10, vec![2]), (2, 10, vec![1, 3]), (3, 5, vec![2]), (4, 0, vec![3])] {
        let html = browser.get(&format!("/inventory/alerts?page={page}")).await.text;
        assert_eq!(html.matches("<details class=\"incident\"").count(), shown, "{page}");
        for other in 0..6 {
            let link = format!("href=\"/inventory/alerts?page={other}\"");
            assert_eq!(html.contains(&link), links.contains(&other), "{page} {other}");
        }
    }
    for page in ["0", "-1", "x", "1001", "1e3"] {
        let answer = browser.get(&format!("/inventory/alerts?page={page}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{page}");
        assert!(answer.text.contains("from 1 to 1000"));
    }
}

#[tokio::test]
async fn an_incident_says_what_comes_next_and_when() {
    let html = ann().await.get("/incident/7").await.text;
    for said in [
        "<strong><time class=\"age\" datetime=\"2026-10-25T12:20:00Z\" title=\"2026-10-25 12:20:00 UTC\">in 19 min 48 s</time></strong>",
        "2026-10-25 12:20:00 UTC (in 19 min 48 s)",
        "The first post is due in 4 min 48 s, at 2026-10-25 12:05:00 UTC.",
        "cost so far 26,900 bad events (53.8 % of the 30 d budget)",
        "Read it here",
    ] {
        assert!(html.contains(said), "{said}: {html}");
    }
    // Every control has a label, and says what it is.
    for id in ["text", "reason"] {
        assert!(html.contains(&format!("<label for=\"{id}\">")) && html.contains(&format!("id=\"{id}\"")), "{id}");
    }
}
