//! What goes wrong with a request, as `{"error":{"code","message","help"}}`.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::views::desk::DeskError;

/// Why a request is not answered as asked.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// HTTP status.
    pub status: StatusCode,
    /// A word for programs.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The page to look at, on this site.
    pub look: Option<String>,
}

impl Problem {
    /// A problem without help.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), help: None, look: None }
    }

    /// 400.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", message)
    }

    /// 404.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into()).filter(|help| !help.is_empty());
        self
    }

    /// Adds where to look, unless that is the overview, which every page leads to.
    #[must_use]
    pub fn look(mut self, place: &str) -> Self {
        self.look = Some(place.to_owned()).filter(|place| place != "/");
        self
    }
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        let message = error.to_string();
        match error {
            DeskError::NotFound(_, exists) => Self::not_found(message).help(exists),
            DeskError::Invalid(_) => Self::invalid(message),
            DeskError::Conflict(_) => Self::new(StatusCode::CONFLICT, "conflict", message),
            DeskError::Unavailable(_) => Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
                .help("the store cannot be used just now; /-/ready says more"),
            DeskError::Rejected(problems) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "config_rejected",
                format!("{message}:\n{}", problems.trim_end()),
            )
            .help("the running configuration stays; `slod check` shows the same problems"),
        }
    }
}

/// What every refusal looks like.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub struct ProblemBody {
    /// What is wrong.
    error: ProblemError,
}

/// Why a request is not answered as asked.
#[derive(Serialize, JsonSchema)]
struct ProblemError {
    /// A word for programs: `invalid`, `not_found`, `conflict`, …
    code: &'static str,
    /// What is wrong, for people.
    message: String,
    /// What to do about it.
    help: Option<String>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { code, message, help, .. } = self.clone();
        let body = ProblemBody { error: ProblemError { code, message, help } };
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        // A browser's answer is made from it on the way out.
        response.extensions_mut().insert(self);
        response
    }
}
