//! The versions of documents that this process wrote, each with the account of its call.
//!
//! The vault lets a call change entries of its own account only, so tokens of other accounts are
//! the same in the next version. So a hundred profiles of a cache need not read it again after a
//! write for one of them.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// More than an agent writes between two polls of a file.
const MOST: usize = 256;

static WRITES: Mutex<VecDeque<Write>> = Mutex::new(VecDeque::new());

/// A write of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) file: PathBuf,
    pub(crate) from: String,
    pub(crate) to: String,
}

struct Write {
    written: Written,
    /// The fingerprint of the account.
    account: String,
}

/// Records the writes of a call that returned a token of this account.
pub(super) fn note(written: Vec<Written>, account: &str) {
    let mut writes = writes();
    writes.extend(written.into_iter().map(|written| Write { written, account: account.to_owned() }));
    let surplus = writes.len().saturating_sub(MOST);
    writes.drain(..surplus);
}

/// The newest version that the document reached from `version` by writes for other accounts only.
pub(crate) fn follow(file: &Path, version: &str, account: &str) -> Option<String> {
    let writes = writes();
    let mut now = version;
    // A version never recurs, so one pass in the order of the writes finds the whole chain.
    for Write { written, account: by } in writes.iter() {
        if written.file == file && written.from == now && by != account {
            now = &written.to;
        }
    }
    (now != version).then(|| now.to_owned())
}

fn writes() -> MutexGuard<'static, VecDeque<Write>> {
    WRITES.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_followed_as_long_as_they_are_of_other_accounts() {
        let file = Path::new("/made-up/followed");
        let wrote = |file: &Path, from: &str, to: &str, account: &str| {
            note(vec![Written { file: file.to_owned(), from: from.into(), to: to.into() }], account);
        };
        wrote(file, "1", "2", "a");
        wrote(Path::new("/made-up/another"), "2", "x", "a");
        wrote(file, "2", "3", "b");
        for (version, account, now) in [
            ("1", "c", Some("3")),
            ("2", "c", Some("3")),
            ("3", "c", None),
            ("1", "b", Some("2")),
            ("1", "a", None),
            ("2", "a", Some("3")),
            ("0", "c", None),
        ] {
            assert_eq!(follow(file, version, account).as_deref(), now, "{version} {account}");
        }
        (0..MOST).for_each(|_| wrote(Path::new("/made-up/another"), "y", "z", "a"));
        assert_eq!(follow(file, "1", "c"), None, "what is too long ago is read again");
    }
}
