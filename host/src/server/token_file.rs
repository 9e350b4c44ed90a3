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

/// Windows replaces no file that is open, so there the last file is not kept open.
const KEEPS_OPEN: bool = cfg!(unix);

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
        let mut held = own(&self.path).ok().filter(|_| KEEPS_OPEN);
        loop {
            let posted = board.borrow_and_update().get(self.profile.as_str()).cloned();
            let mut failed = false;
            if let Some(posted) = posted.filter(|posted| posted.version != written) {
                match self.write(&posted.secret, &mut held) {
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

    /// The file stays as it is while the token is pending. `held` is the file that holds the last token.
    fn write(&self, secret: &Secret, held: &mut Option<File>) -> io::Result<()> {
        match secret {
            Secret::Pending => Ok(()),
            Secret::Token(token) => {
                *held = Some(replace(&self.path, token.as_bytes())?).filter(|_| KEEPS_OPEN);
                Ok(())
            }
            Secret::Withdrawn => self.withdraw(held),
        }
    }

    /// Empties the last file itself, for readers that have it open or mounted, and on a full disk. Then puts an empty file in its place.
    /// Nothing is truncated by name: by now the name may belong to a link or a FIFO that another program put there.
    fn withdraw(&self, held: &mut Option<File>) -> io::Result<()> {
        let emptied = held.as_ref().map(|file| file.set_len(0));
        match (replace(&self.path, b""), emptied) {
            (_, Some(Err(error))) => Err(error),
            (Ok(new), _) => {
                *held = Some(new).filter(|_| KEEPS_OPEN);
                Ok(())
            }
            (Err(_), Some(Ok(()))) => Ok(()),
            (Err(error), None) => Err(error),
        }
    }
}

/// The folder that a file lies in.
pub(crate) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Puts a new file in place of the old one, in one step. It is its owner's only from the start: tempfile's mode is 0600.
fn replace(path: &Path, content: &[u8]) -> io::Result<File> {
    let mut new = tempfile::Builder::new().prefix(".token-").suffix(".tmp").tempfile_in(folder(path))?;
    new.write_all(content)?;
    Ok(new.persist(path)?)
}

/// Opens the file of an earlier run: a regular file of this user with one name. Follows no link and waits for no FIFO.
fn own(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.custom_flags(flags.bits().cast_signed());
    }
    // Opening some devices has an effect, so the type is checked before, and again on the descriptor.
    let is_own = |metadata: &std::fs::Metadata| {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            if metadata.uid() != rustix::process::geteuid().as_raw() || metadata.nlink() != 1 {
                return false;
            }
        }
        metadata.is_file()
    };
    if is_own(&std::fs::symlink_metadata(path)?) {
        let file = options.open(path)?;
        if is_own(&file.metadata()?) {
            return Ok(file);
        }
    }
    Err(io::Error::other("it is not a regular file of this user with one name"))
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

    #[cfg(unix)]
    #[test]
    fn a_withdrawal_that_cannot_replace_the_name_empties_the_written_file_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let (path, moved) = (folder.path().join("graph.token"), folder.path().join("moved"));
        let file = TokenFile { profile: "graph".parse().unwrap(), path: path.clone() };
        let mut held = None;
        file.write(&token("1"), &mut held).unwrap();
        fs::rename(&path, &moved).unwrap();
        // A folder at the name lets the replacement fail, for root too.
        fs::create_dir(&path).unwrap();
        file.write(&Secret::Withdrawn, &mut held).unwrap();
        assert_eq!(fs::read_to_string(&moved).unwrap(), "");
        assert!(path.is_dir());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_a_fifo_a_folder_and_a_device_are_no_file_of_an_earlier_run() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("own"), "1").unwrap();
        assert!(own(&at("own")).is_ok());
        fs::write(at("cache"), "precious").unwrap();
        std::os::unix::fs::symlink(at("cache"), at("link")).unwrap();
        fs::hard_link(at("cache"), at("second-name")).unwrap();
        fs::create_dir(at("folder")).unwrap();
        let fifo = std::process::Command::new("mkfifo").arg(at("fifo")).status().unwrap();
        assert!(fifo.success());
        for path in [at("link"), at("second-name"), at("folder"), at("fifo"), "/dev/null".into(), at("none")] {
            assert!(own(&path).is_err(), "{}", path.display());
        }
        assert_eq!(fs::read_to_string(at("cache")).unwrap(), "precious");
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
