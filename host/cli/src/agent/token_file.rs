//! Token files, for programs that read files: Envoy's file SDS, scripts.

mod new;
mod place;
mod readers;
mod start;

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use shared_token_cache::policy::ProfileName;
use shared_token_cache_sds::{Posted, Secret};
use shared_token_cache_storage::files;
use tokio::sync::watch;

use place::{Place, Stamp};
pub(crate) use readers::{Group, Mode, Readers};
pub(crate) use start::check;

/// The poll interval of the file: another program may have changed it, or a write may have failed.
const PAUSE: Duration = Duration::from_secs(1);

/// Windows cannot replace an open file, so earlier files are kept open on Unix only.
const KEEPS_OPEN: bool = cfg!(unix);

/// The number of earlier files that are kept open. A reader that has mounted or opened the file
/// keeps seeing an older one.
const MOST_HELD: usize = 4;

/// The file of a profile's token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenFile {
    pub(crate) profile: ProfileName,
    pub(crate) path: PathBuf,
}

/// The files that this agent wrote at the path, oldest first.
#[derive(Debug, Default)]
struct Held {
    files: VecDeque<File>,
    /// The last file's metadata after the write; `None` before the first write, and while another
    /// agent keeps the file.
    last: Option<Stamp>,
    /// Whether any file was written.
    has_written: bool,
}

/// The result of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    /// The file has the right content.
    Done,
    /// The earlier files were truncated, but could not be replaced.
    Emptied,
    /// Another agent keeps the file, so it is unchanged.
    LeftToAnother,
}

/// The last logged state. A state that lasts is logged once.
#[derive(Debug, Default)]
struct Logged {
    trouble: Option<String>,
    left_to_another: bool,
    changed: bool,
}

impl TokenFile {
    /// Writes each posted secret until `stopped`, then once more the one posted at that moment.
    /// Each second the file's metadata are polled: a changed or removed file is written again, and
    /// a failed write is retried, because the file may hold a withdrawn token. A new reason is
    /// logged once.
    pub(super) async fn keep(
        self,
        readers: Readers,
        mut board: watch::Receiver<BTreeMap<String, Posted>>,
        stopped: impl Future<Output = ()>,
    ) {
        let mut stopped = std::pin::pin!(stopped);
        let (mut written, mut logged) = (0, Logged::default());
        let mut held = Held::default();
        if let Ok(earlier) = files::own(&self.path, File::options().read(true).write(true))
            && place::check(&earlier).is_ok()
        {
            held.hold(earlier);
        }
        loop {
            let posted = board.borrow_and_update().get(self.profile.as_str()).cloned();
            if let Some(posted) = posted.filter(|posted| !matches!(posted.secret, Secret::Pending)) {
                let (is_new, is_changed) = (posted.version != written, held.is_changed(&self.path, &posted.secret));
                if is_new || is_changed {
                    let outcome = self.write(&posted.secret, readers, &mut held);
                    if outcome.is_ok() {
                        written = posted.version;
                    }
                    self.log(outcome, !is_new, &mut logged);
                } else {
                    logged.changed = false;
                }
            }
            tokio::select! {
                biased;
                changed = board.changed() => if changed.is_err() { return },
                () = &mut stopped => return,
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    /// Logs a failed write, its recovery, a change by another program, and another agent that keeps
    /// the file.
    fn log(&self, outcome: io::Result<Written>, was_changed: bool, logged: &mut Logged) {
        if matches!(outcome, Ok(Written::Emptied)) {
            return;
        }
        let path = self.path.display();
        let is_left = matches!(outcome, Ok(Written::LeftToAnother));
        if is_left && !logged.left_to_another {
            tracing::warn!("another agent writes the token file {path}; this one leaves the file to that agent");
        }
        let is_done = matches!(outcome, Ok(Written::Done));
        if is_done && was_changed && !logged.changed && logged.trouble.is_none() && !logged.left_to_another {
            tracing::warn!("another program has changed or removed the token file {path}; its content is restored");
        }
        (logged.left_to_another, logged.changed) = (is_left, is_done && was_changed);
        let now = outcome.err().map(|error| start::reason(&error));
        if now != logged.trouble {
            match &now {
                Some(why) => tracing::warn!("cannot write the token file {path}: {why}; trying again"),
                None => tracing::info!("the token file {path} is written again"),
            }
            logged.trouble = now;
        }
    }

    /// A pending token leaves the file unchanged.
    fn write(&self, secret: &Secret, readers: Readers, held: &mut Held) -> io::Result<Written> {
        match secret {
            Secret::Pending => Ok(Written::Done),
            Secret::Token(token) => {
                if self.is_left_to_another(held)? {
                    return Ok(Written::LeftToAnother);
                }
                held.written(new::replace(&self.path, token.as_bytes(), readers)?);
                Ok(Written::Done)
            }
            Secret::Withdrawn => self.withdraw(readers, held),
        }
    }

    /// Whether another agent has taken the file over: of two agents, the one that started last
    /// writes. Fails if the path holds something that is not a token.
    fn is_left_to_another(&self, held: &mut Held) -> io::Result<bool> {
        if held.has(&self.path) {
            return Ok(false);
        }
        let is_left = place::look(&self.path)? == Place::OfAnother && held.has_written;
        if is_left {
            held.last = None;
        }
        Ok(is_left)
    }

    /// Truncates the earlier files through their handles, for readers that have them open or
    /// mounted, and on a full disk. Then replaces the last one by an empty file. Nothing is
    /// truncated by name: the name may by now belong to a link or a FIFO of another program.
    fn withdraw(&self, readers: Readers, held: &mut Held) -> io::Result<Written> {
        let emptied = held.empty();
        let replaced = match self.is_left_to_another(held) {
            Ok(true) => return emptied.unwrap_or(Ok(())).map(|()| Written::LeftToAnother),
            Ok(false) => new::replace(&self.path, b"", readers),
            Err(error) => Err(error),
        };
        match (replaced, emptied) {
            (_, Some(Err(error))) => Err(error),
            (Ok(new), _) => {
                *held = Held::default();
                held.written(new);
                Ok(Written::Done)
            }
            (Err(error), Some(Ok(()))) => {
                tracing::debug!("cannot replace the token file {}, so it was truncated: {error}", self.path.display());
                held.last = held.files.back().and_then(|file| file.metadata().ok()).as_ref().map(Stamp::of);
                Ok(Written::Emptied)
            }
            (Err(error), None) => Err(error),
        }
    }
}

impl Held {
    /// Records a written file.
    fn written(&mut self, file: File) {
        self.last = file.metadata().ok().as_ref().map(Stamp::of);
        self.has_written = true;
        self.hold(file);
    }

    /// Keeps a file open. At the limit, the oldest file is truncated and closed: its token has long
    /// expired.
    fn hold(&mut self, file: File) {
        if KEEPS_OPEN {
            self.files.push_back(file);
        }
        if self.files.len() > MOST_HELD
            && let Some(Err(error)) = self.files.pop_front().map(|oldest| oldest.set_len(0))
        {
            tracing::debug!("cannot truncate an older token file: {error}");
        }
    }

    /// Truncates all files; `None` without files.
    fn empty(&self) -> Option<io::Result<()>> {
        self.files.iter().map(|file| file.set_len(0)).reduce(|so_far, next| so_far.and(next))
    }

    /// Whether the file at the path differs from the last one written.
    fn is_changed(&mut self, path: &Path, secret: &Secret) -> bool {
        let now = Stamp::at(path);
        if !self.has_written || (now.is_some() && now == self.last) {
            return false;
        }
        // A file that was only touched is left alone; some file systems also set times late.
        let (Some(now), Some(last)) = (now, &self.last) else { return true };
        let content = match secret {
            Secret::Token(token) => token.as_bytes(),
            Secret::Pending | Secret::Withdrawn => b"",
        };
        let is_same = now.differs_in_time_only(last) && place::holds(path, content).unwrap_or(false);
        if is_same {
            self.last = Some(now);
        }
        !is_same
    }

    /// Whether the file at the path is one of these.
    fn has(&self, path: &Path) -> bool {
        self.files.iter().any(|file| files::is_still_at(file, path).unwrap_or(false))
    }
}

/// The folder that contains a file.
pub(crate) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
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
    async fn the_file_holds_the_posted_token_and_is_empty_after_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("graph.token");
        fs::write(&path, "eyJhbGciOiJub25lIn0.e30.earlier").unwrap();
        let board = Board::new(["graph", "vault"]);
        let file = TokenFile { profile: "graph".parse().unwrap(), path: path.clone() };
        let (stop, stopped) = oneshot::channel::<()>();
        let kept = tokio::spawn(file.keep(Readers::default(), board.subscribe(), async { drop(stopped.await) }));
        tokio::task::yield_now().await;
        assert_eq!(fs::read_to_string(&path).unwrap(), "eyJhbGciOiJub25lIn0.e30.earlier");
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
        let mut held = Held::default();
        file.write(&token("1"), Readers::default(), &mut held).unwrap();
        fs::rename(&path, &moved).unwrap();
        // A folder at the path makes the replacement fail, for root too.
        fs::create_dir(&path).unwrap();
        file.write(&Secret::Withdrawn, Readers::default(), &mut held).unwrap();
        assert_eq!(fs::read_to_string(&moved).unwrap(), "");
        assert!(path.is_dir());
    }

    #[cfg(unix)]
    #[test]
    fn a_withdrawal_empties_the_earlier_files_that_readers_still_see_and_each_further_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("graph.token");
        let file = TokenFile { profile: "graph".parse().unwrap(), path: path.clone() };
        let mut held = Held::default();
        let mut views = Vec::new();
        for number in 0..=MOST_HELD {
            file.write(&token(&number.to_string()), Readers::default(), &mut held).unwrap();
            views.push(File::open(&path).unwrap());
        }
        let lengths = || views.iter().map(|view| view.metadata().unwrap().len()).collect::<Vec<_>>();
        assert_eq!(lengths(), [0, 1, 1, 1, 1]);
        file.write(&Secret::Withdrawn, Readers::default(), &mut held).unwrap();
        assert_eq!(lengths(), [0; 5]);
        assert_eq!(fs::read_to_string(&path).unwrap(), "");
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_has_its_readers_from_the_start() {
        use std::os::unix::fs::MetadataExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("graph.token");
        let file = TokenFile { profile: "graph".parse().unwrap(), path: path.clone() };
        let own = rustix::process::getegid().as_raw();
        let group = if rustix::process::geteuid().is_root() { 101 } else { own };
        let readers = Readers { mode: "0640".parse().unwrap(), group: Some(group.to_string().parse().unwrap()) };
        let mut held = Held::default();
        for secret in [token("1"), Secret::Withdrawn] {
            file.write(&secret, readers, &mut held).unwrap();
            let metadata = fs::metadata(&path).unwrap();
            assert_eq!((metadata.mode() & 0o7777, metadata.gid()), (0o640, group));
        }
    }

    #[tokio::test]
    async fn a_failed_write_is_retried() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("later/graph.token");
        let board = Board::new(["graph"]);
        board.post("graph", token("1"));
        let file = TokenFile { profile: "graph".parse().unwrap(), path: path.clone() };
        let kept = tokio::spawn(file.keep(Readers::default(), board.subscribe(), std::future::pending()));
        tokio::time::sleep(Duration::from_millis(20)).await;
        fs::create_dir(folder.path().join("later")).unwrap();
        until(&path, "1").await;
        kept.abort();
    }
}
