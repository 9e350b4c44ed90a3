//! The command's process: its environment, its signals, its exit code.

use std::ffi::OsString;
use std::io;
use std::process::{Child, Command, ExitCode, ExitStatus};

use crate::agent::Signals;
use crate::agent::http::Environment;

use super::super::output::Failure;
use super::super::{complain, core_dumps};

/// Variables that lead clients to another endpoint. The child does not inherit them.
const MISLEADING: [&str; 5] = [
    // With this variable, clients treat the endpoint as Service Fabric's.
    "IDENTITY_SERVER_THUMBPRINT",
    // With this variable, some treat it as Azure Arc's.
    "IMDS_ENDPOINT",
    // With this variable, some prefer a workload identity.
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_POD_IDENTITY_AUTHORITY_HOST",
    // The certificate of another endpoint.
    "AZD_AUTH_CERT",
];

/// A shell's exit codes for a command that is missing, and for one that is not executable.
const NOT_FOUND: u8 = 127;
const NOT_EXECUTABLE: u8 = 126;

/// Runs the command to its end and returns its exit code. Signals that end this process are passed
/// to the command.
pub(super) async fn run(
    command: &[OsString],
    environment: &Environment,
    signals: Signals,
) -> Result<ExitCode, Failure> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(Failure::invalid("name a command to run"));
    };
    let mut command = Command::new(program);
    command.args(arguments).envs(environment.iter());
    for name in MISLEADING {
        command.env_remove(name);
    }
    let child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            complain(&format!("cannot run {}: {error}", program.to_string_lossy()));
            let is_missing = error.kind() == io::ErrorKind::NotFound;
            return Ok(ExitCode::from(if is_missing { NOT_FOUND } else { NOT_EXECUTABLE }));
        }
    };
    drop(command);
    core_dumps::restore(child.id());
    let status = ended(child, signals).await.map_err(Failure::other)?;
    Ok(code(status))
}

/// Waits for the end, and passes signals to the command until then.
#[cfg(unix)]
async fn ended(mut child: Child, mut signals: Signals) -> io::Result<ExitStatus> {
    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
    let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else { return child.wait() };
    let (sender, mut has_ended) = tokio::sync::oneshot::channel();
    std::thread::Builder::new().name("child".into()).spawn(move || {
        // The process remains a zombie until `wait` below, so its PID cannot belong to another
        // process.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while waitid(WaitId::Pid(pid), options).is_err_and(|error| error == rustix::io::Errno::INTR) {}
        // The receiver is gone when this process ends.
        let _ = sender.send(());
    })?;
    loop {
        tokio::select! {
            biased;
            _ = &mut has_ended => return child.wait(),
            number = signals.next_number() => {
                if let Some(signal) = Signal::from_named_raw(number)
                    && !comes_from_the_terminal(signal)
                    && let Err(error) = kill_process(pid, signal)
                {
                    tracing::debug!("cannot pass on the signal {number}: {error}");
                }
            }
        }
    }
}

/// Whether the command has already received the signal: a terminal sends its keys' signals to all
/// processes in the foreground.
#[cfg(unix)]
fn comes_from_the_terminal(signal: rustix::process::Signal) -> bool {
    use rustix::process::Signal;
    if signal != Signal::INT && signal != Signal::QUIT {
        return false;
    }
    let Ok(terminal) = std::fs::File::open("/dev/tty") else { return false };
    rustix::termios::tcgetpgrp(&terminal).is_ok_and(|group| group == rustix::process::getpgrp())
}

/// Waits for the end. The console sends Ctrl+C to the command too.
#[cfg(not(unix))]
async fn ended(mut child: Child, signals: Signals) -> io::Result<ExitStatus> {
    let status = tokio::task::spawn_blocking(move || child.wait()).await.map_err(io::Error::other)?;
    drop(signals);
    status
}

/// A shell's exit code: for a signal, 128 and its number.
fn code(status: ExitStatus) -> ExitCode {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return ExitCode::from(128_u8.saturating_add(u8::try_from(signal).unwrap_or(127)));
    }
    let code = status.code().unwrap_or(1);
    // Windows has exit codes of 32 bits; those above 255 become 1.
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}
