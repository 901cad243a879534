//! The configuration: YAML files in, one checked [`model::Config`] out, or all problems at once.

pub mod model;
pub mod secret;
