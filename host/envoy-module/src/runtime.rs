//! The module's one thread for all work that takes time.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::thread;

use tokio::runtime::{Builder, Handle};

const NAME: &str = "shared-token-cache";

/// The names of its blocking threads, which read and write files and end when idle.
const FILES: &str = "token-files";

/// The runtime of that thread, started by the first call and never stopped; it sleeps when idle.
///
/// # Errors
/// When the thread cannot be started.
pub(crate) fn handle() -> io::Result<Handle> {
    static HANDLE: Mutex<Option<Handle>> = Mutex::new(None);
    let mut started = HANDLE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = &*started {
        return Ok(handle.clone());
    }
    let runtime = Builder::new_current_thread().thread_name(FILES).enable_all().build()?;
    let handle = runtime.handle().clone();
    thread::Builder::new().name(NAME.to_owned()).spawn(move || runtime.block_on(std::future::pending::<()>()))?;
    *started = Some(handle.clone());
    Ok(handle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_tasks_run_on_one_thread_of_that_name() {
        let (send, receive) = std::sync::mpsc::channel();
        for _ in 0..2 {
            let send = send.clone();
            handle().unwrap().spawn(async move { send.send(thread::current()) });
        }
        let (a, b) = (receive.recv().unwrap(), receive.recv().unwrap());
        assert_eq!((a.id(), a.name()), (b.id(), Some(NAME)));
    }
}
