//! Files in granted folders.

use wasi::clocks::wall_clock;
use wasi::filesystem::preopens::get_directories;
use wasi::filesystem::types::{Descriptor, DescriptorFlags, DescriptorType, ErrorCode, OpenFlags, PathFlags};

use crate::places::Place;
use crate::version::State;

/// The most bytes of one read or write: hosts refuse or truncate larger ones.
const CHUNK: usize = 1 << 20;

/// The folders that the host grants, with their names.
pub(crate) struct Granted(Vec<(Descriptor, String)>);

/// A file of a granted folder.
pub(crate) struct Found {
    pub(crate) folder: Descriptor,
    /// The path in the folder.
    pub(crate) path: String,
    /// The whole path, for messages.
    pub(crate) shown: String,
}

impl Granted {
    pub(crate) fn by_the_host() -> Self {
        Self(get_directories())
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.0.iter().map(|(_, name)| name.clone()).collect()
    }

    /// The first place that has a file. A place that cannot be examined ends the search too.
    /// Otherwise the error lists the places for the user, unless all of them were guessed and have
    /// no folder.
    pub(crate) fn find(mut self, places: &[Place]) -> Result<Found, Option<String>> {
        let Some(place) = places.iter().find(|place| self.exists(place.folder, &place.path)) else {
            return Err(self.missing(places));
        };
        let shown = self.shown(place);
        let (folder, _) = self.0.swap_remove(place.folder);
        Ok(Found { folder, path: place.path.clone(), shown })
    }

    fn missing(&self, places: &[Place]) -> Option<String> {
        let shown = places.iter().filter_map(|place| {
            let (folder, _) = place.path.rsplit_once('/').unwrap_or_default();
            if folder.is_empty() || self.exists(place.folder, folder) {
                return Some(self.shown(place));
            }
            (!place.guessed).then(|| format!("{} (its folder is missing, too)", self.shown(place)))
        });
        let shown: Vec<_> = shown.collect();
        (!shown.is_empty()).then(|| shown.join(", "))
    }

    fn shown(&self, place: &Place) -> String {
        let folder = self.0.get(place.folder).map_or("", |(_, name)| name);
        format!("{}/{}", folder.trim_end_matches('/'), place.path)
    }

    fn exists(&self, folder: usize, path: &str) -> bool {
        let status = self.0.get(folder).map(|(folder, _)| folder.stat_at(PathFlags::empty(), path));
        !matches!(status, None | Some(Err(ErrorCode::NoEntry)))
    }
}

impl Found {
    /// Opens the file without following a symbolic link in its place.
    pub(crate) fn open(&self, flags: DescriptorFlags) -> Result<Descriptor, ErrorCode> {
        open(&self.folder, &self.path, flags)
    }

    /// The state of the file, through its open descriptor.
    pub(crate) fn state(&self, file: &Descriptor) -> Result<State, ErrorCode> {
        let status = file.stat()?;
        if status.type_ != DescriptorType::RegularFile {
            return Err(ErrorCode::Invalid);
        }
        let hash = file.metadata_hash()?;
        let modified = status.data_modification_timestamp.map(|time| (time.seconds, time.nanoseconds));
        Ok(State { size: status.size, modified, hash: (hash.lower, hash.upper) })
    }

    /// The message for an error of this file.
    pub(crate) fn error(&self, doing: Doing, code: ErrorCode) -> String {
        let (verb, why) = (doing.verb(), reason(doing, code));
        format!("{verb} {} failed: {why}", self.shown)
    }
}

/// The operation on a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doing {
    Reading,
    Locking,
    Writing,
}

impl Doing {
    fn verb(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Locking => "locking",
            Self::Writing => "writing",
        }
    }
}

fn reason(doing: Doing, code: ErrorCode) -> String {
    match code {
        ErrorCode::NotPermitted if doing == Doing::Reading => {
            "the host forbids it; it may grant the folder for writing only, or a symbolic link may lead out of the folder".into()
        }
        ErrorCode::NotPermitted | ErrorCode::ReadOnly => "the host grants the folder for reading only".into(),
        ErrorCode::Access if doing == Doing::Locking => "the permissions of its folder forbid it".into(),
        ErrorCode::Access => "its permissions, or those of its folder, forbid it".into(),
        ErrorCode::Loop => "it is a symbolic link, which is not followed".into(),
        ErrorCode::NotDirectory => "its parent is not a folder".into(),
        ErrorCode::Invalid => "it is not a regular file".into(),
        ErrorCode::InsufficientSpace | ErrorCode::Quota | ErrorCode::FileTooLarge => "there is no space left for it".into(),
        other => format!("the host reports `{}`", other.name()),
    }
}

/// Opens regular files only, because opening a pipe would block.
pub(crate) fn open(folder: &Descriptor, path: &str, flags: DescriptorFlags) -> Result<Descriptor, ErrorCode> {
    match folder.stat_at(PathFlags::empty(), path)?.type_ {
        DescriptorType::RegularFile => folder.open_at(PathFlags::empty(), path, OpenFlags::empty(), flags),
        DescriptorType::SymbolicLink => Err(ErrorCode::Loop),
        _ => Err(ErrorCode::Invalid),
    }
}

/// The whole file, up to `size` bytes and one more, which detects a file that grew.
pub(crate) fn read(file: &Descriptor, size: u64) -> Result<Vec<u8>, ErrorCode> {
    let mut content = Vec::with_capacity(usize::try_from(size).unwrap_or_default().saturating_add(1));
    loop {
        let position = length(&content);
        let wanted = (size + 1).saturating_sub(position).min(offset_of(CHUNK));
        if wanted == 0 {
            return Ok(content);
        }
        let (mut chunk, end) = file.read(wanted, position)?;
        let empty = chunk.is_empty();
        content.append(&mut chunk);
        if end || empty {
            return Ok(content);
        }
    }
}

/// Writes all of `content` from a position in the file.
pub(crate) fn write_at(file: &Descriptor, content: &[u8], position: u64) -> Result<(), ErrorCode> {
    let mut position = position;
    for chunk in content.chunks(CHUNK) {
        let mut rest = chunk;
        while !rest.is_empty() {
            let count = file.write(rest, position)?;
            let written = usize::try_from(count).unwrap_or(rest.len()).min(rest.len());
            if written == 0 {
                return Err(ErrorCode::Io);
            }
            position += offset_of(written);
            rest = rest.get(written..).unwrap_or_default();
        }
    }
    Ok(())
}

/// The time of day, in the form of a file's time.
pub(crate) fn now() -> (u64, u32) {
    let now = wall_clock::now();
    (now.seconds, now.nanoseconds)
}

pub(crate) fn length(content: &[u8]) -> u64 {
    offset_of(content.len())
}

fn offset_of(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
