//! Signals that end the agent or reopen the audit file.
//!
//! The agent handles every signal whose default action ends the process, so that it can withdraw
//! its tokens first. It cannot handle SIGKILL, the signals 32 and 33, which C libraries reserve for
//! threads, and faults of the program itself. SIGPIPE stays ignored, as in every Rust program, so
//! the agent survives the reader of its log.

use std::io;

/// The action that a signal requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// End, by the signal of this name.
    End(&'static str),
    /// Reopen the audit file.
    Reopen,
}

/// Installs the handlers. From then on these signals do not end the process.
#[cfg(unix)]
pub(crate) fn listen() -> io::Result<Signals> {
    use tokio::signal::unix::{SignalKind, signal};
    let hang_up = if stays_on_hang_up() { Asked::Reopen } else { Asked::End("SIGHUP") };
    let number = SignalKind::hangup().as_raw_value();
    let mut signals = vec![(signal(SignalKind::hangup())?, hang_up, number)];
    for (number, name) in fatal() {
        match signal(SignalKind::from_raw(number)) {
            Ok(heard) => signals.push((heard, Asked::End(name), number)),
            Err(error) => tracing::debug!("{name} cannot be heard: {error}"),
        }
    }
    Ok(Signals(signals))
}

/// The signals of the process.
#[cfg(unix)]
pub(crate) struct Signals(Vec<(tokio::signal::unix::Signal, Asked, i32)>);

#[cfg(unix)]
impl Signals {
    /// Waits for the next signal.
    pub(super) async fn next(&mut self) -> Asked {
        self.any().await.0
    }

    /// Waits for the next signal and returns its number.
    pub(crate) async fn next_number(&mut self) -> i32 {
        self.any().await.1
    }

    async fn any(&mut self) -> (Asked, i32) {
        std::future::poll_fn(|context| {
            for (signal, asked, number) in &mut self.0 {
                if signal.poll_recv(context).is_ready() {
                    return std::task::Poll::Ready((*asked, *number));
                }
            }
            std::task::Poll::Pending
        })
        .await
    }
}

/// The signals that end a process without a handler, except those for faults of the program itself.
#[cfg(unix)]
fn fatal() -> Vec<(i32, &'static str)> {
    use rustix::process::Signal;
    let mut fatal = vec![
        (Signal::TERM, "SIGTERM"),
        (Signal::INT, "SIGINT"),
        (Signal::QUIT, "SIGQUIT"),
        (Signal::USR1, "SIGUSR1"),
        (Signal::USR2, "SIGUSR2"),
        (Signal::ALARM, "SIGALRM"),
        (Signal::VTALARM, "SIGVTALRM"),
        (Signal::PROF, "SIGPROF"),
        (Signal::XCPU, "SIGXCPU"),
        (Signal::XFSZ, "SIGXFSZ"),
        (Signal::ABORT, "SIGABRT"),
        (Signal::TRAP, "SIGTRAP"),
        (Signal::SYS, "SIGSYS"),
    ];
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fatal.extend([(Signal::IO, "SIGIO"), (Signal::POWER, "SIGPWR"), (Signal::STKFLT, "SIGSTKFLT")]);
    let mut fatal: Vec<_> = fatal.into_iter().map(|(signal, name)| (signal.as_raw(), name)).collect();
    // The C library reserves the real-time signals 32 and 33, and musl also 34.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fatal.extend((34..=64).map(|number| (number, "a real-time signal")));
    fatal
}

/// Whether SIGHUP does not end the agent: `nohup` has it ignored, and service managers send it
/// after a log rotation. Shells inherit a service manager's variables, so a process with a terminal
/// does not count as a service.
#[cfg(unix)]
fn stays_on_hang_up() -> bool {
    let is_service = ["INVOCATION_ID", "NOTIFY_SOCKET"].iter().any(|name| std::env::var_os(name).is_some());
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    is_ignored(&status) || (is_service && std::fs::File::open("/dev/tty").is_err())
}

/// Whether `/proc/self/status` says that SIGHUP, the first signal, is ignored.
#[cfg(unix)]
fn is_ignored(status: &str) -> bool {
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

/// Installs handlers for Ctrl+C, Ctrl+Break, a closed console, a log-off and a shutdown.
#[cfg(not(unix))]
pub(crate) fn listen() -> io::Result<Signals> {
    use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_logoff, ctrl_shutdown};
    Ok(Signals(ctrl_c()?, ctrl_break()?, ctrl_close()?, ctrl_logoff()?, ctrl_shutdown()?))
}

/// The events by which Windows ends a process.
#[cfg(not(unix))]
pub(crate) struct Signals(
    tokio::signal::windows::CtrlC,
    tokio::signal::windows::CtrlBreak,
    tokio::signal::windows::CtrlClose,
    tokio::signal::windows::CtrlLogoff,
    tokio::signal::windows::CtrlShutdown,
);

#[cfg(not(unix))]
impl Signals {
    /// Waits for the next event.
    pub(super) async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.0.recv() => Asked::End("Ctrl+C"),
            _ = self.1.recv() => Asked::End("Ctrl+Break"),
            _ = self.2.recv() => Asked::End("a closed console"),
            _ = self.3.recv() => Asked::End("a log-off"),
            _ = self.4.recv() => Asked::End("a shutdown"),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_mask_of_ignored_signals_is_read() {
        assert!(is_ignored("Name:\tx\nSigIgn:\t0000000000001001\nSigCgt:\t0\n"));
        assert!(!is_ignored("Name:\tx\nSigIgn:\t0000000000001000\nSigCgt:\t1\n"));
        assert!(!is_ignored(""));
    }
}
