//! A file that holds the token, for whoever reads files: Envoy's file SDS, scripts.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use shared_token_cache::policy::ProfileName;
use shared_token_cache_sds::{Posted, Secret};
use tokio::sync::watch;

/// The pause after a file could not be written.
const PAUSE: Duration = Duration::from_secs(1);

/// The file of a profile's token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenFile {
    pub(crate) profile: ProfileName,
    pub(crate) path: PathBuf,
}

impl TokenFile {
    /// Writes what is posted, and what takes its place, until `stopped`; then once more what is posted at that moment. A file that can't
    /// be written is tried again: it may hold a token that was taken back.
    pub(super) async fn keep(
        self,
        mut board: watch::Receiver<BTreeMap<String, Posted>>,
        stopped: impl Future<Output = ()>,
    ) {
        let mut stopped = std::pin::pin!(stopped);
        let mut written = 0;
        loop {
            let posted = board.borrow_and_update().get(self.profile.as_str()).cloned();
            let mut failed = false;
            if let Some(posted) = posted.filter(|posted| posted.version != written) {
                match self.write(&posted.secret) {
                    Ok(()) => written = posted.version,
                    Err(error) => {
                        tracing::warn!("the token file {} can't be written: {error}", self.path.display());
                        failed = true;
                    }
                }
            }
            tokio::select! {
                biased;
                changed = board.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(PAUSE), if failed => {}
                () = &mut stopped => return,
            }
        }
    }

    /// Before it is known what there is, the file stays as it is.
    fn write(&self, secret: &Secret) -> io::Result<()> {
        match secret {
            Secret::Pending => Ok(()),
            Secret::Token(token) => replace(&self.path, token.as_bytes()),
            // On a disk without any room a file can still lose what is in it.
            Secret::Withdrawn => replace(&self.path, b"").or_else(|_| empty(&self.path)),
        }
    }
}

/// The folder that a file lies in.
pub(crate) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Puts a new file in place of the old one, in one step. It is its owner's only from the start: tempfile's mode is 0600.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut new = tempfile::Builder::new().prefix(".token-").suffix(".tmp").tempfile_in(folder(path))?;
    new.write_all(content)?;
    new.persist(path)?;
    Ok(())
}

/// Takes the content away where it stands.
fn empty(path: &Path) -> io::Result<()> {
    File::options().write(true).truncate(true).open(path).map(drop)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Arc;

    use shared_token_cache_sds::Board;
    use tokio::sync::oneshot;
    use zeroize::Zeroizing;

    use super::*;

    fn token(text: &str) -> Secret {
        Secret::Token(Arc::new(Zeroizing::new(text.to_owned())))
    }

    async fn until(path: &Path, content: &str) {
        let holds = async {
            while fs::read_to_string(path).ok().as_deref() != Some(content) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        assert!(tokio::time::timeout(Duration::from_secs(5), holds).await.is_ok(), "{content:?}");
    }

    #[tokio::test]
    async fn the_file_holds_what_is_posted_and_nothing_after_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("graph.token");
        fs::write(&path, "of an earlier run").unwrap();
        let board = Board::new(["graph", "vault"]);
        let file = TokenFile { profile: "graph".parse().unwrap(), path: path.clone() };
        let (stop, stopped) = oneshot::channel::<()>();
        let kept = tokio::spawn(file.keep(board.subscribe(), async { drop(stopped.await) }));
        tokio::task::yield_now().await;
        assert_eq!(fs::read_to_string(&path).unwrap(), "of an earlier run");
        board.post("graph", token("1"));
        board.post("vault", token("x"));
        until(&path, "1").await;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        }
        board.post("graph", Secret::Withdrawn);
        until(&path, "").await;
        board.post("graph", token("2"));
        until(&path, "2").await;
        board.withdraw_all();
        drop(stop);
        kept.await.unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_file_can_be_emptied_where_it_stands_and_none_is_made_for_that() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("graph.token");
        assert!(empty(&path).is_err() && !path.exists());
        fs::write(&path, "1").unwrap();
        empty(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "");
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_written_is_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("later/graph.token");
        let board = Board::new(["graph"]);
        board.post("graph", token("1"));
        let file = TokenFile { profile: "graph".parse().unwrap(), path: path.clone() };
        let kept = tokio::spawn(file.keep(board.subscribe(), std::future::pending()));
        tokio::time::sleep(Duration::from_millis(20)).await;
        fs::create_dir(folder.path().join("later")).unwrap();
        until(&path, "1").await;
        kept.abort();
    }
}
