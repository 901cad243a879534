//! What goes wrong with a request, as `{"error":{"code","message","help"}}`.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

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
}

impl Problem {
    /// A problem without help.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), help: None }
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

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({"error": {"code": self.code, "message": self.message, "help": self.help}});
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // A browser's answer is made from it on the way out.
        response.extensions_mut().insert(self);
        response
    }
}
