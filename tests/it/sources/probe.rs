//! Probes: what is bad, what is good, and when the fault is ours.

use std::{collections::BTreeMap, time::Duration};

use slod::{
    config::{model::Probe, secret::Secret},
    domain::slot::{Gap, Reading},
    source::probe::{ProbeResult, Prober},
};
use testbed::{ports::free_port, service::InventoryService};

use super::{
    LIMIT,
    evil::{Evil, EvilServer, whole},
};

fn probe(url: &str) -> Probe {
    Probe {
        url: url.to_owned(),
        method: "GET".to_owned(),
        headers: BTreeMap::new(),
        body: None,
        timeout: Duration::from_millis(500),
        status: vec![(200, 299)],
        contains: None,
        tls_expires_after: None,
        retries: 0,
        witnesses: Vec::new(),
    }
}

fn prober() -> Prober {
    drop(rustls::crypto::ring::default_provider().install_default());
    Prober::new().unwrap()
}

fn good(result: &ProbeResult) -> Option<bool> {
    match result.reading {
        Reading::Events { good, total, .. } => Some((good - total).abs() < 0.5),
        _ => None,
    }
}

#[tokio::test]
async fn the_target_is_the_service() {
    let service = InventoryService::start().await.unwrap();
    let prober = prober();
    let health = probe(&format!("{}/inventory/health", service.url()));
    let check = async |probe: &Probe| {
        let result = prober.check(probe, 0, LIMIT).await;
        (good(&result).unwrap(), result.detail)
    };
    assert_eq!(check(&health).await, (true, "status 200 OK".to_owned()));
    let text = |text: &str| Probe { contains: Some(text.to_owned()), ..health.clone() };
    assert!(check(&text("Inventory Health")).await.0);
    assert_eq!(check(&text("Shop")).await, (false, "status 200 OK, but the body does not contain `Shop`".to_owned()));
    let certified = Probe { tls_expires_after: Some(LIMIT), ..health.clone() };
    assert_eq!(check(&certified).await, (false, "no certificate, though `tls_expires_after` is written".to_owned()));
    service.answer_with(503).unwrap();
    assert_eq!(check(&health).await, (false, "status 503 Service Unavailable".to_owned()));
    let failing = Probe { status: vec![(200, 299), (503, 503)], ..health.clone() };
    assert!(check(&failing).await.0);
    service.answer_after(LIMIT);
    assert_eq!(check(&health).await, (false, "no answer within 500ms".to_owned()));
    let tls = probe(&service.url().replace("http:", "https:"));
    assert!(!check(&tls).await.0);
    let nobody = probe(&format!("http://127.0.0.1:{}/", free_port().unwrap()));
    assert_eq!(check(&nobody).await, (false, "connection refused".to_owned()));
    assert!(!check(&probe("")).await.0);
}

#[tokio::test]
async fn bodies_and_redirects_are_bounded() {
    let elsewhere = Evil::says("302 Found", "location: http://127.0.0.2:1/\r\n", "");
    let around = Evil::says("302 Found", "location: /next\r\n", "");
    for (evil, status, expected) in [
        (Evil::Endless, (200, 299), "the body is over 1048576 bytes"),
        (Evil::Drips, (200, 299), "no answer within 500ms"),
        (Evil::Stalls, (200, 299), "no answer within 500ms"),
        (Evil::Says("\u{1}".to_owned()), (200, 299), "invalid HTTP version parsed"),
        (elsewhere.clone(), (200, 299), "status 302 Found to http://127.0.0.2, which is not followed"),
        (around, (200, 299), "more than 5 redirects"),
        (elsewhere, (300, 399), "status 302 Found, but the body does not contain `x y`"),
    ] {
        let server = EvilServer::start(evil).await;
        let probe = Probe { contains: Some("x y".to_owned()), status: vec![status], ..probe(&server.url()) };
        let result = prober().check(&probe, 0, LIMIT).await;
        assert_eq!((good(&result), result.detail.as_str()), (Some(false), expected));
    }
}

#[tokio::test]
async fn retries_fit_into_the_slot() {
    let server = EvilServer::start(Evil::says("500 Internal Server Error", "", "")).await;
    let attempts = async |timeout, budget| {
        let stubborn = Probe { retries: 2, timeout: Duration::from_millis(timeout), ..probe(&server.url()) };
        prober().check(&stubborn, 0, Duration::from_millis(budget)).await.attempts
    };
    assert_eq!(attempts(500, 5_000).await, 3);
    assert_eq!(attempts(18_000, 20_000).await, 2, "after two pauses of a second one more might end too late");
    assert_eq!(attempts(500, 500).await, 1);
    assert_eq!(server.asked.lock().unwrap().len(), 6);
}

#[tokio::test]
async fn one_good_answer_is_enough() {
    let bad = whole("500 Internal Server Error", "", "");
    let fine = whole("200 OK", "", "");
    for (turns, retries, attempts, is_good) in [
        (vec![fine.clone()], 2, 1, true),
        (vec![bad.clone(), fine.clone()], 2, 2, true),
        // Broken off, then refused, then fine: the last try that is allowed.
        (vec![String::new(), bad.clone(), fine.clone()], 2, 3, true),
        (vec![bad.clone(), bad.clone(), bad.clone(), fine.clone()], 2, 3, false),
        (vec![bad.clone(), fine.clone()], 0, 1, false),
        (vec![fine.clone(), bad.clone()], 0, 1, true),
    ] {
        let server = EvilServer::start(Evil::Turns(turns.clone())).await;
        let probe = Probe { retries, ..probe(&server.url()) };
        let result = prober().check(&probe, 0, LIMIT).await;
        assert_eq!((good(&result), result.attempts), (Some(is_good), attempts), "{turns:?}");
        assert_eq!(server.asked.lock().unwrap().len(), attempts as usize, "each try is a connection of its own");
    }
}

#[tokio::test]
async fn without_witnesses_the_fault_is_ours() {
    let nobody = format!("http://127.0.0.1:{}/", free_port().unwrap());
    let broken = EvilServer::start(Evil::says("502 Bad Gateway", "", "")).await;
    let fine = EvilServer::start(Evil::says("301 Moved", "location: http://127.0.0.2/\r\n", "")).await;
    let with = |witnesses: Vec<String>| Probe { witnesses, ..probe(&nobody) };
    let result = prober().check(&with(vec![nobody.clone(), broken.url()]), 0, LIMIT).await;
    assert_eq!(
        result.reading,
        Reading::Unmeasured(Gap::OurFault("connection refused, and no witness answers".to_owned()))
    );
    let result = prober().check(&with(vec![nobody.clone(), fine.url()]), 0, LIMIT).await;
    assert_eq!((good(&result), result.detail.as_str()), (Some(false), "connection refused"));
}

#[tokio::test]
async fn a_probe_sends_what_is_written() {
    let server = EvilServer::start(Evil::says("200 OK", "", "")).await;
    let post = Probe {
        method: "POST".to_owned(),
        body: Some("ping".to_owned()),
        headers: [("X-Key".to_owned(), Secret::new("k"))].into(),
        ..probe(&format!("{}/deep?x=1", server.url()))
    };
    assert_eq!(good(&prober().check(&post, 0, LIMIT).await), Some(true));
    let asked = server.asked.lock().unwrap().remove(0);
    assert!(asked.starts_with("POST /deep?x=1 HTTP/1.1\r\n"), "{asked}");
    assert!(
        asked.contains("x-key: k") && asked.contains("user-agent: slod/") && asked.ends_with("\r\n\r\nping"),
        "{asked}"
    );
}
