//! The Data Protection API: Windows encrypts for the current user with keys that it derives from
//! the user's sign-in.
//!
//! MSAL passes no entropy and forbids windows, and so does this module; each can read what the
//! other wrote.

use std::io;
use std::ptr;

use windows_sys::Win32::Foundation::{
    ERROR_FILE_NOT_FOUND, ERROR_INVALID_DATA, LocalFree, NTE_BAD_DATA, NTE_BAD_KEY_STATE, SEC_E_DELEGATION_REQUIRED,
};
use windows_sys::Win32::Security::Cryptography::{
    CRYPT_INTEGER_BLOB, CRYPTPROTECT_UI_FORBIDDEN, CryptProtectData, CryptUnprotectData,
};
use zeroize::{Zeroize as _, Zeroizing};

const DAMAGED: i32 = ERROR_INVALID_DATA.cast_signed();
const NO_MASTER_KEY: i32 = ERROR_FILE_NOT_FOUND.cast_signed();

/// Encrypts for the current user.
pub(crate) fn protect(document: &[u8]) -> Result<Vec<u8>, String> {
    transform(Direction::Protect, document).map_err(|error| format!("cannot encrypt the document with DPAPI: {error}"))
}

/// Decrypts. The error text completes a sentence that begins with the file's path.
pub(crate) fn unprotect(content: &[u8]) -> Result<Zeroizing<Vec<u8>>, String> {
    transform(Direction::Unprotect, content).map(Zeroizing::new).map_err(|error| match error.raw_os_error() {
        Some(DAMAGED | NTE_BAD_DATA) => format!(
            "is damaged, or was not encrypted by Windows ({error}); delete it and sign in again with the tool that wrote it"
        ),
        Some(NTE_BAD_KEY_STATE | NO_MASTER_KEY) => format!(
            "was encrypted for another user or on another machine, or before the user's password was reset ({error}); run as the \
             user who signed in, or delete it and sign in again"
        ),
        Some(SEC_E_DELEGATION_REQUIRED) => format!(
            "cannot be decrypted in this session, in which Windows has no credentials of the user ({error}); sign in at the machine \
             itself, or let the domain trust it for delegation"
        ),
        _ => format!("cannot be decrypted with DPAPI: {error}"),
    })
}

#[derive(Clone, Copy)]
enum Direction {
    Protect,
    Unprotect,
}

#[expect(unsafe_code, reason = "Windows offers its Data Protection API in C only")]
fn transform(direction: Direction, input: &[u8]) -> io::Result<Vec<u8>> {
    let length = u32::try_from(input.len()).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
    // The type has no constant form; Windows does not write to its input.
    let input = CRYPT_INTEGER_BLOB { cbData: length, pbData: input.as_ptr().cast_mut() };
    let mut output = CRYPT_INTEGER_BLOB::default();
    let (input, result) = (&raw const input, &raw mut output);
    // SAFETY: `input` describes memory that is borrowed until the end of this function, `result`
    // points to a valid blob for the output, and all other arguments may be null.
    let done = unsafe {
        match direction {
            Direction::Protect => CryptProtectData(
                input,
                ptr::null(),
                ptr::null(),
                ptr::null(),
                ptr::null(),
                CRYPTPROTECT_UI_FORBIDDEN,
                result,
            ),
            Direction::Unprotect => CryptUnprotectData(
                input,
                ptr::null_mut(),
                ptr::null(),
                ptr::null(),
                ptr::null(),
                CRYPTPROTECT_UI_FORBIDDEN,
                result,
            ),
        }
    };
    if done == 0 {
        return Err(io::Error::last_os_error());
    }
    if output.pbData.is_null() {
        return Ok(Vec::new());
    }
    // SAFETY: After a success this memory is initialised, has this length, and belongs to the
    // caller alone.
    let allocated = unsafe { std::slice::from_raw_parts_mut(output.pbData, output.cbData as usize) };
    let content = allocated.to_vec();
    allocated.zeroize();
    // SAFETY: Windows allocated it for `LocalFree`, and `allocated` is not used any more.
    unsafe { LocalFree(output.pbData.cast()) };
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &[u8] = br#"{"RefreshToken": {"a": {"secret": "made-up-secret"}}}"#;

    #[test]
    fn a_protected_document_is_read_by_its_user_and_only_through_windows() {
        let protected = protect(DOCUMENT).unwrap();
        let shows = |part: &[u8]| protected.windows(part.len()).any(|window| window == part);
        assert!(!shows(b"made-up-secret") && !shows(b"RefreshToken"));
        assert_eq!(*unprotect(&protected).unwrap(), DOCUMENT);
    }

    #[test]
    fn large_and_empty_documents_survive() {
        for document in [vec![b'x'; 3_000_000], Vec::new()] {
            assert_eq!(*unprotect(&protect(&document).unwrap()).unwrap(), document);
        }
    }

    #[test]
    fn damaged_content_is_an_error_with_a_hint() {
        let mut protected = protect(DOCUMENT).unwrap();
        let last = protected.len() - 1;
        protected[last] ^= 1;
        for content in [protected.as_slice(), &protected[..40], b"no blob at all"] {
            let shown = unprotect(content).unwrap_err();
            assert!(shown.contains("damaged") && shown.contains("sign in again"), "{shown}");
        }
    }
}
