//! `serve`: an agent that keeps the tokens of a policy's profiles fresh for other processes.
//!
//! An [`Agent`] has a refresher for each profile, and a board on which the tokens are posted.
//! *Fronts* hand them out, each in its own way: the Secret Discovery Service, files, HTTP, metrics.
//! A new front gets the same two things: the agent, and the moment to stop.

mod apart;
mod audit;
mod connections;
mod descriptors;
pub(crate) mod http;
mod metrics;
mod profiles;
mod signals;
mod token_file;

use std::collections::BTreeSet;
use std::future::pending;
use std::time::Duration;

use shared_token_cache_sds::Server;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub(crate) use audit::Audit;
pub(crate) use descriptors::raise as raise_descriptors;
pub(crate) use metrics::Metrics;
pub(crate) use profiles::Agent;
pub(crate) use signals::{Signals, listen, listen_as_parent};
pub(crate) use token_file::{Group, Mode, Readers, TokenFile, check as check_token_file, folder};

use signals::Asked;

/// The time limit for calls in progress at the end: a response of the authority may hold a new
/// refresh token.
const LAST_CALLS: Duration = Duration::from_secs(5);

/// The time limit for a front to end, longer than the time that readers of a socket have for the
/// last response. Fronts end concurrently, so one that hangs delays no other.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// The fronts and their options.
#[derive(Default)]
pub(crate) struct Fronts {
    /// Secret Discovery Service.
    pub(crate) sds: Option<Server>,
    /// Files.
    pub(crate) token_files: Vec<TokenFile>,
    /// The readers of the files.
    pub(crate) readers: Readers,
    /// HTTP, for Azure clients.
    pub(crate) http: Option<http::Http>,
    /// Metrics, without tokens.
    pub(crate) metrics: Option<Metrics>,
    /// The audit.
    pub(crate) audit: Option<Audit>,
}

/// The running fronts, by name.
#[derive(Default)]
struct Serving {
    tasks: JoinSet<(String, anyhow::Result<()>)>,
    names: BTreeSet<String>,
}

/// Serves until a signal or a failed front ends it, then withdraws every token before the process
/// ends. `signals` must be installed before the first front exists.
pub(crate) async fn serve(mut signals: Signals, agent: Agent, fronts: Fronts) -> anyhow::Result<()> {
    let (stop, stopping) = watch::channel(false);
    let mut serving = Serving::default();
    let stats = fronts.sds.as_ref().map(Server::stats);
    if let Some(server) = fronts.sds {
        let (board, stopped) = (agent.board(), stopped(stopping.clone()));
        serving.add("the socket".into(), async move { Ok(server.serve(&board, stopped).await?) });
    }
    for file in fronts.token_files {
        let (board, stopped) = (agent.board().subscribe(), stopped(stopping.clone()));
        let name = format!("the token file {}", file.path.display());
        serving.add(name.clone(), apart::apart(name, file.keep(fronts.readers, board, stopped)));
    }
    if let Some(http) = fronts.http {
        let (tokens, stopped) = (agent.tokens(), stopped(stopping.clone()));
        serving.add("the HTTP endpoint".into(), async move {
            http.serve(tokens, stopped).await;
            Ok(())
        });
    }
    if let Some(metrics) = fronts.metrics {
        let (numbers, stopped) = (agent.numbers(stats), stopped(stopping));
        serving.add("the metrics".into(), async move {
            metrics.serve(numbers, stopped).await;
            Ok(())
        });
    }
    let mut outcome = loop {
        tokio::select! {
            asked = signals.next() => match (asked, &fronts.audit) {
                (Asked::End(signal), _) => {
                    tracing::info!("{signal}: withdrawing every token");
                    break Ok(());
                }
                (Asked::Reopen, Some(audit)) => audit.reopen(),
                (Asked::Reopen, None) => tracing::info!("SIGHUP: there is no audit file to reopen"),
            },
            Some(ended) = serving.next() => break ended,
        }
    };
    let refreshers = agent.withdraw();
    stop.send_replace(true);
    let last_words = async {
        while let Some(ended) = serving.next().await {
            let so_far = std::mem::replace(&mut outcome, Ok(()));
            outcome = so_far.and(ended);
        }
    };
    if tokio::time::timeout(LAST_WORDS, last_words).await.is_err() {
        let names: Vec<_> = serving.names.iter().map(String::as_str).collect();
        outcome = outcome.and(Err(anyhow::anyhow!(
            "{} did not end within {} s, and may still have a token",
            names.join(", "),
            LAST_WORDS.as_secs()
        )));
    }
    let last_calls =
        futures_util::future::join_all(refreshers.into_iter().map(shared_token_cache::TokenRefresher::stop));
    if tokio::time::timeout(LAST_CALLS, last_calls).await.is_err() {
        tracing::warn!("a call was still under way after {LAST_CALLS:?}");
    }
    if let Some(audit) = fronts.audit {
        audit.flush().await;
    }
    outcome
}

impl Serving {
    fn add(&mut self, name: String, front: impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        self.names.insert(name.clone());
        self.tasks.spawn(async move { (name, front.await) });
    }

    /// Waits for the next front that ends; `None` when all have ended.
    async fn next(&mut self) -> Option<anyhow::Result<()>> {
        Some(match self.tasks.join_next().await? {
            Ok((name, ended)) => {
                self.names.remove(&name);
                ended
            }
            Err(panicked) => Err(panicked.into()),
        })
    }
}

async fn stopped(mut stopping: watch::Receiver<bool>) {
    if stopping.wait_for(|stopping| *stopping).await.is_err() {
        pending().await
    }
}
