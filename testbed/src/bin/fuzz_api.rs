//! `scripts/fuzz-api`: schemathesis asks a running daemon whatever its own document allows, and much that it does not.
//!
//! The daemon stands in a small world: one probed SLO that fails, an open incident, a silence, a correction, an annotation,
//! receivers that are all played by the inbox. Everything listens on 127.0.0.1; the fuzzer's way elsewhere is a proxy that is not there.

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};
use testbed::{clock::eventually, daemon::Slod, world::World};

const PATIENCE: Duration = Duration::from_mins(1);
const TOKEN: &str = "fuzz-operate-SECRET";
/// What schemathesis checks. Left out: what it thinks that any API must take or refuse. An empty value in a query is the same as
/// none here, what is refused has tests of its own, and pages have forms for people that are no part of the document.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
response_schema_conformance,missing_required_header,ignored_auth,use_after_free";

#[tokio::main]
async fn main() -> ExitCode {
    match fuzz().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("fuzz-api: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn fuzz() -> anyhow::Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let fuzzer = arguments.next().context("which schemathesis?")?;
    let seconds = std::env::var("FUZZ_SECONDS").unwrap_or_else(|_| "90".to_owned());
    let mut world = World::small().await.context("the world does not start")?;
    let token = world.folder().join("token");
    std::fs::write(&token, TOKEN)?;
    world.config.set("/daemon/tokens", json!({"fuzz": {"secret": {"from_file": token}, "can": ["operate"]}}));
    world.write_config()?;
    let program = std::env::current_exe()?.parent().context("no folder")?.join("slod");
    let mut slod = Slod::start(&program, world.folder(), &world.env()).await.context("slod does not start")?;
    let known = seed(&world, &slod).await?;
    let document = world.folder().join("openapi.json");
    let mut told = slod.api("/api/openapi.json").await?;
    show(&mut told, &known);
    std::fs::write(&document, told.to_string())?;

    let ended = ask(&fuzzer, &slod.url(), &document, &seconds, world.folder())?;
    let log = slod.log();
    ensure!(slod.ended().is_none(), "slod has ended: {log}");
    ensure!(!log.contains("panicked"), "slod has panicked: {log}");
    ensure!(!log.contains(TOKEN), "the token stands in the log");
    let problems = world.inbox.problems();
    ensure!(problems.is_empty(), "receivers complain: {problems:?}");
    slod.terminate().await?;
    ensure!(ended, "schemathesis has findings; what it sent stands above");
    Ok(())
}

/// What there is in the daemon, to be asked about by name.
async fn seed(world: &World, slod: &Slod) -> anyhow::Result<Value> {
    let slo = "inventory/dashboard-availability";
    world.service.answer_with(503)?;
    let mut incident = Value::Null;
    let opened = eventually(PATIENCE, async || {
        let answer = slod.api("/api/v1/incidents?state=open").await.unwrap_or_default();
        incident = answer["incidents"][0]["id"].clone();
        let told = slod.api("/api/v1/deliveries?state=sent").await.unwrap_or_default();
        incident.is_string() && told["deliveries"][0].is_object()
    });
    ensure!(opened.await, "no incident opens: {}", slod.log());
    let at = slod.api(&format!("/api/v1/slos/{slo}")).await?["watermark"].clone();
    let at = at.as_str().and_then(|at| at.parse::<chrono::DateTime<chrono::Utc>>().ok()).context("no watermark")?;
    let soon = at + chrono::TimeDelta::hours(1);
    let wanted = json!({"match": {"service": "inventory", "policy": "fast-burn"}, "ends_at": soon.to_rfc3339(), "by": "fuzz", "reason": "seed"});
    let (status, silence) = slod.post("/api/v1/silences", &wanted).await?;
    if status != 200 {
        bail!("no silence: {status} {silence}");
    }
    let at = slod.api(&format!("/api/v1/slos/{slo}/slots")).await?["slots"][0]["start"].clone();
    let wanted = json!({"slo": slo, "at": at, "bad": -1, "total": 0, "by": "fuzz", "reason": "seed"});
    let (status, correction) = slod.post("/api/v1/corrections", &wanted).await?;
    ensure!(status == 200, "no correction: {status} {correction}");
    let wanted = json!({"kind": "deploy", "text": "seed", "service": "inventory", "by": "fuzz"});
    let (status, annotation) = slod.post("/api/v1/annotations", &wanted).await?;
    ensure!(status == 200, "no annotation: {status} {annotation}");
    let annotation: Value = serde_json::from_str(&annotation)?;
    let silence: Value = serde_json::from_str(&silence)?;
    let deliveries = slod.api("/api/v1/deliveries").await?;
    Ok(json!({
        "service": "inventory",
        "slo": "dashboard-availability",
        "receiver": "ops-pager",
        "incident": incident,
        "delivery": deliveries["deliveries"][0]["id"],
        "silence": silence["id"],
        "annotation": annotation["id"],
    }))
}

/// Puts the names of what there is into the document, as examples of its parameters.
fn show(document: &mut Value, known: &Value) {
    let Some(paths) = document["paths"].as_object_mut() else { return };
    for (path, item) in paths {
        for operation in item.as_object_mut().into_iter().flat_map(|item| item.values_mut()) {
            for parameter in operation["parameters"].as_array_mut().into_iter().flatten() {
                let name = match parameter["name"].as_str().unwrap_or_default() {
                    "id" if path.contains("deliveries") => "delivery",
                    "id" if path.contains("silences") => "silence",
                    "id" if path.contains("annotations") => "annotation",
                    "id" => "incident",
                    name => name,
                };
                if let Some(value) = known.get(name) {
                    parameter["example"] = value.clone();
                }
            }
        }
    }
}

/// Runs the fuzzer. Whether it has found nothing.
fn ask(fuzzer: &Path, url: &str, document: &Path, seconds: &str, folder: &Path) -> anyhow::Result<bool> {
    let mut command = Command::new(fuzzer);
    command.arg("run").arg(document).args(["--url", url, "--checks", CHECKS, "--max-time", seconds]);
    command.args(["--phases", "examples,coverage,fuzzing,stateful", "--max-redirects", "0", "--request-timeout", "35"]);
    command.args(["--workers", "2", "--continue-on-failure", "--warnings", "off", "--no-color"]);
    command.args(["-H", &format!("Authorization: Bearer {TOKEN}")]);
    // Whatever is not on this machine is asked of a proxy that is not there.
    for name in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env(name, "http://127.0.0.1:9");
    }
    command.env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1").current_dir(folder);
    if let Ok(seed) = std::env::var("FUZZ_SEED") {
        command.args(["--seed", &seed]);
    }
    Ok(command.stdin(Stdio::null()).status().context("schemathesis does not start")?.success())
}
