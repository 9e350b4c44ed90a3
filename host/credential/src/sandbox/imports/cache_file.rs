use std::sync::Arc;

use shared_token_cache_storage::{self as storage, ExaminationNote};
use shared_token_cache_vault::{NotUtf8, Refused};
use tokio::task::spawn_blocking;

use super::border_log::printable;
use super::stores;
use crate::error::{Error, LimitExceeded};
use crate::sandbox::BORDER;
use crate::sandbox::own_writes::Written;
use crate::sandbox::read_turns::take_read_turn;
use crate::sandbox::sight::{Seen, Sight};
use crate::sandbox::wit::cache_file::{Document, Host, Place, ReadError, ReadOutcome, WriteError};
use crate::sandbox::write_queue::take_turn;
use crate::sandbox::{Context, State};
use shared_token_cache_policy::Access;

impl Host for State {
    async fn read(&mut self, name: String, known_version: Option<String>) -> Result<ReadOutcome, ReadError> {
        self.call.read = None;
        let outcome = match self.read_document(&name, known_version).await {
            Ok(outcome) => Ok(outcome),
            Err(ReadFailure::NotFound(place, near)) => {
                self.saw(&name, Seen::Nothing { place: place.clone(), near });
                Err(ReadError::NotFound(place))
            }
            Err(ReadFailure::Failed(why)) => {
                self.saw(&name, Seen::Failed);
                Err(ReadError::Failed(why))
            }
            Err(ReadFailure::NotUtf8(NotUtf8 { line, column })) => Err(ReadError::NotUtf8(Place { line, column })),
            Err(ReadFailure::Refused(error)) => Err(self.refuse_read(error)),
        };
        if let Err(ReadError::Denied(_)) = &outcome {
            self.denied("cache-file.read");
        }
        if !self.may_tell() {
            return outcome;
        }
        let (source, name) = (&self.context.source, printable(&name));
        match &outcome {
            Ok(ReadOutcome::Unchanged) => {
                tracing::debug!(target: BORDER, %source, "cache-file.read {name} → unchanged");
            }
            Ok(ReadOutcome::Document(document)) => {
                let bytes = document.content.len();
                tracing::debug!(target: BORDER, %source, "cache-file.read {name} → a document of {bytes} bytes");
            }
            Err(error) => tracing::debug!(target: BORDER, %source, "cache-file.read {name} → {}", describe(error)),
        }
        outcome
    }

    async fn replace(
        &mut self,
        name: String,
        expected_version: String,
        document: String,
    ) -> Result<String, WriteError> {
        let bytes = document.len();
        self.call.reading = None;
        let outcome = self.replace_document(&name, expected_version, document).await;
        if let Err(WriteError::Denied(_)) = &outcome {
            self.denied("cache-file.replace");
        }
        if !self.may_tell() {
            return outcome;
        }
        let (source, name) = (&self.context.source, printable(&name));
        let shown = match &outcome {
            Ok(_) => "done".to_owned(),
            Err(WriteError::Conflict) => "conflict".to_owned(),
            Err(WriteError::Locked) => "locked".to_owned(),
            Err(WriteError::Denied(why)) => format!("denied: {why}"),
            Err(WriteError::Failed(why)) => format!("failed: {why}"),
        };
        tracing::debug!(target: BORDER, %source, "cache-file.replace {name} with {bytes} bytes → {shown}");
        outcome
    }

    fn supported(&mut self) -> bool {
        let supported = storage::supported();
        if self.may_tell() {
            tracing::debug!(target: BORDER, "cache-file.supported → {supported}");
        }
        supported
    }
}

impl State {
    /// Keeps the typed error for the caller; returns its text for the component.
    fn refuse_read(&mut self, error: Error) -> ReadError {
        let text = error.to_string();
        let is_denied = matches!(error, Error::Denied(_));
        self.call.read = Some(error);
        if is_denied { ReadError::Denied(text) } else { ReadError::Failed(text) }
    }

    fn saw(&mut self, name: &str, seen: Seen) {
        if let Seen::Document { place, .. } | Seen::Nothing { place, .. } = &seen {
            self.note_place(name, place);
        }
        self.call.sight = Some(Sight { name: name.to_owned(), seen });
    }

    async fn read_document(&mut self, name: &str, known: Option<String>) -> Result<ReadOutcome, ReadFailure> {
        let (_, store) = stores::open(&self.context, name).map_err(|refused| match refused {
            stores::Refused::Denied(denied) => ReadFailure::Refused(denied.into()),
            stores::Refused::NoPlace(why) => ReadFailure::Failed(why),
        })?;
        // The common case costs one look at the file, so it needs no other thread.
        if let Some(known) = known.as_deref().filter(|known| store.is_at(known)) {
            self.session.unchanged(name, known);
            self.context.seen.at(known);
            return Ok(ReadOutcome::Unchanged);
        }
        // Release the previous turn first: a call that waits while it holds a turn could deadlock.
        self.call.reading = None;
        self.call.reading = take_read_turn().await;
        let (vault, document, version) = (self.context.vault.clone(), name.to_owned(), known.clone());
        let context = Arc::clone(&self.context);
        let read = spawn_blocking(move || {
            let mark = store.mark();
            let read = || {
                let read = store.read(version.as_deref()).map_err(|error| read_error(error, &context, &document))?;
                let storage::Read::Document(found) = read else { return Ok(None) };
                let storage::Document { version, content, place, unencrypted } = found;
                let seen = Seen::document(place, &content);
                let sealed = vault.seal_document(&document, &version, content);
                let sealed = sealed.map_err(seal_error)?;
                Ok(Some((version, sealed, unencrypted, seen)))
            };
            read().inspect_err(|_| context.seen.nothing(mark))
        });
        match read.await.map_err(|error| ReadFailure::Failed(error.to_string())).flatten()? {
            None => {
                let known = known.as_deref().unwrap_or_default();
                self.session.unchanged(name, known);
                self.context.seen.at(known);
                Ok(ReadOutcome::Unchanged)
            }
            Some((version, sealed, unencrypted, seen)) => {
                self.saw(name, seen);
                self.context.seen.at(&version);
                let content = self.session.hold(sealed).map_err(ReadFailure::NotUtf8)?;
                Ok(ReadOutcome::Document(Document { version, content, unencrypted }))
            }
        }
    }

    async fn replace_document(&mut self, name: &str, expected: String, content: String) -> Result<String, WriteError> {
        let context = &self.context;
        let (grant, store) = stores::open(context, name).map_err(|refused| match refused {
            stores::Refused::Denied(denied) => WriteError::Denied(denied.to_string()),
            stores::Refused::NoPlace(why) => WriteError::Failed(why),
        })?;
        if grant.access() != Access::ReadWrite {
            let why = format!(
                "the policy grants the cache {name} of the source {} for reading only; set `access = \"read-write\"` \
                 in its `[[caches]]`",
                context.source
            );
            return Err(WriteError::Denied(why));
        }
        let largest = context.policy.limits().document_size;
        if u64::try_from(content.len()).is_ok_and(|size| size > largest) {
            return Err(WriteError::Denied(format!("the policy's `limits.document-mib` allows {largest} bytes")));
        }
        let (session, document, version) = (self.session.clone(), name.to_owned(), expected.clone());
        let open = spawn_blocking(move || session.open_document(&document, &version, &content)).await;
        let open = match open.map_err(|error| WriteError::Failed(error.to_string()))? {
            Ok(open) => open,
            Err(Refused::StaleDocument) => return Err(WriteError::Conflict),
            Err(refused) => return Err(WriteError::Denied(self.call.denials.refused(&refused))),
        };
        self.session.try_to_write().map_err(|refused| WriteError::Denied(self.call.denials.refused(&refused)))?;
        let turn = match self.call.turn.take() {
            Some(turn) => Some(turn),
            None => take_turn(store.guarded()).await,
        };
        let (file, from) = (store.guarded().to_owned(), expected.clone());
        let replaced = spawn_blocking(move || (store.replace(&expected, open.content()), open)).await;
        let (replaced, open) = replaced.map_err(|error| WriteError::Failed(error.to_string()))?;
        match replaced {
            Ok(version) => {
                self.session.replaced(open, &version);
                self.call.written.push(Written { file, from, to: version.clone() });
                self.context.seen.at(&version);
                Ok(version)
            }
            Err(storage::WriteError::Conflict) => {
                self.call.turn = turn;
                Err(WriteError::Conflict)
            }
            Err(storage::WriteError::Locked(_)) => Err(WriteError::Locked),
            Err(error) => Err(WriteError::Failed(error.to_string())),
        }
    }
}

/// The reason why a document is not read.
enum ReadFailure {
    /// The place that was searched, and notes about files near it.
    NotFound(String, Vec<ExaminationNote>),
    Failed(String),
    /// The document was read, and its bytes are not UTF-8.
    NotUtf8(NotUtf8),
    /// The policy denies it, or it exceeds a limit: the error for the caller.
    Refused(Error),
}

fn read_error(error: storage::ReadError, context: &Context, name: &str) -> ReadFailure {
    match error {
        storage::ReadError::NotFound(place) => ReadFailure::NotFound(place, stores::near(context, name)),
        storage::ReadError::TooLarge(why) => too_large(why),
        error => ReadFailure::Failed(error.to_string()),
    }
}

fn seal_error(refused: Refused) -> ReadFailure {
    match refused {
        Refused::Denied(denied) => ReadFailure::Refused(denied.into()),
        Refused::TooLarge { .. } => too_large(refused.to_string()),
        Refused::TooMany => ReadFailure::Refused(Error::Limit(LimitExceeded::fixed(&refused.to_string()))),
        refused => ReadFailure::Failed(refused.to_string()),
    }
}

fn too_large(message: String) -> ReadFailure {
    let limit = LimitExceeded { field: Some("limits.document-mib"), message, retry_after: None };
    ReadFailure::Refused(Error::Limit(limit))
}

fn describe(error: &ReadError) -> String {
    match error {
        ReadError::NotFound(place) => format!("not found: {place}"),
        ReadError::Denied(why) => format!("denied: {why}"),
        ReadError::Failed(why) => format!("failed: {why}"),
        ReadError::NotUtf8(Place { line, column }) => format!("not UTF-8: line {line}, column {column}"),
    }
}
