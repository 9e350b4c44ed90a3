//! What ends the agent.

use std::io;

/// From here on a signal that asks to end does not end the process; the future waits for one, and gives its name.
#[cfg(unix)]
pub(super) fn listen() -> io::Result<impl Future<Output = &'static str>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        }
    })
}

/// The same for Ctrl+C.
#[cfg(not(unix))]
pub(super) fn listen() -> io::Result<impl Future<Output = &'static str>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
        "Ctrl+C"
    })
}
