//! Whether an error says no more than that another program has the file open just now. On Unix that hinders nobody; on Windows a file
//! can't be opened, replaced or removed as long as a program has it open that does not share that.

use std::io::Error;

/// The operating system says so.
#[cfg(windows)]
pub(crate) fn is_busy(error: &Error) -> bool {
    use windows_sys::Win32::Foundation::{ERROR_LOCK_VIOLATION, ERROR_SHARING_VIOLATION};
    is_one_of(error, &[ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION])
}

/// The operating system says so, or what it says as well of a file that is being removed, or of one that can't be replaced while it is
/// open. It also says that where permission is lacking, so nobody should wait for long.
#[cfg(windows)]
pub(crate) fn may_be_busy(error: &Error) -> bool {
    use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, ERROR_DELETE_PENDING};
    is_busy(error) || is_one_of(error, &[ERROR_ACCESS_DENIED, ERROR_DELETE_PENDING])
}

#[cfg(windows)]
fn is_one_of(error: &Error, codes: &[u32]) -> bool {
    error.raw_os_error().is_some_and(|code| codes.contains(&code.cast_unsigned()))
}

#[cfg(not(windows))]
pub(crate) fn is_busy(_error: &Error) -> bool {
    false
}

#[cfg(not(windows))]
pub(crate) fn may_be_busy(_error: &Error) -> bool {
    false
}
