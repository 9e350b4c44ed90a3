//! `serve`: an agent that keeps the tokens of a policy's profiles fresh for other processes.
//!
//! An [`Agent`] has a refresher for each profile, and a board on which the tokens are posted. *Fronts* read the board, each in its own
//! way: the Secret Discovery Service, files, metrics. A front that is to come takes the same: the agent, and the moment to stop.

mod agent;
mod metrics;
mod signals;
mod token_file;

use std::future::pending;
use std::time::Duration;

use shared_token_cache_sds::Server;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub(crate) use agent::Agent;
pub(crate) use metrics::Metrics;
pub(crate) use token_file::{TokenFile, folder};

/// How long calls that are under way may take to end: an answer of the authority may hold a new refresh token.
const LAST_CALLS: Duration = Duration::from_secs(5);

/// The ways in which tokens leave.
#[derive(Default)]
pub(crate) struct Fronts {
    /// Secret Discovery Service.
    pub(crate) sds: Option<Server>,
    /// Files.
    pub(crate) token_files: Vec<TokenFile>,
    /// Numbers, and no tokens.
    pub(crate) metrics: Option<Metrics>,
}

/// Serves until a signal ends it, or a front fails. Then every token is taken back before the process ends.
pub(crate) async fn serve(agent: Agent, fronts: Fronts) -> anyhow::Result<()> {
    // Before anything else: no token is posted yet, so there is none that could not be taken back.
    let signal = signals::listen()?;
    let (stop, stopping) = watch::channel(false);
    let mut tasks = JoinSet::new();
    let stats = fronts.sds.as_ref().map(Server::stats);
    if let Some(server) = fronts.sds {
        let (board, stopped) = (agent.board(), stopped(stopping.clone()));
        tasks.spawn(async move { Ok(server.serve(&board, stopped).await?) });
    }
    for file in fronts.token_files {
        let (board, stopped) = (agent.board().subscribe(), stopped(stopping.clone()));
        tasks.spawn(async move {
            file.keep(board, stopped).await;
            Ok(())
        });
    }
    if let Some(metrics) = fronts.metrics {
        let (numbers, stopped) = (agent.numbers(stats), stopped(stopping));
        tasks.spawn(async move {
            metrics.serve(numbers, stopped).await;
            Ok(())
        });
    }
    let mut failed = None;
    tokio::select! {
        signal = signal => tracing::info!("{signal}: every token is taken back"),
        Some(ended) = tasks.join_next() => failed = Some(ended),
    }
    let refreshers = agent.withdraw();
    stop.send_replace(true);
    let mut outcome = match failed {
        Some(ended) => ended.map_err(anyhow::Error::from).flatten(),
        None => Ok(()),
    };
    while let Some(ended) = tasks.join_next().await {
        outcome = outcome.and(ended.map_err(anyhow::Error::from).flatten());
    }
    let last_calls =
        futures_util::future::join_all(refreshers.into_iter().map(shared_token_cache::TokenRefresher::stop));
    if tokio::time::timeout(LAST_CALLS, last_calls).await.is_err() {
        tracing::warn!("a call was still under way after {LAST_CALLS:?}");
    }
    outcome
}

async fn stopped(mut stopping: watch::Receiver<bool>) {
    if stopping.wait_for(|stopping| *stopping).await.is_err() {
        pending().await
    }
}
