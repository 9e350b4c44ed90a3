//! What ends the agent, and what has it reopen the audit file.
//!
//! Every signal that would end the process at once is heard, because a process that ends at once takes no token back. What cannot be
//! heard is SIGKILL, the signals 32 and 33, which C libraries keep for their threads, and a fault of the program itself. SIGPIPE stays ignored, as in every Rust program: a reader of the log that
//! leaves is no reason to end.

use std::io;

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// To end; the signal's name.
    End(&'static str),
    /// To open the audit file again.
    Reopen,
}

/// From here on a signal that asks to end does not end the process.
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
    /// Waits for the next.
    pub(super) async fn next(&mut self) -> Asked {
        self.any().await.0
    }

    /// Waits for the next; gives its number.
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

/// The signals that end a process which does not hear them, but for those of its own faults.
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
    // From the first one that a program can hear: the C library keeps the real-time signals 32 and 33, and musl 34 as well.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fatal.extend((34..=64).map(|number| (number, "a real-time signal")));
    fatal
}

/// Whether a hang-up is no end: `nohup` has it ignored, and a service manager sends it when a log was rotated. Shells inherit the
/// service manager's variables, so a process with a terminal is none of its services.
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

/// From here on Ctrl+C, Ctrl+Break, a closed console, a log-off and a shutdown are heard.
#[cfg(not(unix))]
pub(crate) fn listen() -> io::Result<Signals> {
    use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_logoff, ctrl_shutdown};
    Ok(Signals(ctrl_c()?, ctrl_break()?, ctrl_close()?, ctrl_logoff()?, ctrl_shutdown()?))
}

/// The ways in which Windows ends a process.
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
    /// Waits for the next.
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
