//! Acting by forms: the same desk as the API, for a person with a browser.
//!
//! `gate` lets a form through, `posted` does what it says once, each handler answers with 303 to a page that says by a
//! fixed word what became of it.

pub mod deliveries;
pub mod form;
pub mod gate;
pub mod incident;
pub mod login;
pub mod outcome;
pub mod posted;
pub mod silences;
