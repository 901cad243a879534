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
mod looks;
mod periods;
mod properties;
mod series;
mod silences;
mod slices;
mod status;
mod telling;
mod verdicts;
mod words;
mod world;
