//! One stream of a reader: requests in, responses out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, stream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tonic::{Status, Streaming};

use crate::board::Posted;
use crate::connection::InUse;
use crate::log_once::LogOnce;
use crate::proto::{DiscoveryRequest, DiscoveryResponse};
use crate::stats::Stats;
use crate::subscription::{Subscription, Verdict};

/// The timeout for the ACK of the last response when the server ends.
const LAST_ANSWER: Duration = Duration::from_secs(1);

/// The state that all streams share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) board: watch::Receiver<BTreeMap<String, Posted>>,
    pub(crate) stats: Arc<Stats>,
    /// Set when the server ends: the board does not change after that.
    pub(crate) closing: watch::Receiver<bool>,
    /// Requested names that the board lacks. A proxy requests them again every second, so each is
    /// logged once.
    pub(crate) strangers: Arc<LogOnce<String>>,
    /// Distinguishes this run of the server from earlier ones.
    pub(crate) run: u64,
}

struct Reader {
    number: u64,
    requests: Streaming<DiscoveryRequest>,
    subscription: Subscription,
    shared: Shared,
    /// The stream ends after the last item.
    over: bool,
    /// When the stream ends without an answer.
    deadline: Option<Instant>,
    /// Keeps the connection from being idle while the stream is open.
    _in_use: Option<InUse>,
}

/// The responses to a reader, until it leaves.
pub(crate) fn responses(
    requests: Streaming<DiscoveryRequest>,
    shared: Shared,
    in_use: Option<InUse>,
) -> impl Stream<Item = Result<DiscoveryResponse, Status>> + Send {
    let number = shared.stats.open();
    let subscription = Subscription::new(shared.run);
    tracing::debug!("stream {number}: open");
    let reader = Reader { number, requests, subscription, shared, over: false, deadline: None, _in_use: in_use };
    stream::unfold(reader, |mut reader| async move {
        let item = reader.next().await?;
        Some((item, reader))
    })
}

impl Reader {
    async fn next(&mut self) -> Option<Result<DiscoveryResponse, Status>> {
        while !self.over {
            let response = self.subscription.response(&self.shared.board.borrow_and_update());
            if let Some(response) = response {
                self.shared.stats.push();
                return Some(Ok(response));
            }
            if *self.shared.closing.borrow_and_update() {
                if self.subscription.is_answered() {
                    return None;
                }
                self.deadline.get_or_insert_with(|| Instant::now() + LAST_ANSWER);
            }
            let deadline = self.deadline;
            tokio::select! {
                request = self.requests.message() => match request {
                    Ok(Some(request)) => {
                        if let Err(status) = self.take(&request) {
                            self.over = true;
                            return Some(Err(status));
                        }
                    }
                    // The reader has left.
                    Ok(None) | Err(_) => self.over = true,
                },
                changed = self.shared.board.changed() => self.over |= changed.is_err(),
                closing = self.shared.closing.changed() => self.over |= closing.is_err(),
                () = async { sleep_until(deadline.unwrap_or_else(Instant::now)).await }, if deadline.is_some() => {
                    self.over = true;
                }
            }
        }
        None
    }

    fn take(&mut self, request: &DiscoveryRequest) -> Result<(), Status> {
        let verdict = self.subscription.request(request, &self.shared.board.borrow());
        let (number, names) = (self.number, self.subscription.names());
        if let Some(name) =
            self.subscription.unknown().filter(|name| self.shared.strangers.is_first((*name).to_owned()))
        {
            tracing::warn!("stream {number}: the reader asks for {name}, which is not a profile of the policy");
        }
        match verdict? {
            Verdict::None => tracing::debug!("stream {number}: wants {names}"),
            Verdict::Ack => {
                self.shared.stats.accept();
                tracing::info!("stream {number}: {names}: accepted");
            }
            Verdict::Nack(why) => {
                self.shared.stats.reject();
                tracing::warn!(
                    "stream {number}: {names}: rejected by the reader, which keeps the previous token: {why}"
                );
            }
        }
        Ok(())
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.shared.stats.close();
        tracing::debug!("stream {}: closed", self.number);
    }
}
