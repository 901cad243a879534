//! Behaviour, from the outside: the real code in a made-up world. One binary for all of it.

mod channels;
mod companion;
mod config;
mod live;
mod seed;
mod sources;
