//! Behaviour, from the outside: the real code in a made-up world.

mod channels;
