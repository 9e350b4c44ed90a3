//! Calls of Windows that the standard library lacks.

use std::fs::File;
use std::io;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};

use windows_sys::Win32::Foundation::{ERROR_INVALID_PARAMETER, FALSE, WAIT_OBJECT_0};
use windows_sys::Win32::Storage::FileSystem::{BY_HANDLE_FILE_INFORMATION, GetFileInformationByHandle};
use windows_sys::Win32::System::Threading::{OpenProcess, PROCESS_SYNCHRONIZE, WaitForSingleObject};

/// Whether a process runs; `true` in doubt.
#[expect(unsafe_code, reason = "the standard library opens no process by its id")]
pub(crate) fn is_running(pid: u32) -> bool {
    // SAFETY: No pointer is passed.
    let process = unsafe { OpenProcess(PROCESS_SYNCHRONIZE, FALSE, pid) };
    if process.is_null() {
        // Windows returns this code for an id that no process has. For another user's process it
        // returns "access denied".
        return io::Error::last_os_error().raw_os_error() != Some(ERROR_INVALID_PARAMETER.cast_signed());
    }
    // SAFETY: The handle is valid, was made by the call above, and has no other owner.
    let process = unsafe { OwnedHandle::from_raw_handle(process) };
    // A process that has ended can be opened while another handle to it is open; its object is then
    // signalled.
    // SAFETY: The handle is open until the end of this function.
    let outcome = unsafe { WaitForSingleObject(process.as_raw_handle(), 0) };
    outcome != WAIT_OBJECT_0
}

/// Whether two handles refer to the same file.
pub(crate) fn is_same_file(one: &File, other: &File) -> io::Result<bool> {
    Ok(identity(one)? == identity(other)?)
}

/// The volume, and the file's number on it.
#[expect(unsafe_code, reason = "the stable standard library has no function for a file's number")]
fn identity(file: &File) -> io::Result<(u32, u32, u32)> {
    let mut about = BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: The handle is open as long as `file` is borrowed, and the pointer is to a structure
    // of the type that the call fills.
    if unsafe { GetFileInformationByHandle(file.as_raw_handle(), &raw mut about) } == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok((about.dwVolumeSerialNumber, about.nFileIndexHigh, about.nFileIndexLow))
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_process_runs_until_it_has_ended() {
        assert!(is_running(std::process::id()));
        let mut child =
            Command::new(std::env::current_exe().unwrap()).arg("--list").stdout(Stdio::null()).spawn().unwrap();
        let pid = child.id();
        child.wait().unwrap();
        assert!(!is_running(pid), "ended, and a handle to it is still open");
        drop(child);
        assert!(!is_running(pid), "ended, and forgotten");
        assert!(!is_running(0xFFFF_FFF0), "never was");
    }

    #[test]
    fn files_are_identified_by_more_than_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let first = File::create(&path).unwrap();
        assert!(is_same_file(&first, &File::open(&path).unwrap()).unwrap());
        std::fs::rename(&path, folder.path().join("moved")).unwrap();
        assert!(!is_same_file(&first, &File::create(&path).unwrap()).unwrap());
    }
}
