//! Answers that no server here can be brought to give: native histograms, servers that limit what is asked.

use slod::{
    config::model::{Indicator, SourceKind},
    domain::slot::Span,
    source::{Question, SharedSource},
};

use super::{
    LIMIT, asking,
    evil::{Evil, EvilServer, whole},
    main_source, only, prometheus_at, shown,
};

const SLOT: Span = Span { start: 1_767_268_800, end: 1_767_268_860 };

fn latency(threshold: f64) -> Indicator {
    Indicator::LatencyHistogram { source: main_source(), histogram: "h".to_owned(), threshold, percentile: Some(95.0) }
}

fn ratio() -> Indicator {
    Indicator::RatioPromql {
        source: main_source(),
        total_source: None,
        events: "bad".to_owned(),
        events_are_bad: true,
        total: "total".to_owned(),
    }
}

/// What is answered to questions that hold a text; the first that fits.
fn answers(rules: &[(&str, &str, &str)]) -> Evil {
    let rules = rules.iter().map(|(part, status, body)| ((*part).to_owned(), whole(status, "", body)));
    Evil::Answers(rules.collect())
}

async fn server(rules: &[(&str, &str, &str)]) -> (EvilServer, SharedSource) {
    let server = EvilServer::start(answers(rules)).await;
    let source = only(SourceKind::Prometheus(prometheus_at(&server.url())));
    (server, source)
}

fn matrix(series: &str) -> String {
    format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":[{series}]}}}}"#)
}

const NO_SERIES: &str = r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;
const NO_VALUES: &str = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;

/// As Prometheus 3 answers: schema 0, whose bounds double; a reset at the third sample.
const NATIVE: &str = r#"{"metric":{"__name__":"h","instance":"i","job":"j"},"histograms":[
    [1767268790,{"count":"10","sum":"9","buckets":[[0,"0.5","1","6"],[0,"1","2","4"]]}],
    [1767268810,{"count":"20","sum":"20","buckets":[[0,"0.5","1","12"],[0,"1","2","8"]]}],
    [1767268830,{"count":"4","sum":"5","buckets":[[0,"0.5","1","3"],[0,"1","2","1"]]}],
    [1767268850,{"count":"4","sum":"5","buckets":[[0,"0.5","1","3"],[0,"1","2","1"]]}]]}"#;

#[tokio::test]
async fn native_histograms_are_cut_at_the_threshold() {
    let native = matrix(NATIVE);
    let percentile = r#"{"status":"success","data":{"resultType":"vector","result":[
        {"metric":{"slod_part":"native"},"value":[1767268860,"1.5"]}]}}"#;
    let rules = [
        ("query=h_bucket", "200 OK", NO_SERIES),
        ("query=h_count", "200 OK", NO_SERIES),
        ("query=h%5B", "200 OK", native.as_str()),
        ("histogram_quantile", "200 OK", percentile),
    ];
    let (_server, source) = server(&rules).await;
    for (threshold, expected) in [
        (1.0, "9/14 at 1.500"),
        // The root of 2 halves the bucket (1, 2].
        (2_f64.sqrt(), "11.5/14 at 1.500"),
        (4.0, "14/14 at 1.500"),
    ] {
        let answer = source.read(asking(&latency(threshold), SLOT), SLOT, LIMIT).await;
        assert_eq!(shown(&answer), expected, "{threshold}");
    }
    // A percentile is only shown: the slot does without.
    let rules = [rules[0], rules[1], rules[2], ("", "422 Unprocessable Entity", "no")];
    let (_server, source) = server(&rules).await;
    assert_eq!(shown(&source.read(asking(&latency(1.0), SLOT), SLOT, LIMIT).await), "9/14");
}

#[tokio::test]
async fn selectors_of_native_histograms_are_no_counts() {
    let native = matrix(NATIVE);
    let (_server, source) = server(&[("", "200 OK", &native)]).await;
    assert_eq!(
        shown(&source.read(asking(&ratio(), SLOT), SLOT, LIMIT).await),
        "refused: the selector is of a native histogram: take `latency`, or histogram_count() in an expression"
    );
}

#[tokio::test]
async fn answers_that_contradict_themselves_are_named() {
    let series = r#"{"metric":{"a":"b"},"values":[[1767268810,"1"],[1767268830,"2"]]}"#;
    for (body, expected) in [
        (NO_VALUES.to_owned(), "error: unreadable answer: single values where ranges of samples were asked for"),
        (matrix(&format!("{series},{series}")), "error: unreadable answer: the answer holds a series twice"),
        (
            matrix(r#"{"metric":{},"values":[[1767268830,"1"],[1767268810,"2"]]}"#),
            "error: unreadable answer: the samples of a series are not in the order of time",
        ),
        (
            matrix(r#"{"metric":{},"values":[[1767268830,"1"],[1767268830,"2"]]}"#),
            "error: unreadable answer: the samples of a series are not in the order of time",
        ),
        (
            r#"{"status":"success","data":{"resultType":"string","result":[1,"x"]}}"#.to_owned(),
            "refused: the query answers a text, not numbers",
        ),
        // Samples that were not asked about are nobody's.
        (matrix(r#"{"metric":{},"values":[[17,"1"],[2767268830,"2"]]}"#), "no data"),
    ] {
        let (_server, source) = server(&[("", "200 OK", &body)]).await;
        assert_eq!(shown(&source.read(asking(&ratio(), SLOT), SLOT, LIMIT).await), expected, "{body}");
    }
}

/// A server that answers only so much at once is asked for less; one that never does is given up on.
#[tokio::test]
async fn too_much_is_asked_in_parts() {
    let many = r#"{"status":"error","errorType":"execution","error":"query processing would load too many samples into memory"}"#;
    let (patient, source) = server(&[
        ("query=bad%5B86", "422 Unprocessable Entity", many),
        ("query=total%5B86", "422 Unprocessable Entity", many),
        ("", "200 OK", NO_SERIES),
    ])
    .await;
    let hours = Span { start: SLOT.start, end: SLOT.start + 36_000 * 3 };
    let indicator = ratio();
    let question = Question { indicator: &indicator, per: &[], every: 60, max_series: 1 };
    assert_eq!(source.reach(question), 2 * 1_440);
    let answer = source.read(question, hours, LIMIT).await.unwrap();
    assert!(answer.slots.is_empty());
    assert_eq!(source.reach(question), 1_440, "half a day went well");
    let asked = patient.asked.lock().unwrap().concat();
    assert!(asked.contains("query=bad%5B86400s%5D") && asked.contains("query=bad%5B43200s%5D"), "{asked}");

    let (_server, source) = server(&[("", "422 Unprocessable Entity", many)]).await;
    assert_eq!(
        shown(&source.read(asking(&indicator, SLOT), SLOT, LIMIT).await),
        "refused: `query processing would load too many samples into memory`"
    );
}

/// A server may forbid to look back far: a series is new as far as it lets us see.
#[tokio::test]
async fn looking_back_ends_where_the_server_says() {
    let total = matrix(r#"{"metric":{"instance":"i","job":"j"},"values":[[1767268780,"5"],[1767268830,"9"]]}"#);
    let bad = matrix(r#"{"metric":{"instance":"i","job":"j"},"values":[[1767268830,"3"]]}"#);
    let up = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"instance":"i","job":"j"},"value":[1,"1"]}]}}"#;
    let too_far =
        r#"{"status":"error","errorType":"execution","error":"the query time range is over the limit (30d)"}"#;
    let (server, source) = server(&[
        ("query=bad%5B", "200 OK", &bad),
        ("query=total%5B", "200 OK", &total),
        ("query=max_over_time%28up", "200 OK", up),
        ("query=up", "200 OK", NO_SERIES),
        ("%5B604800s%5D", "422 Unprocessable Entity", too_far),
        ("query=last_over_time", "200 OK", NO_VALUES),
    ])
    .await;
    assert_eq!(shown(&source.read(asking(&ratio(), SLOT), SLOT, LIMIT).await), "1/4");
    let asked = server.asked.lock().unwrap().concat();
    assert!(asked.contains("last_over_time%28bad%7Binstance%3D%22i%22%2Cjob%3D%22j%22%7D%5B86400s%5D%29"), "{asked}");
    assert!(!asked.contains("2592000s"), "{asked}");
}
