//! The pure core, through its public face: slots and time in, messages out.

mod alerts;
mod blind;
mod clock;
mod conditions;
mod corrections;
mod examples;
mod gaps;
mod headlines;
mod history;
mod incidents;
mod late;
mod periods;
mod properties;
mod records;
mod series;
mod slices;
mod status;
mod telling;
mod words;
mod world;
