//! Whether the process that a lock file names is gone.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::time::Duration;

/// A lock file without a process id may just have been created; after this long it is stale.
pub(super) const ANONYMOUS_IS_STALE_AFTER: Duration = Duration::from_secs(60);

/// A process that is not visible may run in another container. A lock is held for milliseconds, so
/// after this long it is stale.
const DEAD_IS_STALE_AFTER: Duration = Duration::from_secs(2);

/// The age of a file that is certainly stale without a process id.
pub(super) const LONG_AGO: Duration = Duration::from_secs(120);

/// More than the digits of a process id and the blank that follows them.
const LONGEST_PID: u64 = 24;

/// Whether the lock file is stale.
pub(super) fn is_gone(file: &mut File) -> io::Result<bool> {
    let pid = named(file)?;
    let age = file.metadata()?.modified()?.elapsed().unwrap_or_default();
    Ok(match pid {
        Some(pid) => age > DEAD_IS_STALE_AFTER && !is_alive(pid),
        None => age > ANONYMOUS_IS_STALE_AFTER,
    })
}

/// Whether the lock file is signed: it begins with a process id.
pub(super) fn names_a_process(file: &mut File) -> io::Result<bool> {
    named(file).map(|pid| pid.is_some())
}

fn named(file: &mut File) -> io::Result<Option<i32>> {
    let mut text = Vec::new();
    file.rewind()?;
    file.take(LONGEST_PID).read_to_end(&mut text)?;
    Ok(process(&text))
}

/// The process id at the beginning of a lock file. The program's path follows, in any encoding.
fn process(text: &[u8]) -> Option<i32> {
    let pid = text.split(u8::is_ascii_whitespace).next()?;
    str::from_utf8(pid).ok()?.parse().ok().filter(|pid| *pid > 0)
}

#[cfg(unix)]
fn is_alive(pid: i32) -> bool {
    // Only `ESRCH` means that the process is gone: `EPERM` means that it exists and belongs to
    // another user.
    rustix::process::Pid::from_raw(pid)
        .is_none_or(|pid| rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

#[cfg(windows)]
fn is_alive(pid: i32) -> bool {
    crate::windows::is_running(pid.cast_unsigned())
}

#[cfg(test)]
mod tests {
    use super::process;

    #[test]
    fn a_lock_names_a_process_whatever_text_follows() {
        for (text, pid) in [
            ("4711 shared-token-cache".as_bytes(), Some(4711)),
            (b"4711", Some(4711)),
            (b"4711 /home/m\xfcller/az", Some(4711)),
            ("4711 /home/mü".as_bytes().split_last().unwrap().1, Some(4711)),
            (b"", None),
            (b" 4711", None),
            (b"0 idle", None),
            (b"-4711 group", None),
            (b"99999999999999999999 az", None),
            (b"{\"pid\":4711}", None),
        ] {
            assert_eq!(process(text), pid, "{text:?}");
        }
    }
}
