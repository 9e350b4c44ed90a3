use std::time::Duration;

use wasi::filesystem::types::{DescriptorFlags, ErrorCode};

use crate::Adapter;
use crate::environment::settings;
use crate::files::{self, Doing, Found, Granted};
use crate::pause::{self, pause};
use crate::places::places;
use crate::replace::replace;
use crate::settings::{Settings, variables};
use crate::version::{STEP_SECONDS, State};
use crate::wit::cache_file::{Document, Guest, Place, ReadError, ReadOutcome, WriteError};

/// The time that a writer may take between truncating the file and writing it.
const TORN_READ_PATIENCE: Duration = Duration::from_secs(1);
const TORN_READ_PAUSE: Duration = Duration::from_millis(20);

impl Guest for Adapter {
    fn read(name: String, known_version: Option<String>) -> Result<ReadOutcome, ReadError> {
        let settings = settings().map_err(|why| ReadError::Failed(why.to_owned()))?;
        let found = find(settings, &name)?;
        let deadline = pause::now() + TORN_READ_PATIENCE;
        loop {
            let last = pause::now() >= deadline;
            match attempt(settings, &found, known_version.as_deref())? {
                Attempt::Unchanged => return Ok(ReadOutcome::Unchanged),
                Attempt::Whole(document) => return document.map(ReadOutcome::Document),
                // The content has been incomplete the whole time, so it is damaged. The reader's
                // parser reports that.
                Attempt::Torn(Some(document)) if last => return document.map(ReadOutcome::Document),
                Attempt::Torn(None) if last => {
                    return Err(ReadError::Failed(format!("another program keeps writing {}", found.shown)));
                }
                Attempt::Torn(_) => pause(TORN_READ_PAUSE),
            }
        }
    }

    fn replace(name: String, expected_version: String, document: String) -> Result<String, WriteError> {
        let settings = settings().map_err(|why| WriteError::Failed(why.to_owned()))?;
        let found = find(settings, &name).map_err(|error| match error {
            // The document was removed after it was read; the next read reports that.
            ReadError::NotFound(_) | ReadError::NotUtf8(_) => WriteError::Conflict,
            ReadError::Denied(why) => WriteError::Denied(why),
            ReadError::Failed(why) => WriteError::Failed(why),
        })?;
        if u64::try_from(document.len()).is_ok_and(|size| size > settings.document_size) {
            return Err(WriteError::Denied(too_large(settings)));
        }
        replace(settings.replace, &found, &expected_version, document.as_bytes())
    }

    fn supported() -> bool {
        true
    }
}

fn find(settings: &Settings, name: &str) -> Result<Found, ReadError> {
    let granted = Granted::by_the_host();
    let names = granted.names();
    let denied = |why: String| {
        let granted = if names.is_empty() { String::new() } else { format!(" (granted: {})", names.join(", ")) };
        ReadError::Denied(format!("{why}{granted}"))
    };
    let places = places(settings, &names, name).map_err(denied)?;
    granted.find(&places.all).map_err(|missing| missing.map_or_else(|| denied(places.otherwise), ReadError::NotFound))
}

enum Attempt {
    Unchanged,
    Whole(Result<Document, ReadError>),
    /// A program may be writing; the document, if it stayed the same during the reading.
    Torn(Option<Result<Document, ReadError>>),
}

fn attempt(settings: &Settings, found: &Found, known: Option<&str>) -> Result<Attempt, ReadError> {
    let failed = |code| match code {
        ErrorCode::NoEntry => ReadError::NotFound(found.shown.clone()),
        code => ReadError::Failed(found.error(Doing::Reading, code)),
    };
    let file = found.open(DescriptorFlags::READ).map_err(failed)?;
    let mut before = found.state(&file).map_err(failed)?;
    if known == Some(before.version().as_str()) {
        return Ok(Attempt::Unchanged);
    }
    if !before.is_settled(files::now()) {
        pause(Duration::from_secs_f64(STEP_SECONDS));
        before = found.state(&file).map_err(failed)?;
    }
    if before.size > settings.document_size {
        return Err(ReadError::Failed(format!("{} is too large: {}", found.shown, too_large(settings))));
    }
    let content = files::read(&file, before.size).map_err(failed)?;
    let after = found.state(&file).map_err(failed)?;
    if after != before || u64::try_from(content.len()).ok() != Some(before.size) {
        return Ok(Attempt::Torn(None));
    }
    // A document that was not written recently is not half-written.
    let whole = is_whole(&content) || !before.is_just_written(files::now());
    let document = document(found, before, content);
    Ok(if whole { Attempt::Whole(document) } else { Attempt::Torn(Some(document)) })
}

fn document(found: &Found, state: State, content: Vec<u8>) -> Result<Document, ReadError> {
    let content = String::from_utf8(content).map_err(|error| {
        let valid = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        ReadError::NotUtf8(behind(valid))
    })?;
    Ok(Document { version: state.version(), content, unencrypted: Some(format!("in the file {}", found.shown)) })
}

/// Line and column right behind `bytes`, both from 1.
fn behind(bytes: &[u8]) -> Place {
    let line = bytes.iter().filter(|&&byte| byte == b'\n').count() + 1;
    let column = bytes.iter().rev().take_while(|&&byte| byte != b'\n').count() + 1;
    let number = |number| u32::try_from(number).unwrap_or(u32::MAX);
    Place { line: number(line), column: number(column) }
}

/// Whether the text ends where a JSON object ends. Programs write from the front, so an incomplete
/// document does not.
fn is_whole(content: &[u8]) -> bool {
    content.trim_ascii_end().ends_with(b"}")
}

fn too_large(settings: &Settings) -> String {
    let (mib, variable) = (settings.document_size >> 20, variables::DOCUMENT_MIB);
    format!("a cache may have {mib} MiB; the environment variable {variable} sets another limit")
}
