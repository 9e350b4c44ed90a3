//! A connection: its user, its idle timeout, and its requests, with `:authority` rewritten.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;
use tokio::time::{Instant, Sleep, sleep};
use tonic::transport::server::Connected;

use crate::crowd::Place;
use crate::requests::Requests;
use crate::resets::Resets;

/// The timeout for the first request of a connection.
const FIRST_REQUEST: Duration = Duration::from_secs(10);

/// The timeout of a connection without a stream of tokens or a new request.
const IDLE: Duration = Duration::from_secs(60);

/// A connection of a user who may have tokens.
pub(crate) struct Connection {
    stream: UnixStream,
    requests: Requests,
    resets: Resets,
    /// The number of requests when the timer was set.
    requests_seen: u64,
    timer: Pin<Box<Sleep>>,
    idle: Duration,
    place: Place,
}

/// The number of a connection's streams of tokens.
#[derive(Debug, Clone, Default)]
pub(crate) struct Usage(Arc<AtomicUsize>);

/// One stream, counted until dropped.
#[derive(Debug)]
pub(crate) struct InUse(Usage);

impl Usage {
    /// Counts a stream.
    pub(crate) fn begin(&self) -> InUse {
        self.0.fetch_add(1, Ordering::SeqCst);
        InUse(self.clone())
    }

    /// Whether the connection has a stream.
    pub(crate) fn is_in_use(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Connection {
    pub(crate) fn new(stream: UnixStream, place: Place, resets: Resets) -> Self {
        Self::with(stream, place, resets, FIRST_REQUEST, IDLE)
    }

    fn with(stream: UnixStream, place: Place, resets: Resets, first_request: Duration, idle: Duration) -> Self {
        let timer = Box::pin(sleep(first_request));
        Self { stream, requests: Requests::default(), resets, requests_seen: 0, timer, idle, place }
    }

    /// Waits until the idle timeout, or until the connection's place is given to another one.
    fn poll_idle(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.place.poll_given_up(context).is_ready() {
            return Poll::Ready(());
        }
        loop {
            ready!(self.timer.as_mut().poll(context));
            let is_used = self.place.usage().is_in_use() || self.requests.count() > self.requests_seen;
            if !is_used {
                return Poll::Ready(());
            }
            self.requests_seen = self.requests.count();
            self.timer.as_mut().reset(Instant::now() + self.idle);
        }
    }
}

impl Connected for Connection {
    type ConnectInfo = Usage;

    fn connect_info(&self) -> Usage {
        self.place.usage().clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if this.requests.give(buffer) {
                return Poll::Ready(Ok(()));
            }
            let mut bytes = [0; 8192];
            let mut read = ReadBuf::new(&mut bytes);
            match Pin::new(&mut this.stream).poll_read(context, &mut read) {
                Poll::Ready(Ok(())) if read.filled().is_empty() => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(())) => this.requests.take(read.filled())?,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                // A read of zero bytes ends the connection.
                Poll::Pending => return this.poll_idle(context).map(Ok),
            }
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(Pin::new(&mut this.stream).poll_write(context, bytes))?;
        this.resets.watch(bytes.get(..written).unwrap_or_default());
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::crowd::{Crowd, Entry};

    const FIRST: Duration = Duration::from_millis(50);

    fn connection(idle: Duration) -> (Connection, UnixStream) {
        let (stream, other_end) = UnixStream::pair().unwrap();
        let Entry::Free(place) = Crowd::default().enter(0) else { panic!("there is room") };
        (Connection::with(stream, place, Resets::default(), FIRST, idle), other_end)
    }

    #[tokio::test]
    async fn a_connection_without_a_request_ends() {
        let (mut connection, mut other_end) = connection(IDLE);
        other_end.write_all(b"PRI * HT").await.unwrap();
        let (start, mut sent) = (Instant::now(), Vec::new());
        connection.read_to_end(&mut sent).await.unwrap();
        assert_eq!(sent, b"PRI * HT");
        assert!((FIRST..FIRST * 20).contains(&start.elapsed()), "{:?}", start.elapsed());
    }

    #[tokio::test]
    async fn a_connection_with_a_stream_lasts_as_long_as_the_stream() {
        let (mut connection, _other_end) = connection(FIRST);
        let stream = connection.place.usage().begin();
        assert!(tokio::time::timeout(FIRST * 6, connection.read_u8()).await.is_err());
        drop(stream);
        assert!(connection.read_u8().await.is_err());
    }
}
