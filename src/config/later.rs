//! What nothing refers to.

use super::{
    codes::Code,
    context::{Context, Thing},
    finding::Finding,
};

/// Warns of what nothing refers to.
pub(crate) fn unused(cx: &Context<'_>) {
    for thing in [Thing::Source, Thing::Receiver, Thing::Escalation, Thing::Template] {
        for (name, known) in cx.known.get(&thing).into_iter().flatten() {
            if !cx.is_used(thing, name) {
                let message = format!("{} `{name}` is never used", thing.word());
                cx.push(Finding::warning(Code::Unused, known.at, message).help("remove it, or refer to it"));
            }
        }
    }
}
