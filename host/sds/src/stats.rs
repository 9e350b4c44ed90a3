//! Counters of a server.

#![cfg_attr(not(unix), allow(dead_code, reason = "there is no server that counts"))]

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of a server, for metrics.
#[derive(Debug, Default)]
pub struct Stats {
    opened: AtomicU64,
    closed: AtomicU64,
    pushed: AtomicU64,
    accepted: AtomicU64,
    rejected: AtomicU64,
    refused: AtomicU64,
}

impl Stats {
    /// Streams that are open now.
    #[must_use]
    pub fn streams(&self) -> u64 {
        // In this order, so that a stream that opens in between is not counted as minus one.
        let closed = self.closed.load(Ordering::SeqCst);
        self.opened.load(Ordering::SeqCst).saturating_sub(closed)
    }

    /// Responses sent so far, over all streams.
    #[must_use]
    pub fn pushed(&self) -> u64 {
        self.pushed.load(Ordering::SeqCst)
    }

    /// Responses that readers accepted (ACK).
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::SeqCst)
    }

    /// Responses that readers rejected (NACK).
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.rejected.load(Ordering::SeqCst)
    }

    /// Connections that were closed because their user is not allowed.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::SeqCst)
    }

    /// Counts a new stream, and returns its number.
    pub(crate) fn open(&self) -> u64 {
        self.opened.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub(crate) fn close(&self) {
        add_one(&self.closed);
    }

    pub(crate) fn push(&self) {
        add_one(&self.pushed);
    }

    pub(crate) fn accept(&self) {
        add_one(&self.accepted);
    }

    pub(crate) fn reject(&self) {
        add_one(&self.rejected);
    }

    pub(crate) fn refuse(&self) {
        add_one(&self.refused);
    }
}

fn add_one(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::SeqCst);
}
