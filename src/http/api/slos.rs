//! Figures and the slots behind them.

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, SecondsFormat, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use super::list as listed;
use crate::{
    domain::name::SloId,
    http::{Companion, ask::Ask, pages::known_service, problem::Problem},
    views::slo::{BudgetView, SloState, SloView, ValueView},
};

/// Most slots of one answer.
pub const SLOTS_MAX: usize = 50_000;

/// `GET /api/v1/slos`
pub async fn list(State(companion): State<Companion>) -> Response {
    listed("slos", &companion.desk.slos(), None)
}

/// `GET /api/v1/slos/{service}/{slo}`: of an SLO with `per`, its worst series, or the worst that has the labels asked for.
pub async fn one(
    State(companion): State<Companion>,
    Path((service, slo)): Path<(String, String)>,
    ask: Ask,
) -> Result<Json<SloView>, Problem> {
    Ok(Json(companion.desk.slo(&SloId::new(service, slo), &ask.labels(&[]))?))
}

/// `GET /api/v1/slos/{service}/{slo}/slots?from&to`
pub async fn slots(
    State(companion): State<Companion>,
    Path((service, slo)): Path<(String, String)>,
    ask: Ask,
) -> Result<Response, Problem> {
    let (from, to) = (ask.moment("from")?, ask.moment("to")?);
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        return Err(Problem::invalid("`from` is not before `to`"));
    }
    let id = SloId::new(service, slo);
    let labels = ask.labels(&["from", "to"]);
    let mut slots = companion.desk.slots(&id, &labels, from, to, SLOTS_MAX + 1).await?;
    // One more than fits says where to go on: it is the next answer's `from`.
    let next = slots.get(SLOTS_MAX).map(|slot| slot.start.to_rfc3339_opts(SecondsFormat::AutoSi, true));
    slots.truncate(SLOTS_MAX);
    Ok(listed("slots", &slots, next.as_deref()))
}

/// `GET /api/v1/slos/{service}/{slo}/explain?at`
pub async fn explain(
    State(companion): State<Companion>,
    Path((service, slo)): Path<(String, String)>,
    ask: Ask,
) -> Result<Response, Problem> {
    let at = ask.moment("at")?;
    let explanation = companion.desk.explain(&SloId::new(service, slo), &ask.labels(&["at"]), at).await?;
    Ok(Json(explanation).into_response())
}

/// A service in one small JSON.
#[derive(Serialize, JsonSchema)]
pub struct HealthMetrics {
    /// Its name.
    service: String,
    /// For people.
    title: String,
    /// The worst of its SLOs'.
    state: SloState,
    /// When this was computed.
    generated_at: DateTime<Utc>,
    /// Its SLOs, in order of name.
    slos: Vec<SmallSlo>,
}

/// The figures of an SLO that fit a dashboard's tile, under the same names.
#[derive(Serialize, JsonSchema)]
struct SmallSlo {
    #[schemars(with = "String")]
    id: SloId,
    name: String,
    title: String,
    state: SloState,
    objective: f64,
    window: String,
    sli: Option<f64>,
    good: f64,
    bad: f64,
    total: f64,
    budget: BudgetView,
    value: Option<ValueView>,
    watermark: Option<DateTime<Utc>>,
}

impl From<SloView> for SmallSlo {
    fn from(slo: SloView) -> Self {
        let SloView {
            id, name, title, state, objective, window, sli, good, bad, total, budget, value, watermark, ..
        } = slo;
        Self { id, name, title, state, objective, window, sli, good, bad, total, budget, value, watermark }
    }
}

/// `GET /api/{service}/health-metrics`
pub async fn health_metrics(
    State(companion): State<Companion>,
    Path(service): Path<String>,
) -> Result<Response, Problem> {
    let service = known_service(&companion, &service)?;
    let slos: Vec<SloView> = companion.desk.slos().into_iter().filter(|slo| slo.service == service.name).collect();
    let answer = HealthMetrics {
        state: slos.iter().map(|slo| slo.state).min().unwrap_or(SloState::Empty),
        service: service.name,
        title: service.title,
        generated_at: companion.now(),
        slos: slos.into_iter().map(SmallSlo::from).collect(),
    };
    Ok(Json(answer).into_response())
}
