//! Names: of services, SLOs, policies, receivers, sources. Cheap to clone, ordered, never empty.

use std::{fmt, ops::Deref, sync::Arc};

use serde::{Deserialize, Serialize};

/// The name of something in the configuration. Its rules (`[a-z0-9][a-z0-9-]*`) are held by the configuration.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Name(Arc<str>);

impl Name {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Name {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Name {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0.as_ref().to_owned()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}

/// `service/slo`: the identity of an SLO.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SloId {
    /// The service that makes the promise.
    pub service: Name,
    /// The SLO's name within the service.
    pub slo: Name,
}

impl SloId {
    /// Joins two names.
    pub fn new(service: impl Into<Name>, slo: impl Into<Name>) -> Self {
        Self { service: service.into(), slo: slo.into() }
    }
}

impl TryFrom<String> for SloId {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        match text.split_once('/') {
            Some((service, slo)) if !service.is_empty() && !slo.is_empty() => Ok(Self::new(service, slo)),
            _ => Err(format!("`{text}` is not `service/slo`")),
        }
    }
}

impl From<SloId> for String {
    fn from(id: SloId) -> Self {
        id.to_string()
    }
}

impl fmt::Display for SloId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.service, self.slo)
    }
}

impl fmt::Debug for SloId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")
    }
}

/// The label values of one series of an SLO; empty for an SLO without `per`.
pub type Series = std::collections::BTreeMap<String, String>;
