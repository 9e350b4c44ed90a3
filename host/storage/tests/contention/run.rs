//! Many processes that write one file at the same time, some of them killed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use shared_token_cache_storage::FileStore;
use tempfile::TempDir;

use crate::tally::{Outcome, Tally};
use crate::writer;

pub(crate) const PEER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/contention/peer.py");

const KILLED: i32 = 9;

/// The points at which MSAL is killed; `peer.py` has the reason. Ours is killed anywhere.
const POINTS: [&str; 4] = ["before", "held", "written", "released"];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Ours,
    Portalocker,
    Plain,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Portalocker => "msal with portalocker",
            Self::Plain => "msal without",
        }
    }
}

pub(crate) struct Plan {
    pub(crate) writers: Vec<(Kind, usize)>,
    pub(crate) time: Duration,
    /// Between two saves of a writer, on average.
    pub(crate) pause: Duration,
    /// Between two kills, on average; none if zero.
    pub(crate) kill_every: Duration,
    /// Further arguments of `peer.py`.
    pub(crate) msal: &'static [&'static str],
}

/// The Pythons of the peers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pythons {
    pub(crate) portalocker: Option<PathBuf>,
    pub(crate) plain: Option<PathBuf>,
}

/// Runs the writers of a plan, and examines the result.
pub(crate) fn run(plan: &Plan, pythons: &Pythons) -> io::Result<Outcome> {
    let folder = tempfile::tempdir()?;
    let cache = new_cache(&folder)?;
    let mut race = Race::new(plan, pythons, &cache);
    let started = Instant::now();
    race.run()?;
    finish(&cache, started.elapsed(), race.tallies)
}

pub(crate) fn new_cache(folder: &TempDir) -> io::Result<PathBuf> {
    let cache = folder.path().join("cache");
    File::options().write(true).create_new(true).mode(0o600).open(&cache)?.write_all(b"{}")?;
    Ok(cache)
}

/// Makes the last write, alone, and examines the file and the folder.
fn finish(cache: &Path, time: Duration, mut tallies: BTreeMap<Kind, Tally>) -> io::Result<Outcome> {
    let store = FileStore::new(cache.to_owned(), writer::rules());
    let document: Value = match serde_json::from_slice(&fs::read(cache)?) {
        Ok(document) => document,
        Err(error) => {
            for tally in tallies.values_mut() {
                tally.lost = tally.saved.len();
            }
            let (damage, files) = (Some(format!("damaged: {error}")), names(cache)?);
            return Ok(Outcome { time, tallies, damage, files, left_behind: 0 });
        }
    };
    let there = |key: &String| document.get("AccessToken").is_some_and(|tokens| tokens.get(key).is_some());
    for tally in tallies.values_mut() {
        tally.lost = tally.saved.iter().filter(|key| !there(key)).count();
    }
    let left = names(cache)?.into_iter().filter(|name| name.ends_with(".tmp")).collect::<Vec<_>>();
    for name in &left {
        // They become stale, so that the last write removes them.
        let file = File::options().write(true).open(cache.with_file_name(name))?;
        file.set_modified(SystemTime::now() - Duration::from_secs(61))?;
    }
    writer::save(&store, "last").map_err(|error| io::Error::other(format!("the last write failed: {error}")))?;
    Ok(Outcome { time, tallies, damage: None, files: names(cache)?, left_behind: left.len() })
}

fn names(cache: &Path) -> io::Result<BTreeSet<String>> {
    let folder = cache.parent().unwrap_or(Path::new("."));
    fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

/// A message of the writer in a place.
type Said = (usize, Option<String>);

struct Writer {
    kind: Kind,
    child: Child,
    running: bool,
}

struct Race<'a> {
    plan: &'a Plan,
    pythons: &'a Pythons,
    cache: &'a Path,
    writers: Vec<Writer>,
    tallies: BTreeMap<Kind, Tally>,
    started: usize,
    hears: (Sender<Said>, Receiver<Said>),
}

impl<'a> Race<'a> {
    fn new(plan: &'a Plan, pythons: &'a Pythons, cache: &'a Path) -> Self {
        let tally = |&(kind, writers)| (kind, Tally { writers, ..Tally::default() });
        let tallies = plan.writers.iter().map(tally).collect();
        Self { plan, pythons, cache, writers: Vec::new(), tallies, started: 0, hears: channel() }
    }

    fn run(&mut self) -> io::Result<()> {
        for &(kind, count) in &self.plan.writers {
            for _ in 0..count {
                let writer = self.start(kind, self.writers.len())?;
                self.writers.push(writer);
            }
        }
        let end = Instant::now() + self.plan.time;
        let mut kill = self.next_kill();
        while Instant::now() < end {
            self.hear(end.min(kill), true)?;
            if Instant::now() >= kill {
                self.kill()?;
                kill = self.next_kill();
            }
        }
        for writer in &mut self.writers {
            drop(writer.child.stdin.take());
            if writer.kind == Kind::Ours {
                writer.child.kill()?;
            }
        }
        // MSAL may be waiting for a lock, which it does for 5 s, or twice 5 s with portalocker.
        let end = Instant::now() + Duration::from_secs(20);
        while self.writers.iter().any(|writer| writer.running) && Instant::now() < end {
            self.hear(end, false)?;
        }
        for writer in self.writers.iter_mut().filter(|writer| writer.running) {
            writer.child.kill()?;
            self.tallies.entry(writer.kind).or_default().errors.push("does not end".into());
        }
        Ok(())
    }

    fn start(&mut self, kind: Kind, place: usize) -> io::Result<Writer> {
        self.started += 1;
        let id = format!("w{}", self.started);
        let pause = self.plan.pause.as_millis().to_string();
        let mut command = match kind {
            Kind::Ours => {
                let mut command = Command::new(std::env::current_exe()?);
                // The limit ends the writers of a run whose driver was killed.
                let limit = (self.plan.time.as_secs() + 30).to_string();
                command.arg("writer").arg(self.cache).args([&id, "--seconds", &limit, "--pause", &pause]);
                command
            }
            Kind::Portalocker | Kind::Plain => {
                let python =
                    if kind == Kind::Plain { self.pythons.plain.as_ref() } else { self.pythons.portalocker.as_ref() };
                let mut command = Command::new(python.ok_or_else(|| io::Error::other("no Python"))?);
                command.arg(PEER).arg(self.cache).args([&id, "--pause", &pause]).args(self.plan.msal);
                command
            }
        };
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let says = child.stdout.take().ok_or_else(|| io::Error::other("no output"))?;
        let sender = self.hears.0.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(says).lines().map_while(Result::ok) {
                drop(sender.send((place, Some(line))));
            }
            drop(sender.send((place, None)));
        });
        Ok(Writer { kind, child, running: true })
    }

    /// Waits for a message of one writer, up to a deadline. A killed writer is replaced while the
    /// race goes on.
    fn hear(&mut self, until: Instant, goes_on: bool) -> io::Result<()> {
        let (place, line) = match self.hears.1.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(said) => said,
            Err(RecvTimeoutError::Timeout) => return Ok(()),
            Err(RecvTimeoutError::Disconnected) => return Err(io::Error::other("no writer is left")),
        };
        let Some(writer) = self.writers.get_mut(place) else { return Ok(()) };
        let (kind, tally) = (writer.kind, self.tallies.entry(writer.kind).or_default());
        if let Some(line) = line {
            note(tally, &line);
            return Ok(());
        }
        writer.running = false;
        let status = writer.child.wait()?;
        let was_killed = status.signal() == Some(KILLED);
        if !was_killed && !status.success() {
            tally.errors.push(format!("ended with {status}"));
        }
        if goes_on && was_killed {
            tally.kills += 1;
            let next = self.start(kind, place)?;
            if let Some(writer) = self.writers.get_mut(place) {
                *writer = next;
            }
        }
        Ok(())
    }

    fn kill(&mut self) -> io::Result<()> {
        let place = fastrand::usize(..self.writers.len().max(1));
        let Some(writer) = self.writers.get_mut(place) else { return Ok(()) };
        if writer.kind == Kind::Ours {
            return writer.child.kill();
        }
        if let Some(hears) = &mut writer.child.stdin {
            // It may be dead already.
            drop(writeln!(hears, "die {}", fastrand::choice(POINTS).unwrap_or("before")));
        }
        Ok(())
    }

    fn next_kill(&self) -> Instant {
        match self.plan.kill_every {
            Duration::ZERO => Instant::now() + self.plan.time,
            every => Instant::now() + every.mul_f32(2.0 * fastrand::f32()),
        }
    }
}

fn note(tally: &mut Tally, line: &str) {
    let mut words = line.split(' ');
    match words.next() {
        Some("gave-up") => tally.gave_up += 1,
        Some("unlocked") => tally.unlocked += 1,
        // The target is the end of the key, and has no blanks here.
        Some("saved") => match (words.next(), words.next().and_then(|wait| wait.parse().ok())) {
            (Some(key), Some(wait)) => {
                tally.saved.push(key.to_owned());
                tally.worst = tally.worst.max(Duration::from_micros(wait));
            }
            _ => tally.errors.push(format!("said {line:?}")),
        },
        _ => tally.errors.push(line.to_owned()),
    }
}
