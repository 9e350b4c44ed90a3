//! The audit of an agent: one file for all profiles, written by a thread of its own.

use std::io;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender, TrySendError};
use std::time::{Duration, Instant};

use shared_token_cache::{AuditFile, AuditLine, AuditSink};
use tokio::sync::oneshot;

/// More lines than an agent writes in a minute. If the disk blocks for longer, lines are dropped,
/// and each loss is logged.
const MOST_WAITING: usize = 1024;

/// The poll interval of the file, which another program may rename or remove.
const LOOK: Duration = Duration::from_secs(1);

/// The time limit for the last lines.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Accepts lines without waiting for the disk. Clones write to the same file.
#[derive(Debug, Clone)]
pub(crate) struct Audit(SyncSender<Work>);

#[derive(Debug)]
enum Work {
    Line(Box<AuditLine>),
    Reopen,
    Flush(oneshot::Sender<()>),
}

impl Audit {
    /// Opens the file.
    ///
    /// # Errors
    /// When the file cannot be opened, or the thread cannot be started.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let (file, path) = (AuditFile::open(path)?, path.to_path_buf());
        let (sender, work) = mpsc::sync_channel(MOST_WAITING);
        std::thread::Builder::new().name("audit".into()).spawn(move || write(file, &path, &work))?;
        Ok(Self(sender))
    }

    /// Opens the file again by its path, after another program has renamed it.
    pub(crate) fn reopen(&self) {
        if let Err(error) = self.send(Work::Reopen) {
            tracing::warn!("cannot reopen the audit file: {error}");
        }
    }

    /// Waits until the queued lines are written, up to a time limit.
    pub(crate) async fn flush(&self) {
        let (sender, flushed) = oneshot::channel();
        let sent = self.send(Work::Flush(sender));
        if sent.is_err() || tokio::time::timeout(LAST_LINES, flushed).await.is_err() {
            tracing::warn!("cannot write the last lines of the audit: the file accepts no more data");
        }
    }

    fn send(&self, work: Work) -> io::Result<()> {
        self.0.try_send(work).map_err(|error| match error {
            TrySendError::Full(_) => io::Error::new(io::ErrorKind::WouldBlock, "the audit file accepts no more data"),
            TrySendError::Disconnected(_) => io::Error::other("the audit's thread has ended"),
        })
    }
}

impl AuditSink for Audit {
    fn write(&self, line: &AuditLine) -> io::Result<()> {
        self.send(Work::Line(Box::new(line.clone())))
    }
}

/// Writes lines until the last sender is dropped. Polls the file's metadata each second.
fn write(file: AuditFile, path: &Path, work: &mpsc::Receiver<Work>) {
    let mut log = Log { file, path, trouble: None };
    let mut looked = Instant::now();
    loop {
        match work.recv_timeout(LOOK.saturating_sub(looked.elapsed())) {
            Ok(Work::Line(line)) => {
                if let Err(error) = log.file.write(&line) {
                    tracing::warn!("cannot write a line of the audit: {error}");
                }
            }
            Ok(Work::Reopen) => {
                log.trouble = None;
                if log.reopen() {
                    tracing::info!("the audit file {} is open again", path.display());
                }
            }
            Ok(Work::Flush(done)) => drop(done.send(())),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if looked.elapsed() >= LOOK {
            log.look();
            looked = Instant::now();
        }
    }
}

/// The open file and its path.
struct Log<'a> {
    file: AuditFile,
    path: &'a Path,
    /// The last logged reason why the file cannot be reopened.
    trouble: Option<String>,
}

impl Log<'_> {
    /// Reopens the file if another program has renamed, replaced or removed it.
    fn look(&mut self) {
        if self.file.is_at_its_path() {
            self.trouble = None;
        } else if self.reopen() {
            let path = self.path.display();
            tracing::warn!("another program has renamed or removed the audit file {path}; a new one is open");
        }
    }

    fn reopen(&mut self) -> bool {
        match AuditFile::open(self.path) {
            Ok(new) => {
                (self.file, self.trouble) = (new, None);
                true
            }
            Err(error) => {
                let why = error.to_string();
                if self.trouble.as_ref() != Some(&why) {
                    let path = self.path.display();
                    tracing::warn!("cannot reopen the audit file {path}: {why}; the audit goes on in the old one");
                }
                self.trouble = Some(why);
                false
            }
        }
    }
}
