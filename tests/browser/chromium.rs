//! A real Chromium, driven by its driver, without a screen.

use std::{path::PathBuf, process::Command, time::Duration};

use fantoccini::{Client, ClientBuilder, wd::WebDriverCompatibleCommand};
use serde_json::{Value, json};
use tempfile::TempDir;
use testbed::{
    clock::eventually,
    ports::free_port,
    process::{Process, find_program},
};

/// How long the driver may take to listen on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(30);

/// How long a page may take to answer a question.
const ANSWER_LIMIT: Duration = Duration::from_mins(1);

/// What the browser is started with. It never leaves this machine: names are not resolved, and nothing is fetched in
/// the background.
const ARGUMENTS: &[&str] = &[
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--no-default-browser-check",
    "--no-first-run",
    "--lang=en-GB",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

/// A browser with one window. It ends when it is dropped, its profile with it.
pub struct Chromium {
    client: Client,
    /// The browser's own process, which outlives a driver that is killed.
    process: u64,
    _driver: Process,
    _folder: TempDir,
}

impl Chromium {
    /// Starts the driver, and by it the browser.
    pub async fn start() -> Self {
        let chromium = program("chromium", "chromium");
        let chromedriver = program("chromedriver", "chromium-driver");
        let folder = TempDir::with_prefix("slod-chromium-").unwrap();
        let (driver, url) = drive(&chromedriver, &folder).await;
        let mut arguments: Vec<String> = ARGUMENTS.iter().map(|&argument| argument.to_owned()).collect();
        arguments.push(format!("--user-data-dir={}", folder.path().join("profile").display()));
        let wanted = json!({
            "browserName": "chrome",
            "goog:chromeOptions": {"binary": chromium, "args": arguments},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        });
        let connector = hyper_util::client::legacy::connect::HttpConnector::new();
        let client =
            ClientBuilder::new(connector).capabilities(wanted.as_object().unwrap().clone()).connect(&url).await;
        let client = client.unwrap_or_else(|error| panic!("no browser: {error}\n{}", driver.said()));
        let process = client.capabilities().and_then(|found| found.get("goog:processID")?.as_u64());
        Self { client, process: process.expect("the browser's process"), _driver: driver, _folder: folder }
    }

    /// Goes to an address, and waits until all that the page names is loaded.
    pub async fn goto(&self, url: &str) {
        self.client.goto(url).await.unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    /// Issues a command of the `DevTools` protocol.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let body = json!({"cmd": command, "params": parameters});
        let answer = self.client.issue_cmd(Extension { path: "goog/cdp/execute", body }).await;
        answer.unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// Evaluates an expression in the page, also where the page itself may run none; waits for a promise.
    pub async fn evaluate(&self, expression: &str) -> Value {
        let parameters = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let shown: String = expression.chars().take(200).collect();
        let answer = tokio::time::timeout(ANSWER_LIMIT, self.devtools("Runtime.evaluate", parameters)).await;
        let answer = answer.unwrap_or_else(|_| panic!("no answer within {ANSWER_LIMIT:?}: {shown}"));
        assert!(answer.get("exceptionDetails").is_none(), "{shown}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].clone()
    }

    /// The same while another page may be on its way: none if the page went before it answered.
    pub async fn glance(&self, expression: &str) -> Option<Value> {
        let body = json!({"cmd": "Runtime.evaluate", "params": {"expression": expression, "returnByValue": true}});
        let asked = self.client.issue_cmd(Extension { path: "goog/cdp/execute", body });
        let answer = tokio::time::timeout(ANSWER_LIMIT, asked).await.ok()?.ok()?;
        Some(answer["result"]["value"].clone())
    }

    /// What was logged since the last question: `browser` for what people read, `performance` for the network.
    pub async fn log(&self, kind: &str) -> Vec<Value> {
        let body = json!({"type": kind});
        let answer = self.client.issue_cmd(Extension { path: "se/log", body }).await.unwrap();
        answer.as_array().unwrap().clone()
    }

    /// Presses and releases a key: `Tab`, `Enter`, …
    pub async fn press(&self, key: &str, code: u32, text: &str) {
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code});
            if kind == "keyDown" && !text.is_empty() {
                event["text"] = json!(text);
            }
            self.devtools("Input.dispatchKeyEvent", event).await;
        }
    }

    /// How wide and high its window is, as a desktop's or as a phone's.
    pub async fn resize(&self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// What its user prefers: pairs of a media feature and its value.
    pub async fn prefer(&self, features: &[(&str, &str)]) {
        let features: Vec<_> = features.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        self.devtools("Emulation.setEmulatedMedia", json!({"features": features})).await;
    }

    /// Whether pages may run scripts.
    pub async fn allow_scripts(&self, allowed: bool) {
        self.devtools("Emulation.setScriptExecutionDisabled", json!({"value": !allowed})).await;
    }

    /// Ends it in order.
    pub async fn close(self) {
        self.client.clone().close().await.unwrap();
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // It may have ended in order.
        drop(Command::new("sh").arg("-c").arg(format!("kill -9 {} 2>/dev/null", self.process)).status());
    }
}

fn program(name: &str, package: &str) -> PathBuf {
    let found = find_program(name, &[], package);
    found.unwrap_or_else(|error| panic!("the pages cannot be tried in a browser: {error} (scripts/setup does it)"))
}

async fn drive(program: &std::path::Path, folder: &TempDir) -> (Process, String) {
    for _ in 0..5 {
        let port = free_port().unwrap();
        let mut command = Command::new(program);
        command.arg(format!("--port={port}")).env("HOME", folder.path()).env("TMPDIR", folder.path());
        let mut driver = Process::start(&mut command, &folder.path().join("driver.log")).unwrap();
        let up = eventually(START_LIMIT, async || {
            !driver.is_running() || tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok()
        });
        if up.await && driver.is_running() {
            return (driver, format!("http://127.0.0.1:{port}"));
        }
    }
    panic!("the browser's driver does not start");
}

/// A command of the driver's own, beside the standard's.
#[derive(Debug)]
struct Extension {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Extension {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &url::Url) -> (axum::http::Method, Option<String>) {
        (axum::http::Method::POST, Some(self.body.to_string()))
    }
}
