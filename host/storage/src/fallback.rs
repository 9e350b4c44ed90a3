//! Linux: the keyring, or the plain file in place of a keyring that can't be used. The tools choose the same way.

use std::path::Path;

use crate::examine::{Examination, Note};
use crate::keyring::{Keyring, KeyringError};
use crate::signalled::{self, SignalledStore};
use crate::{FileStore, Read, ReadError, Store, WriteError};

/// A document in the keyring or in a file.
#[derive(Debug)]
pub(crate) struct KeyringOrFile<K> {
    keyring: SignalledStore<K>,
    file: FileStore,
}

impl<K: Keyring> KeyringOrFile<K> {
    pub(crate) fn new(keyring: SignalledStore<K>, file: FileStore) -> Self {
        Self { keyring, file }
    }

    /// The file's document. An empty file only signals changes of the keyring's item.
    fn read_file(&self, known: Option<&str>, why: KeyringError) -> Result<Read, ReadError> {
        match self.file.read(known) {
            Ok(Read::Document(mut document)) if !document.content.is_empty() => {
                tracing::debug!("{} serves, because {why}", self.file.guarded().display());
                document.unencrypted = document.unencrypted.map(|place| format!("{place}, as {why}"));
                Ok(Read::Document(document))
            }
            Ok(Read::Unchanged) => Ok(Read::Unchanged),
            Ok(Read::Document(_)) | Err(ReadError::NotFound(_)) => match why {
                KeyringError::Missing(why) => {
                    Err(ReadError::NotFound(format!("file {}, and {why}", self.file.guarded().display())))
                }
                why @ (KeyringError::Locked(_) | KeyringError::Failed(_)) => Err(ReadError::Keyring(why)),
            },
            Err(error) => Err(error),
        }
    }
}

impl<K: Keyring> Store for KeyringOrFile<K> {
    fn guarded(&self) -> &Path {
        self.file.guarded()
    }

    fn is_at(&self, known: &str) -> bool {
        if signalled::is_version(known) { self.keyring.is_at(known) } else { self.file.is_at(known) }
    }

    fn read(&self, known: Option<&str>) -> Result<Read, ReadError> {
        // A keyring that takes over touches the file, so a file that has not changed still serves.
        if known.is_some_and(|known| self.is_at(known)) {
            return Ok(Read::Unchanged);
        }
        match self.keyring.read(known) {
            Err(ReadError::Keyring(why)) => self.read_file(known, why),
            outcome => outcome,
        }
    }

    fn examine(&self) -> Examination {
        let mut file = self.file.examine();
        let holds_document = file.bytes.is_some_and(|bytes| bytes > 0);
        match self.keyring.try_read() {
            // The file is the one that serves, if it is more than a signal.
            Err(why) => {
                let next =
                    if holds_document { "Until then the plain file serves." } else { "Until then there is no cache." };
                file.notes.push(Note { what: why.to_string(), next: next.into() });
                file.found = holds_document;
                file
            }
            Ok(_) => {
                let mut keyring = self.keyring.examine();
                if holds_document && !keyring.found {
                    keyring.notes.push(Note {
                        what: format!(
                            "a document lies in plain text in {}, and the keyring is used in its place",
                            file.place
                        ),
                        next: format!("To use it all the same, say `--source file:{}`.", self.file.guarded().display()),
                    });
                }
                keyring
            }
        }
    }

    fn replace(&self, expected: &str, content: &[u8]) -> Result<String, WriteError> {
        let store: &dyn Store = if signalled::is_version(expected) { &self.keyring } else { &self.file };
        store.replace(expected, content)
    }
}
