//! Running programs: to their end within a time limit, or beside the test until the handle is
//! dropped.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

const STEP: Duration = Duration::from_millis(20);

/// A program's output and exit status.
#[derive(Debug)]
pub struct Finished {
    /// The exit status.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// Runs a program with `input` on its standard input, and kills it at the time limit.
pub fn run(command: &mut Command, input: &str, limit: Duration) -> Result<Finished> {
    // The output goes to files, so a full pipe never blocks the program.
    let (mut stdout, mut stderr) = (tempfile::tempfile()?, tempfile::tempfile()?);
    let name = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::piped()).stdout(stdout.try_clone()?).stderr(stderr.try_clone()?);
    let mut running = Running(command.spawn().with_context(|| format!("{name} can't be started"))?);
    if let Some(mut stdin) = running.0.stdin.take() {
        // A program that ends without reading its input gives the reason in its output.
        let _ = stdin.write_all(input.as_bytes());
    }
    let deadline = Instant::now() + limit;
    let status = loop {
        match running.0.try_wait()? {
            Some(status) => break status,
            None if Instant::now() > deadline => {
                drop(running);
                bail!("{name} did not end within {limit:?}: {}", text(&mut stderr)?.trim());
            }
            None => std::thread::sleep(STEP),
        }
    };
    Ok(Finished { status, stdout: text(&mut stdout)?, stderr: text(&mut stderr)? })
}

/// Runs a program that has to succeed; returns its output.
pub fn output(command: &mut Command, limit: Duration) -> Result<String> {
    let finished = run(command, "", limit)?;
    if !finished.status.success() {
        let name = command.get_program().to_string_lossy();
        bail!("{name} failed ({}): {}", finished.status, finished.stderr.trim());
    }
    Ok(finished.stdout)
}

/// A program beside the test, killed on drop.
#[derive(Debug)]
pub struct Running(pub Child);

/// Starts a program beside the test, with its output in the file `log`.
pub fn start(command: &mut Command, log: &Path) -> Result<Running> {
    let file = File::create(log).with_context(|| log.display().to_string())?;
    let name = command.get_program().to_string_lossy().into_owned();
    command.stdout(file.try_clone()?).stderr(file);
    Ok(Running(command.spawn().with_context(|| format!("{name} can't be started"))?))
}

impl Running {
    /// Polls until `ready` returns a value. It is an error if the program ends before.
    pub fn until<T>(&mut self, limit: Duration, mut ready: impl FnMut() -> Option<T>) -> Result<T> {
        let deadline = Instant::now() + limit;
        loop {
            // In this order: the log is complete once the program has ended.
            let status = self.0.try_wait()?;
            if let Some(what) = ready() {
                return Ok(what);
            }
            match status {
                Some(status) => bail!("it ended ({status})"),
                None if Instant::now() > deadline => bail!("it was not ready within {limit:?}"),
                None => std::thread::sleep(STEP),
            }
        }
    }

    /// Writes to its standard input, and closes that.
    pub fn tell(&mut self, input: &str) -> Result<()> {
        let mut stdin = self.0.stdin.take().context("it has no standard input")?;
        Ok(stdin.write_all(input.as_bytes())?)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn text(file: &mut File) -> Result<String> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
