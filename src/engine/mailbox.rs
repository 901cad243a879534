//! The decider's mailbox. Two ways in: what people do is taken before what sources say, and of that only so much at a
//! time, so that nobody who acknowledges waits for the answers of a thousand SLOs.

use std::{future::poll_fn, task::Poll};

use tokio::sync::{
    mpsc::{self, error::SendError},
    oneshot,
};

use super::decider::Ruling;
use crate::domain::{
    correction::Correction,
    decide::{Input, Rejected, SeriesKey, Touched},
    incident::IncidentEvent,
    silence::{Scope, Silence},
};

/// What the decider is asked to do.
#[derive(Debug)]
pub enum Order {
    /// An answer of a source, or a sign of life.
    Input(Input),
    /// Slots that were asked about after the fact; answered when they are written.
    Fill {
        /// The answer.
        input: Input,
        /// Where it is said.
        done: oneshot::Sender<()>,
    },
    /// What a person did; answered when it is written.
    Act {
        /// Which incident.
        incident: String,
        /// What.
        event: IncidentEvent,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<(), Rejected>>,
    },
    /// A correction by a person; answered when it is written.
    Correct {
        /// Of which series.
        key: SeriesKey,
        /// How.
        correction: Correction,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<(), Rejected>>,
    },
    /// A silence that a person wants; answered, with what it mutes, when it is written.
    Silence {
        /// Which.
        silence: Box<Silence>,
        /// Only say what it would mute.
        preview: bool,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<Scope, Rejected>>,
    },
    /// A silence that a person ends early; answered when it is written.
    Unsilence {
        /// Its id.
        id: String,
        /// Who.
        by: String,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<(), Rejected>>,
    },
    /// Finish what is in the mailbox and end.
    Stop,
    /// Other rules; answered when they are in force.
    Adopt {
        /// The rules, and what else the decider needs of the configuration.
        rules: Box<Ruling>,
        /// Where the answer goes: which incidents it touched.
        reply: oneshot::Sender<Result<Touched, String>>,
    },
}

impl Order {
    /// Whether a person waits for it.
    pub fn is_act(&self) -> bool {
        matches!(self, Self::Act { .. } | Self::Correct { .. } | Self::Silence { .. } | Self::Unsilence { .. })
    }
}

/// Most answers of sources in one transaction.
const BATCH_MAX: usize = 256;
/// Most orders that wait on either way; more senders wait for a place.
const WAITING_MAX: usize = 16_384;

/// The way to the decider.
#[derive(Clone, Debug)]
pub struct Orders {
    acts: mpsc::Sender<Order>,
    rest: mpsc::Sender<Order>,
}

/// The decider's end of it.
#[derive(Debug)]
pub struct Mailbox {
    acts: mpsc::Receiver<Order>,
    rest: mpsc::Receiver<Order>,
    /// It is the turn of the sources: people came before.
    turn_of_rest: bool,
}

/// A mailbox, and the way to it.
pub fn mailbox() -> (Orders, Mailbox) {
    let ((acts, acted), (rest, said)) = (mpsc::channel(WAITING_MAX), mpsc::channel(WAITING_MAX));
    (Orders { acts, rest }, Mailbox { acts: acted, rest: said, turn_of_rest: false })
}

impl Orders {
    /// Leaves an order, waiting for a place.
    ///
    /// # Errors
    /// Nobody takes orders any more; the order is given back.
    pub async fn send(&self, order: Order) -> Result<(), SendError<Order>> {
        let way = if order.is_act() { &self.acts } else { &self.rest };
        way.send(order).await
    }

    /// Asks the decider to decide what waits, and to end. False if it has ended, or cannot be told.
    pub fn stop(&self) -> bool {
        self.rest.try_send(Order::Stop).is_ok()
    }
}

impl Mailbox {
    /// Waits for orders and takes those of the next transaction: what people did, all of it; else what sources said, in
    /// its order. After people it is the sources' turn, so that nobody keeps them waiting for ever. False if there will be
    /// no orders any more. Safe to drop at any time: nothing is taken then.
    pub async fn take(&mut self, orders: &mut Vec<Order>) -> bool {
        self.turn_of_rest &= !self.rest.is_empty();
        let taken = poll_fn(|context| {
            if !self.turn_of_rest
                && let Poll::Ready(acts) = self.acts.poll_recv_many(context, orders, WAITING_MAX)
            {
                return Poll::Ready(acts);
            }
            self.rest.poll_recv_many(context, orders, BATCH_MAX)
        })
        .await;
        // Whoever sends holds both ways.
        if taken == 0 {
            return false;
        }
        self.turn_of_rest = orders.iter().all(Order::is_act);
        // An end comes after everything that was ordered before it.
        if orders.iter().any(|order| matches!(order, Order::Stop)) {
            while let Ok(order) = self.acts.try_recv().or_else(|_| self.rest.try_recv()) {
                orders.push(order);
            }
        }
        true
    }

    /// The next order.
    pub async fn recv(&mut self) -> Option<Order> {
        tokio::select! {
            biased;
            order = self.acts.recv() => order,
            order = self.rest.recv() => order,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(orders: &[Order]) -> String {
        let word = |order: &Order| match order {
            Order::Unsilence { .. } => 'a',
            Order::Stop => '.',
            _ => 's',
        };
        orders.iter().map(word).collect()
    }

    #[tokio::test]
    async fn people_first_and_sources_by_the_handful() {
        let act = || Order::Unsilence { id: "s".into(), by: "ann".into(), reply: oneshot::channel().0 };
        let (orders, mut mailbox) = mailbox();
        for _ in 0..BATCH_MAX + 2 {
            orders.send(Order::Input(Input::Tick)).await.unwrap();
        }
        orders.send(act()).await.unwrap();
        orders.send(act()).await.unwrap();
        let mut taken = Vec::new();
        assert!(mailbox.take(&mut taken).await);
        assert_eq!(words(&taken), "aa");
        taken.clear();
        orders.send(act()).await.unwrap();
        assert!(mailbox.take(&mut taken).await);
        assert_eq!(words(&taken), "s".repeat(BATCH_MAX), "each in turn");
        taken.clear();
        assert!(mailbox.take(&mut taken).await);
        assert_eq!(words(&taken), "a");
        taken.clear();
        assert!(orders.stop());
        orders.send(Order::Input(Input::Tick)).await.unwrap();
        assert!(mailbox.take(&mut taken).await);
        assert_eq!(words(&taken), "ss.s", "the end takes everything along");
        drop(orders);
        assert!(!mailbox.take(&mut taken).await);
    }
}
