//! Load: many requests over a few kept-alive connections, and their results.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use http_body_util::BodyExt as _;
use tokio::task::JoinSet;

use crate::client::{connect, request};

/// The time limit of a load.
const LIMIT: Duration = Duration::from_secs(120);

#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) connections: usize,
    pub(crate) requests: u32,
    /// The time between the starts of two requests; `None` sends the next one at once.
    pub(crate) pace: Option<Duration>,
    /// Header fields of each request.
    pub(crate) headers: &'static [(&'static str, &'static str)],
}

#[derive(Debug, Default)]
pub(crate) struct Report {
    /// The number of responses per status.
    pub(crate) statuses: BTreeMap<u16, u32>,
    /// The errors of requests without a response.
    pub(crate) broken: Vec<String>,
    latencies: Vec<Duration>,
    took: Duration,
}

impl Load {
    /// Sends all requests, each for a path of its own.
    pub(crate) fn run(&self, address: SocketAddr) -> Result<Report> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            match tokio::time::timeout(LIMIT, self.all(address)).await {
                Ok(report) => Ok(report),
                Err(_) => bail!("{} requests were not answered within {LIMIT:?}", self.requests),
            }
        })
    }

    async fn all(&self, address: SocketAddr) -> Report {
        let started = Instant::now();
        let next = Arc::new(AtomicU32::new(0));
        let mut connections = JoinSet::new();
        for _ in 0..self.connections {
            connections.spawn(one(address, Arc::clone(&next), *self, started));
        }
        let mut report = Report::default();
        while let Some(part) = connections.join_next().await {
            match part {
                Ok(part) => report.add(part),
                Err(why) => report.broken.push(why.to_string()),
            }
        }
        report.latencies.sort_unstable();
        report.took = started.elapsed();
        report
    }
}

impl Report {
    /// The median latency.
    pub(crate) fn median(&self) -> Duration {
        self.latencies.get(self.latencies.len() / 2).copied().unwrap_or_default()
    }

    pub(crate) fn per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64()
    }

    fn add(&mut self, part: Self) {
        for (status, times) in part.statuses {
            *self.statuses.entry(status).or_default() += times;
        }
        self.broken.extend(part.broken);
        self.latencies.extend(part.latencies);
    }
}

/// Sends one connection's share of the requests. A broken connection is replaced, and its request
/// counts as broken.
async fn one(address: SocketAddr, next: Arc<AtomicU32>, load: Load, started: Instant) -> Report {
    let mut report = Report::default();
    let mut connection = None;
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= load.requests {
            return report;
        }
        if let Some(pace) = load.pace {
            tokio::time::sleep_until((started + pace * number).into()).await;
        }
        let asked = Instant::now();
        let answer = async {
            if connection.as_ref().is_none_or(hyper::client::conn::http1::SendRequest::is_closed) {
                connection = Some(connect(address).await?);
            }
            let Some(connection) = connection.as_mut() else { bail!("no connection") };
            connection.ready().await?;
            let answer = connection.send_request(request(&format!("/{number}"), load.headers)?).await?;
            let status = answer.status().as_u16();
            answer.into_body().collect().await?;
            Ok(status)
        };
        match answer.await {
            Ok(status) => {
                *report.statuses.entry(status).or_default() += 1;
                report.latencies.push(asked.elapsed());
            }
            Err(why) => {
                report.broken.push(format!("{why:#}"));
                connection = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::upstream::Upstream;

    #[test]
    fn every_request_is_made_once() {
        let upstream = Upstream::start().unwrap();
        let load = Load { connections: 3, requests: 100, pace: None, headers: &[] };
        let report = load.run((Ipv4Addr::LOCALHOST, upstream.port()).into()).unwrap();
        assert_eq!(report.statuses, BTreeMap::from([(200, 100)]));
        assert!(report.broken.is_empty());
        assert!(report.median() > Duration::ZERO && report.per_second() > 0.0);
        let mut paths: Vec<_> = upstream.requests().into_iter().map(|seen| seen.path).collect();
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), 100);
    }

    #[test]
    fn requests_keep_their_pace() {
        let upstream = Upstream::start().unwrap();
        let load = Load { connections: 2, requests: 11, pace: Some(Duration::from_millis(10)), headers: &[] };
        let report = load.run((Ipv4Addr::LOCALHOST, upstream.port()).into()).unwrap();
        assert!(report.took >= Duration::from_millis(100));
    }

    #[test]
    fn requests_without_an_answer_are_broken() {
        let load = Load { connections: 1, requests: 3, pace: None, headers: &[] };
        let report = load.run(shared_token_cache_interop::http::free_address().unwrap()).unwrap();
        assert_eq!(report.broken.len(), 3);
    }
}
