//! Free ports on loopback for programs that want to be told one.
//!
//! A port that is free now may be taken a moment later, so whoever uses one must try again with another. They lie
//! below the range that systems give to outgoing connections, so that a stopped program finds its port free again.

use std::{
    hash::{BuildHasher, RandomState},
    io::{Error, ErrorKind},
    net::{Ipv4Addr, TcpListener},
};

const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// A port nobody listens on at this moment, chosen at random.
pub fn free_port() -> std::io::Result<u16> {
    let random = RandomState::new();
    for attempt in 0..200_u32 {
        let port = FIRST + (random.hash_one(attempt) % u64::from(COUNT)) as u16;
        if is_free(port) {
            return Ok(port);
        }
    }
    Err(Error::new(ErrorKind::AddrInUse, "no free port found on loopback"))
}

/// Whether nobody listens on `port`.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}
