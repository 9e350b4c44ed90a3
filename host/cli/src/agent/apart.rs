//! Threads for work that may block: a front that waits for the file system must not delay others.

use anyhow::Context as _;
use tokio::sync::oneshot;

/// Runs the work on a thread with its own event loop. A thread that hangs ends with the process.
pub(super) async fn apart(name: String, work: impl Future<Output = ()> + Send + 'static) -> anyhow::Result<()> {
    let (done, is_done) = oneshot::channel();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name(name.clone()).spawn(move || {
        runtime.block_on(work);
        // The receiver is gone when the process ends.
        let _ = done.send(());
        runtime.shutdown_background();
    })?;
    is_done.await.with_context(|| format!("the work on {name} panicked"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn work_that_blocks_delays_nothing_else_and_a_panic_is_reported() {
        let (release, released) = std::sync::mpsc::channel::<()>();
        let blocked = tokio::spawn(apart("blocked".into(), async move {
            released.recv().unwrap_err();
        }));
        apart("other".into(), tokio::time::sleep(Duration::from_millis(1))).await.unwrap();
        assert!(!blocked.is_finished());
        drop(release);
        blocked.await.unwrap().unwrap();
        let error = apart("broken".into(), async { panic!("on purpose") }).await.unwrap_err();
        assert!(error.to_string().contains("broken"), "{error}");
    }
}
