//! The companion: pages, API and metrics over the desk.
//!
//! Cast: [`Companion`] is what every handler is given; [`routes`] lists what can be asked; `guard` decides who
//! may ask and for how long; `kept` has the overview written once a second;
//! `observe` times every answer; [`serve`] listens on TCP and on the Unix socket.
//!
//! Guarantees: reading is open, writing over TCP takes a token that may operate (or the session of a person who has
//! logged in with one, and a form of ours), the Unix socket is for root and the daemon's own user. Everything from outside is escaped. No answer waits longer than 30 s, no body is larger
//! than 1 MiB, a panic in one answer ends that answer only.

mod api;
mod ask;
mod chart;
mod forms;
mod guard;
mod here;
mod kept;
mod observe;
pub mod openapi;
mod pages;
mod problem;
mod router;
pub mod routes;
pub mod serve;
mod session;
mod webhooks;

use std::sync::Arc;

use axum::http::Method;
use chrono::{DateTime, Utc};
use tokio::sync::Semaphore;

pub use self::router::router;
use crate::{clock::Clock, views::desk::Desk};

/// Most requests of one kind answered at once; more wait their turn.
const ANSWERS_AT_ONCE: usize = 64;
/// Most requests with a body under way over TCP at once: one may take its time to arrive.
const BODIES_AT_ONCE: usize = 256;

/// Where a request came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Surface {
    /// Anybody who can reach the port: reads; writes with a token.
    Tcp,
    /// Root or our own user, checked when the connection was accepted: may do everything.
    Socket,
}

/// Whose turn it is to be answered. Strangers who send slowly, or ask for much, keep neither readers from reading nor the
/// command line on the host from acting.
#[derive(Debug)]
struct Turns {
    reading: Semaphore,
    writing: Semaphore,
    socket: Semaphore,
}

impl Default for Turns {
    fn default() -> Self {
        let (reading, socket) = (Semaphore::new(ANSWERS_AT_ONCE), Semaphore::new(ANSWERS_AT_ONCE));
        Self { reading, writing: Semaphore::new(BODIES_AT_ONCE), socket }
    }
}

impl Turns {
    /// Those that a request waits among.
    fn of(&self, surface: Surface, method: &Method) -> &Semaphore {
        match surface {
            Surface::Socket => &self.socket,
            Surface::Tcp if matches!(*method, Method::GET | Method::HEAD) => &self.reading,
            Surface::Tcp => &self.writing,
        }
    }
}

/// What every handler is given. Cheap to clone; all surfaces share one.
#[derive(Clone)]
pub struct Companion {
    desk: Arc<dyn Desk>,
    clock: Arc<dyn Clock>,
    metrics: Arc<observe::Latencies>,
    turns: Arc<Turns>,
    sessions: Arc<session::Sessions>,
    attempts: Arc<session::Attempts>,
    answers: Arc<kept::Answers>,
}

impl Companion {
    /// A companion that answers from `desk`.
    pub fn new(desk: Arc<dyn Desk>, clock: Arc<dyn Clock>) -> Self {
        Self {
            desk,
            clock,
            metrics: Arc::default(),
            turns: Arc::default(),
            sessions: Arc::default(),
            attempts: Arc::default(),
            answers: Arc::default(),
        }
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
}
