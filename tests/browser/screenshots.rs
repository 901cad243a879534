//! The pictures of README and docs/dashboard.md, taken of the pages as they are: `make screenshots` keeps them.

use std::path::{Path, PathBuf};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;

use crate::{
    chromium::Chromium,
    look::{Looker, Page},
    seed::Seeded,
};

/// One picture: its name, the page, the scheme, and its width and height.
type Picture = (&'static str, &'static str, &'static str, u32, u32);

/// `INCIDENT` stands for the one that nobody has taken.
const PICTURES: &[Picture] = &[
    ("overview-light", "/", "light", 1280, 900),
    ("overview-dark", "/", "dark", 1280, 900),
    ("overview-phone", "/", "light", 390, 844),
    ("slo-light", "/slo/inventory/response-time", "light", 1280, 1100),
    ("slo-dark", "/slo/inventory/response-time", "dark", 1280, 1100),
    ("incident-light", "/incident/INCIDENT", "light", 1280, 1000),
    ("incident-phone", "/incident/INCIDENT", "dark", 390, 844),
    ("budget-light", "/inventory/budget", "light", 1280, 900),
];

/// The largest picture, and the most that all may weigh: they are kept with the code.
const LARGEST: usize = 150_000;
const ALL: usize = 700_000;

/// Where they go, if they are to be kept.
const KEEP: &str = "SLOD_SCREENSHOTS";

#[tokio::test]
async fn screenshots_are_taken() {
    let (seeded, browser) = tokio::join!(Seeded::shop(), Chromium::start());
    let scratch = tempfile::tempdir().unwrap();
    let folder = std::env::var_os(KEEP).map_or_else(|| scratch.path().to_owned(), PathBuf::from);
    let looker = Looker::new(&browser, seeded.slod.url()).await;
    let incident = seeded.incident("inventory/response-time").await;
    let mut all = 0;
    for &(name, path, scheme, width, height) in PICTURES {
        let page = Page { path: path.replace("INCIDENT", &incident), status: 200 };
        looker.open(&page, width).await;
        browser.resize(width, height).await;
        browser.prefer(&[("prefers-color-scheme", scheme)]).await;
        let taken = browser.devtools("Page.captureScreenshot", json!({"format": "webp", "quality": 75})).await;
        let bytes = BASE64_STANDARD.decode(taken["data"].as_str().unwrap()).unwrap();
        assert!((4_000..=LARGEST).contains(&bytes.len()), "{name}: {} bytes", bytes.len());
        all += bytes.len();
        keep(&folder, name, &bytes);
    }
    assert!(all <= ALL, "{all} bytes");
    browser.close().await;
}

fn keep(folder: &Path, name: &str, bytes: &[u8]) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join(format!("{name}.webp")), bytes).unwrap();
}
