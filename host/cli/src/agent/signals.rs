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
    install(|_| true)
}

/// Installs the handlers, except for signals that the process was started with as ignored, such as
/// SIGHUP by `nohup`. They stay ignored, also in a child.
#[cfg(unix)]
pub(crate) fn listen_as_parent() -> io::Result<Signals> {
    let status = status();
    install(|number| !is_ignored(&status, number))
}

#[cfg(unix)]
fn install(is_handled: impl Fn(i32) -> bool) -> io::Result<Signals> {
    use tokio::signal::unix::{SignalKind, signal};
    let hang_up = if stays_on_hang_up() { Asked::Reopen } else { Asked::End("SIGHUP") };
    let number = SignalKind::hangup().as_raw_value();
    let mut signals = Vec::new();
    if is_handled(number) {
        signals.push((signal(SignalKind::hangup())?, hang_up, number));
    }
    for (number, name) in fatal().into_iter().filter(|(number, _)| is_handled(*number)) {
        match signal(SignalKind::from_raw(number)) {
            Ok(heard) => signals.push((heard, Asked::End(name), number)),
            Err(error) => tracing::debug!("cannot listen for {name}: {error}"),
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
    is_ignored(&status(), tokio::signal::unix::SignalKind::hangup().as_raw_value())
        || (is_service && std::fs::File::open("/dev/tty").is_err())
}

/// Linux's description of this process, and an empty text elsewhere.
#[cfg(unix)]
fn status() -> String {
    std::fs::read_to_string("/proc/self/status").unwrap_or_default()
}

/// Whether `/proc/self/status` says that a signal is ignored. The lowest bit is signal 1.
#[cfg(unix)]
fn is_ignored(status: &str, signal: i32) -> bool {
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    u32::try_from(signal - 1).ok().and_then(|bit| mask.checked_shr(bit)).is_some_and(|mask| mask & 1 == 1)
}

/// Installs handlers for Ctrl+C, Ctrl+Break, a closed console, a log-off and a shutdown.
#[cfg(not(unix))]
pub(crate) fn listen() -> io::Result<Signals> {
    use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_logoff, ctrl_shutdown};
    Ok(Signals(ctrl_c()?, ctrl_break()?, ctrl_close()?, ctrl_logoff()?, ctrl_shutdown()?))
}

/// Installs the same handlers.
#[cfg(not(unix))]
pub(crate) fn listen_as_parent() -> io::Result<Signals> {
    listen()
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
        let status = "Name:\tx\nSigIgn:\t0000000000001001\nSigCgt:\t2\n";
        assert!(is_ignored(status, 1) && is_ignored(status, 13));
        assert!(!is_ignored(status, 2) && !is_ignored(status, 64) && !is_ignored(status, 0));
        assert!(!is_ignored("", 1));
    }
}
