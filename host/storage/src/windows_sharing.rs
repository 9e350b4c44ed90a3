//! Errors that mean only that another program has the file open at the moment. On Unix an open file
//! blocks no operation. On Windows a file that is open without sharing cannot be opened, replaced
//! or removed.

use std::io::Error;

/// Whether the operating system reports a sharing or lock violation.
#[cfg(windows)]
pub(crate) fn is_busy(error: &Error) -> bool {
    use windows_sys::Win32::Foundation::{ERROR_LOCK_VIOLATION, ERROR_SHARING_VIOLATION};
    is_one_of(error, &[ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION])
}

/// Also covers the codes for a file that is being removed, or that cannot be replaced while it is
/// open. Windows uses the same codes for missing permission, so keep the wait short.
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
