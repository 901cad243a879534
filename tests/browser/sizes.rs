//! What a page weighs, with all that it loads, as it comes over the wire.

use crate::{
    chromium::Chromium,
    look::{Looker, Page, network},
    seed::Seeded,
};

/// Pages of fifty SLOs with thirty days each, and the most bytes they may weigh.
const LIMITS: [(&str, u64); 2] = [("/", 60_000), ("/slo/service-0/promise-0", 100_000)];

#[tokio::test]
async fn pages_are_light() {
    let (seeded, browser) = tokio::join!(Seeded::fifty(), Chromium::start());
    let looker = Looker::new(&browser, seeded.slod.url()).await;
    // A first visit: nothing is known yet.
    browser.devtools("Network.setCacheDisabled", serde_json::json!({"cacheDisabled": true})).await;
    for (path, limit) in LIMITS {
        browser.log("performance").await;
        looker.open(&Page { path: path.to_owned(), status: 200 }, 1280).await;
        let events = network(&browser.log("performance").await);
        let sizes: Vec<u64> = events
            .iter()
            .filter(|(method, _)| method == "Network.loadingFinished")
            .map(|(_, event)| event["encodedDataLength"].as_f64().unwrap() as u64)
            .collect();
        let whole: u64 = sizes.iter().sum();
        assert!(!sizes.is_empty() && whole > 2_000, "{path}: {sizes:?}");
        assert!(whole <= limit, "{path} weighs {whole} bytes: {sizes:?}");
    }
    browser.close().await;
}
