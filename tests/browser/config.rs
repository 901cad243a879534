//! The configurations of the daemons that the browser sees.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::hostile;

/// What a query of a service's traffic answers; a test changes the row.
fn traffic(name: &str) -> Value {
    json!({"ratio": {"source": "shop-db", "sql": format!("select bad, total from traffic where name = '{name}'")}})
}

fn slo(title: &str, objective: &str, every: &str, indicator: &Value) -> Value {
    json!({"title": title, "objective": objective, "window": "30d", "every": every, "settle": "0s", "indicator": indicator})
}

/// Everything that is the same for all.
fn base(services: &Value) -> Value {
    json!({
        "version": 1,
        "daemon": {
            "store": "sqlite:slod.db", "timezone": "Europe/Berlin",
            "tokens": {"ops-lead": {"secret": {"from_env": "OPS_TOKEN"}, "can": ["operate"]}},
        },
        "sources": {
            "shop-db": {"postgres": {"url": {"from_env": "SHOP_URL"}}},
            "payments-db": {
                "postgres": {"url": {"from_env": "PAYMENTS_URL"}, "statement_timeout": "1s"},
                "blind_after": "1s", "blind": {"priority": "P3", "notify": ["ops-pager"]},
            },
        },
        "receivers": {
            "ops-pager": {"pagerduty": {"routing_key": {"from_env": "PAGER_KEY"}, "url": {"from_env": "PAGER_URL"}}, "fallback": "team-chat"},
            "platform-pager": {"pagerduty": {"routing_key": {"from_env": "PAGER_KEY"}, "url": {"from_env": "PAGER_URL"}}},
            "team-chat": {"slack": {"webhook": {"from_env": "CHAT_URL"}}},
            "public-status": {"statuspage": {
                "page": "p4ge", "key": {"from_env": "PAGE_KEY"}, "components": {"shop": "component-1"}, "url": {"from_env": "PAGE_URL"},
            }},
            "ops-lead": {"email": {"to": ["ops-lead@example.com"]}},
        },
        "mail": {"smtp": {"from_env": "MAIL_URL"}, "from": "slod@example.com"},
        "escalations": {"operations": {"acknowledge_timeout": "1h", "steps": [
            {"after": "0m", "notify": ["ops-pager", "team-chat"]},
            {"after": "30m", "unless": "acknowledged", "notify": ["platform-pager"]},
            {"after": "2h", "unless": "resolved", "notify": ["ops-lead"]},
        ]}},
        "policies": {
            "outage": {"slo": "*/*", "when": {"consecutive": 1}, "priority": "P1", "escalation": "operations"},
            "fast-burn": {"slo": "*/*", "when": {"burn_rate": "sre-workbook"}, "priority": "P2", "notify": ["team-chat"]},
            "budget-low": {"slo": "*/*", "when": {"budget_remaining": "< 25%"}, "priority": "P3", "notify": ["team-chat"]},
        },
        "reports": {"monthly-review": {"services": ["inventory"], "cron": "0 9 1 * *", "notify": ["ops-lead"]}},
        "services": services,
    })
}

/// A shop with SLOs in every state.
pub fn shop() -> Value {
    let blind = json!({"ratio": {"source": "payments-db", "sql": "select 0 as bad, count(*) as total from payments"}});
    let by_region = "select region, bad, total from regions";
    let mut orders =
        slo("Orders are placed", "99.9%", "1m", &json!({"ratio": {"source": "shop-db", "sql": by_region}}));
    orders["per"] = json!(["region"]);
    let freshness = json!({"value": {"source": "shop-db", "sql": "select seconds from freshness", "unit": "seconds", "good": "<= 15m"}});
    base(&json!({
        "inventory": {
            "title": "Inventory dashboard", "owner": "Inventory Engineering", "escalation": "operations",
            "runbook": {
                "url": "https://runbooks.example.com/inventory",
                "diagnostics": {
                    "database": {"sql": {"source": "shop-db", "query": "select 1 as ok"}},
                    "oldest-actions": {"sql": {"source": "shop-db", "query": "select * from actions"}},
                },
                "manual": [{"run": "npm run inventory:recompute-rop", "needs": "manager approval"}],
            },
            "status_page": {"receiver": "public-status", "component": "shop", "confirm": {"for": "0s"}, "publish": "approve", "remind": ["team-chat"]},
            "slos": {
                "availability": slo("The dashboard answers", "99.5%", "5m", &traffic("availability")),
                "freshness": slo("Snapshot at most 15 minutes old", "95%", "5m", &freshness),
                "response-time": slo("Answers within 800 ms", "99%", "1m", &traffic("response-time")),
                "queue-latency": slo("Actions are seen within 3 minutes", "95%", "5m", &traffic("queue-latency")),
            },
        },
        "checkout": {
            "title": "Checkout", "owner": "Payments", "escalation": "operations",
            "slos": {
                "orders": orders,
                "payments": slo("Payments go through", "99.9%", "1m", &blind),
                "refunds": slo("Refunds go through", "99%", "5m", &traffic("refunds")),
            },
        },
        "search": {
            "title": "Search", "escalation": "operations",
            "slos": {"results": slo("Searches find something", "99%", "5m", &traffic("results"))},
        },
    }))
}

/// The shop, and a service in which every text is hostile.
pub fn hostile_shop(now: DateTime<Utc>) -> Value {
    let mut config = shop();
    let every = hostile::everything();
    let comment = every.replace("*/", "");
    let long = hostile::endless(5_000);
    let per = format!("select path, bad, total from paths /* {comment} {long} */");
    let mut paths = slo(&every, "99%", "1m", &json!({"ratio": {"source": "shop-db", "sql": per}}));
    paths["per"] = json!(["path"]);
    paths["description"] = json!(format!("{every} {}", hostile::endless(900)));
    let broken = json!({"ratio": {"source": "shop-db", "sql": "select broken() as bad, 1 as total"}});
    config["services"]["edge"] = json!({
        "title": every, "owner": hostile::IMAGE, "labels": {"team": hostile::SCRIPT}, "escalation": "operations",
        "runbook": {
            "url": "https://runbooks.example.com/?q=%3Cscript%3E&a='b'",
            "diagnostics": {"rows": {"sql": {"source": "shop-db", "query": format!("select * from hostile -- {hostile}", hostile = hostile::SCRIPT)}}},
            "manual": [{"run": every, "needs": hostile::IMAGE}],
        },
        "maintenance": {"move": {
            "slos": ["edge/quiet"], "start": (now - TimeDelta::hours(1)).to_rfc3339(), "end": (now + TimeDelta::hours(3)).to_rfc3339(),
            "budget": "counted", "reason": every,
        }},
        "slos": {
            "paths": paths,
            "broken": slo(hostile::RIGHT_TO_LEFT, "99%", "1m", &broken),
            "quiet": slo(hostile::IMAGE, "99%", "5m", &traffic("quiet")),
        },
    });
    config
}

/// Fifty SLOs of five services.
pub fn fifty() -> Value {
    let mut services = json!({});
    for service in 0..5 {
        let mut slos = json!({});
        for number in 0..10 {
            let title = format!("Promise {number} of service {service} is kept");
            slos[format!("promise-{number}")] = slo(&title, "99%", "5m", &traffic("availability"));
        }
        services[format!("service-{service}")] =
            json!({"title": format!("Service {service}"), "escalation": "operations", "slos": slos});
    }
    let mut config = base(&services);
    config["reports"]["monthly-review"]["services"] = json!(["service-0"]);
    config["sources"].as_object_mut().unwrap().remove("payments-db");
    config
}
