//! What ends the agent.

/// Waits for a signal that asks to end; gives its name.
#[cfg(unix)]
pub(super) async fn end() -> &'static str {
    use tokio::signal::unix::{SignalKind, signal};
    // Without a handler the signal ends the process at once, so there is nothing to wait for.
    let (terminate, interrupt) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    let (Ok(mut terminate), Ok(mut interrupt)) = (terminate, interrupt) else { return std::future::pending().await };
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}

/// Waits for Ctrl+C.
#[cfg(not(unix))]
pub(super) async fn end() -> &'static str {
    match tokio::signal::ctrl_c().await {
        Ok(()) => "Ctrl+C",
        Err(_) => std::future::pending().await,
    }
}
