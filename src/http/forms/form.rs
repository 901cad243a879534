//! What a browser sends of a form.

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, StatusCode, header},
};

use crate::http::problem::Problem;

/// Most bytes of a form: more than its longest fields take when every letter is written out.
const FORM_MAX: usize = 256 * 1024;
/// Most fields of a form.
const FIELDS_MAX: usize = 64;

/// The fields of a form, as text.
#[derive(Clone, Debug, Default)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads it whole.
    pub async fn read(headers: &HeaderMap, body: Body) -> Result<Self, Problem> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_a_form", "this takes a form")
                .help("programs use the API: /api/v1/…"));
        }
        let bytes = to_bytes(body, FORM_MAX).await.map_err(|_| {
            let message = format!("the form is larger than {} KiB, or broke off", FORM_MAX / 1024);
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
        })?;
        Self::parse(&bytes)
    }

    fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let fields: Vec<(String, String)> =
            url::form_urlencoded::parse(bytes).into_owned().take(FIELDS_MAX + 1).collect();
        if fields.len() > FIELDS_MAX {
            return Err(Problem::invalid(format!("the form has more than {FIELDS_MAX} fields")));
        }
        // What is no UTF-8 was read as this letter, which nobody types.
        if fields.iter().any(|(name, value)| name.contains('\u{fffd}') || value.contains('\u{fffd}')) {
            return Err(Problem::invalid("the form is not written in UTF-8"));
        }
        let mut names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Problem::invalid(format!("the form has the field `{}` twice", shortened(twice[0]))));
        }
        Ok(Self(fields))
    }

    /// A field without the space around it; empty if there is none.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value.trim())
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_strictly() {
        let form = Form::parse("text=+caf%C3%A9+%26+%3Cb%3E+&by=".as_bytes()).unwrap();
        assert_eq!((form.get("text"), form.get("by"), form.get("other")), ("café & <b>", "", ""));
        let many = (0..65).map(|number| format!("f{number}=x")).collect::<Vec<_>>().join("&");
        for (bytes, said) in [
            (b"text=%FF".as_slice(), "UTF-8"),
            (b"text=\xC3\x28", "UTF-8"),
            (b"%C0%AF=x", "UTF-8"),
            (b"text=%ED%A0%80", "UTF-8"),
            (b"csrf=a&csrf=b", "twice"),
            (many.as_bytes(), "more than 64"),
        ] {
            assert!(Form::parse(bytes).unwrap_err().message.contains(said), "{bytes:?}");
        }
    }
}
