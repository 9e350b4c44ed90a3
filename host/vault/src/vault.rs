use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use zeroize::Zeroizing;

use crate::credential::Credential;
use crate::damage::NotUtf8;
use crate::document::Document;
use crate::handle::{NoRandomness, Sealer};
use crate::refused::Refused;

/// The vault of one credential on one source. A clone is the same vault.
///
/// Its handles open in no other vault.
#[derive(Clone)]
pub struct Vault {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) sealer: Sealer,
    pub(crate) credential: Credential,
    pub(crate) largest_document: usize,
    /// By name: instances of a credential that read the same version share its secrets.
    held: Mutex<HashMap<Box<str>, Vec<Weak<Document>>>>,
}

/// A sealed document: the text for the component, and the secrets, for [`crate::Session::hold`].
pub struct Sealed {
    pub(crate) document: Arc<Document>,
    /// The document with handles for secrets, or the place where it is damaged.
    pub(crate) text: Result<String, NotUtf8>,
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.text.as_ref().map_or(0, String::len))
    }
}

impl Vault {
    /// A vault with a new random key. It opens no document of more than `largest_document` bytes.
    ///
    /// # Errors
    /// When the platform has no randomness.
    pub fn new(credential: Credential, largest_document: usize) -> Result<Self, NoRandomness> {
        let sealer = Sealer::new()?;
        Ok(Self { shared: Arc::new(Shared { sealer, credential, largest_document, held: Mutex::default() }) })
    }

    /// Seals a document. A text that is not a JSON object becomes a text without content that is
    /// damaged at the same place. Of bytes that are not UTF-8, only the place is kept.
    ///
    /// # Errors
    /// [`Refused::TooMany`].
    pub fn seal_document(
        &self,
        name: &str,
        version: &str,
        content: impl Into<Zeroizing<Vec<u8>>>,
    ) -> Result<Sealed, Refused> {
        let content = content.into();
        if let Some(document) = self.find(name, version, &content) {
            return Ok(Sealed { text: Ok(document.sealed()), document });
        }
        let (document, text) = Document::seal(self.sealer(), name, version, content)?;
        let document = Arc::new(document);
        self.remember(&document);
        Ok(Sealed { document, text })
    }

    pub(crate) fn sealer(&self) -> &Sealer {
        &self.shared.sealer
    }

    pub(crate) fn credential(&self) -> &Credential {
        &self.shared.credential
    }

    pub(crate) fn largest_document(&self) -> usize {
        self.shared.largest_document
    }

    pub(crate) fn remember(&self, document: &Arc<Document>) {
        let mut held = self.shared.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|_, versions| {
            versions.retain(|version| version.strong_count() > 0);
            !versions.is_empty()
        });
        held.entry(document.name.clone()).or_default().push(Arc::downgrade(document));
    }

    fn find(&self, name: &str, version: &str, content: &[u8]) -> Option<Arc<Document>> {
        let versions: Vec<_> = {
            let held = self.shared.held.lock().unwrap_or_else(PoisonError::into_inner);
            held.get(name)?.iter().filter_map(Weak::upgrade).collect()
        };
        let mut same = versions.into_iter().filter(|held| *held.version == *version && !held.damaged);
        // Equal versions do not imply equal content, so the content is compared.
        same.find(|held| held.content().as_bytes() == content)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(..)")
    }
}
