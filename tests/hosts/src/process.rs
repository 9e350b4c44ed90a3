//! Running programs: to their end within a time limit, or beside the test until it lets go of them.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

const STEP: Duration = Duration::from_millis(20);

/// What a program printed until its end.
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a program with `input` on its standard input. One that takes too long is killed.
pub(crate) fn run(command: &mut Command, input: &str, limit: Duration) -> Result<Finished> {
    // Files, so that a program that prints much is never kept waiting.
    let (mut stdout, mut stderr) = (tempfile::tempfile()?, tempfile::tempfile()?);
    let name = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::piped()).stdout(stdout.try_clone()?).stderr(stderr.try_clone()?);
    let mut running = Running(command.spawn().with_context(|| format!("{name} can't be started"))?);
    if let Some(mut stdin) = running.0.stdin.take() {
        // One that ends without reading it says why in what it prints.
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

/// Runs a program that has to succeed, and gives what it printed.
pub(crate) fn output(command: &mut Command, limit: Duration) -> Result<String> {
    let finished = run(command, "", limit)?;
    if !finished.status.success() {
        let name = command.get_program().to_string_lossy();
        bail!("{name} failed ({}): {}", finished.status, finished.stderr.trim());
    }
    Ok(finished.stdout)
}

/// A program beside the test. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Running(pub(crate) Child);

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
