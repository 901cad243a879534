//! Everything that can be asked, as data: the router is checked against it, errors name it.

/// One route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// `GET` (and `HEAD`), `POST` or `DELETE`.
    pub method: &'static str,
    /// As the router matches it.
    pub path: &'static str,
    /// The query keys it knows; any other is refused.
    pub keys: &'static [&'static str],
    /// In words.
    pub what: &'static str,
}

const fn get(path: &'static str, keys: &'static [&'static str], what: &'static str) -> Route {
    Route { method: "GET", path, keys, what }
}

const fn post(path: &'static str, what: &'static str) -> Route {
    Route { method: "POST", path, keys: &[], what }
}

const fn delete(path: &'static str, what: &'static str) -> Route {
    Route { method: "DELETE", path, keys: &[], what }
}

impl Route {
    /// Takes a form of our own pages, by a person who has logged in; not a program's call.
    pub fn is_form(&self) -> bool {
        let by_programs = ["/api/", "/-/", "/webhooks/"];
        self.method == "POST" && !by_programs.iter().any(|prefix| self.path.starts_with(prefix))
    }

    /// Whether programs have a use for it: not a form, nor the page that asks whether one is sure. Those are not part of
    /// the API.
    pub fn is_api(&self) -> bool {
        let asks = ["/login", "/resolve", "/approve", "/discard"];
        let is_page = self.method == "GET" && !self.path.starts_with("/api/");
        let is_of_a_form = self.is_form() || (is_page && asks.iter().any(|end| self.path.ends_with(end)));
        !is_of_a_form
    }
}

/// Stands for the labels of an SLO's series among query keys: whoever answers knows which there are.
pub const LABELS: &str = "LABEL";

/// All routes.
pub const ROUTES: &[Route] = &[
    get("/", &["state", "service", "q", "sort", "embed"], "all services, worst first"),
    get("/{service}/health", &["embed"], "a service's figures"),
    get("/{service}/alerts", &["page"], "a service's alerts and incidents"),
    get("/{service}/optimization", &[], "a service's objectives against what was achieved"),
    get("/{service}/budget", &["month"], "a service's budget report"),
    get("/slo/{service}/{slo}", &["embed", LABELS], "one SLO"),
    get("/incident/{id}", &["done"], "one incident"),
    get("/incident/{id}/resolve", &[], "asks whether an incident is to end"),
    get("/incident/{id}/status-page/approve", &[], "asks whether the status page's draft is to be posted"),
    get("/incident/{id}/status-page/discard", &[], "asks whether the status page's draft is to be dropped"),
    get("/silences", &["done"], "silences, and planned work"),
    get("/sources", &["done"], "sources, receivers, and what is told on crontabs"),
    get("/login", &["next"], "log in to act by the pages"),
    post("/login", "form: token, name"),
    post("/logout", "form: log out"),
    post("/incident/{id}/acknowledge", "form: take an incident"),
    post("/incident/{id}/resolve", "form: end an incident"),
    post("/incident/{id}/note", "form: add a note to an incident"),
    post("/incident/{id}/silence", "form: silence an incident's SLO, after a look at what that mutes"),
    post("/incident/{id}/status-page/approve", "form: post the status page's draft"),
    post("/incident/{id}/status-page/discard", "form: drop the status page's draft"),
    post("/delivery/{id}/retry", "form: try a message again at once"),
    post("/silences", "form: silence something, after a look at what that mutes"),
    post("/silences/{id}/expire", "form: end a silence early"),
    get("/api", &[], "this API, for people to read"),
    get("/api/openapi.json", &[], "this API as OpenAPI 3.1"),
    get("/api/{service}/health-metrics", &[], "a service's SLOs in one small JSON"),
    get("/api/v1/status", &[], "how slod itself is: its store, its receivers"),
    get("/api/v1/slos", &[], "all figures"),
    get("/api/v1/slos/{service}/{slo}", &[LABELS], "one SLO's figures; with `per` its worst series, or `?label=value`"),
    get("/api/v1/slos/{service}/{slo}/slots", &["from", "to", LABELS], "the slots behind them"),
    get("/api/v1/slos/{service}/{slo}/explain", &["at", LABELS], "how they follow from the slots"),
    get("/api/v1/slos/{service}/{slo}/why", &["at", "policy", LABELS], "why nobody was paged at a moment, or who was"),
    get("/api/v1/budget", &["month", "service", "format"], "budget report as json, csv or markdown"),
    get("/api/v1/noise", &["days", "service"], "how often each policy has paged, and what it was worth"),
    get("/api/v1/config", &[], "what the running configuration holds: names and fingerprints"),
    get("/api/v1/incidents", &["state", "service", "limit"], "incidents, the newest first"),
    get("/api/v1/incidents/{id}", &["format"], "one incident with everything, as json or markdown"),
    get("/api/v1/incidents/{id}/why", &[], "everything that was decided of it, and each attempt to deliver"),
    post("/api/v1/incidents/{id}/acknowledge", "take an incident"),
    post("/api/v1/incidents/{id}/resolve", "end an incident"),
    post("/api/v1/incidents/{id}/note", "add a note to an incident"),
    post("/api/v1/incidents/{id}/status-page/approve", "post the status page's draft"),
    post("/api/v1/incidents/{id}/status-page/discard", "drop the status page's draft"),
    get("/api/v1/deliveries", &["state", "limit"], "the outbox, the newest first"),
    get("/api/v1/deliveries/{id}", &[], "one message of the outbox"),
    post("/api/v1/deliveries/{id}/retry", "try a message again at once"),
    post("/api/v1/corrections", "add a budget correction"),
    get("/api/v1/annotations", &["service", "from", "to", "limit"], "deploys and notes, the newest first"),
    post("/api/v1/annotations", "put a deploy or a note on record, to be seen beside charts and incidents"),
    delete("/api/v1/annotations/{id}", "take an annotation away"),
    get("/api/v1/silences", &["state", "limit"], "silences, the newest first"),
    post("/api/v1/silences", "silence something for a while, or see what that would mute"),
    delete("/api/v1/silences/{id}", "end a silence early"),
    post("/api/v1/notify-test/{receiver}", "queue one marked test message"),
    get("/badge/{service}/{slo}", &[], "an SLO's state as an image: SLO.svg"),
    get("/metrics", &[], "Prometheus metrics"),
    get("/-/healthy", &[], "200 once listening"),
    get("/-/ready", &[], "200 once every SLO has a settled slot and the store can be written"),
    post("/-/reload", "read the configuration again"),
    post("/webhooks/pagerduty", "calls of PagerDuty's webhooks, by their signature"),
    post("/webhooks/slack", "calls of Slack's buttons, by their signature"),
    get("/assets/slod.css", &[], "the style of the pages"),
    get("/assets/reader.css", &[], "the style of the API's page"),
    get("/assets/slod.js", &[], "what keeps pages fresh"),
    get("/favicon.svg", &[], "the icon"),
    get("/favicon.ico", &[], "the icon"),
];

/// Whether a path takes calls that prove themselves by a signature over their body: they need no token, and under
/// whichever name they found us says nothing.
pub fn is_signed(path: &str) -> bool {
    matches!(path, "/webhooks/pagerduty" | "/webhooks/slack")
}

/// Whether the answer of a matched path is long, and the same for all who have not logged in.
pub fn is_kept(path: &str) -> bool {
    matches!(path, "/" | "/{service}/health")
}

/// The route of a matched path.
pub fn find(method: &str, path: &str) -> Option<&'static Route> {
    let method = if method == "HEAD" { "GET" } else { method };
    ROUTES.iter().find(|route| route.method == method && route.path == path)
}

/// Whether a path is asked by a method.
pub fn is_asked(method: &str, path: &str) -> bool {
    let fits = |route: &Route| {
        let (mut known, mut given) = (route.path.split('/'), path.split('/'));
        loop {
            match (known.next(), given.next()) {
                (None, None) => return true,
                (Some(known), Some(given)) if known == given || known.starts_with('{') && !given.is_empty() => {}
                _ => return false,
            }
        }
    };
    ROUTES.iter().any(|route| route.method == method && fits(route))
}

/// The pages of one service whose latency is also kept under the service's own metric name.
pub const SERVICE_PAGES: [&str; 5] = [
    "/{service}/health",
    "/{service}/alerts",
    "/{service}/optimization",
    "/{service}/budget",
    "/api/{service}/health-metrics",
];

/// What there is, in one line, for an answer that says what there is not.
pub fn overview() -> String {
    let paths: Vec<&str> = ROUTES
        .iter()
        .filter(|route| route.method == "GET" && !route.path.starts_with("/assets") && !route.path.contains("favicon"))
        .map(|route| route.path)
        .collect();
    format!("there are {}", paths.join(" "))
}
