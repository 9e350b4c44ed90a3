//! A server with a board, in a folder of its own.

use std::path::PathBuf;
use std::sync::Arc;

use shared_token_cache_sds::{Board, Server, SocketOptions, Stats};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::SOON;

pub(crate) struct Agent {
    pub(crate) board: Board,
    pub(crate) path: PathBuf,
    pub(crate) stats: Arc<Stats>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
    _folder: TempDir,
}

impl Agent {
    pub(crate) fn start(names: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run/sds.sock");
        let server = Server::bind(&SocketOptions { path: path.clone(), allow_uids: Vec::new() }).unwrap();
        let board = Board::new(names.iter().copied());
        let stats = server.stats();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = board.clone();
        let served = tokio::spawn(async move {
            server.serve(&serving, async { drop(stopped.await) }).await.unwrap();
        });
        Self { board, path, stats, stop, served, _folder: folder }
    }

    pub(crate) async fn until(&self, holds: impl Fn(&Stats) -> bool) {
        let waiting = async {
            while !holds(&self.stats) {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        assert!(tokio::time::timeout(SOON, waiting).await.is_ok(), "{:?}", self.stats);
    }

    pub(crate) async fn stop(self) {
        drop(self.stop);
        self.served.await.unwrap();
    }
}
