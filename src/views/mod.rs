//! What is shown: the JSON of the API, field by field, and the desk that answers for it.
//!
//! Pages, command line and API all speak in these types, so that no figure can differ between them.

pub mod against;
pub mod almanac;
pub mod annotation;
pub mod course;
pub mod dashboard;
pub mod desk;
pub mod explain;
pub mod exposition;
pub mod figures;
pub mod fingerprint;
pub mod gaps;
pub mod hindsight;
pub mod inbound;
pub mod incident;
pub mod month;
pub mod noise;
pub mod post_incident;
pub mod reminder;
pub mod render_columns;
pub mod render_csv;
pub mod render_explain;
pub mod render_html;
pub mod render_markdown;
pub mod render_table;
pub mod render_text;
pub mod render_top;
pub mod render_why;
pub mod render_words;
pub mod report;
pub mod review;
pub mod shapes;
pub mod silence;
pub mod slo;
pub mod trend;
pub mod when;
pub mod why;
