use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde_json::Value;
use shared_token_cache_storage::files;

use super::{AuditLine, AuditSink};
use crate::escape;

/// Appends the audit to a file of JSON lines. Several programs may share a file: each line is one
/// write to its end.
#[derive(Debug)]
pub struct AuditFile {
    file: File,
    path: PathBuf,
}

/// The longest line, with every character of its scopes escaped, is shorter.
const LONGEST_LINE: u64 = 1 << 18;

impl AuditFile {
    /// Opens the file for appending. A new file gets mode 0600 (on Unix); an existing one keeps its
    /// mode. Links are refused: another program could have placed one, to append lines to a file of
    /// its choice. A file whose first or last line is not one of an audit is refused, because a
    /// line would damage it.
    ///
    /// # Errors
    /// When the file cannot be opened: its folder does not exist, the permissions forbid it, or it
    /// is a link, a FIFO, or another user's file.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = files::append(path)?;
        // A descriptor inherited from the shell may lead to a file with other lines.
        if !files::is_inherited(path) {
            check(&file)?;
        }
        Ok(Self { file, path: path.to_owned() })
    }

    /// Whether the file is still at its path: `false` when another program has renamed, replaced or
    /// removed it. Reads metadata only.
    #[must_use]
    pub fn is_at_its_path(&self) -> bool {
        files::is_inherited(&self.path) || files::is_still_at(&self.file, &self.path).unwrap_or(false)
    }
}

/// Refuses a file with other content than an audit.
fn check(mut file: &File) -> io::Result<()> {
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() == 0 {
        return Ok(());
    }
    let mut part = |from: u64| {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(from))?;
        file.take(LONGEST_LINE).read_to_end(&mut bytes).map(|_| bytes)
    };
    let start = match part(0) {
        Ok(start) => start,
        // The file may be writable and not readable.
        Err(_) => return Ok(()),
    };
    let end = part(metadata.len().saturating_sub(LONGEST_LINE))?;
    let first = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let last = end.strip_suffix(b"\n").unwrap_or(&end).rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    if [first, last].into_iter().all(is_line) {
        return Ok(());
    }
    let why = "it is not an audit file, and a line would damage it; choose another path, or move that file away";
    Err(io::Error::new(io::ErrorKind::InvalidData, why))
}

/// Whether this is a line of an audit, or the beginning of one, as a full disk leaves it.
fn is_line(line: &[u8]) -> bool {
    const START: &[u8] = b"{\"time\":\"";
    let has = |line: &Value| {
        ["time", "operation", "outcome"].into_iter().all(|field| line.get(field).is_some_and(Value::is_string))
    };
    line.starts_with(START)
        || (!line.is_empty() && START.starts_with(line))
        || serde_json::from_slice(line).is_ok_and(|line: Value| has(&line))
}

impl AuditSink for AuditFile {
    fn write(&self, line: &AuditLine) -> io::Result<()> {
        let mut text = escape::to_json(line)?;
        text.push(b'\n');
        // Not `write_all`: the rest of a truncated line could follow another program's line.
        match (&self.file).write(&text)? {
            written if written == text.len() => Ok(()),
            written => Err(io::Error::new(
                io::ErrorKind::WriteZero,
                format!("only {written} of its {} bytes could be written", text.len()),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Arc;

    use super::super::Asked;
    use super::*;

    fn line(number: usize) -> AuditLine {
        let scopes = vec![format!("https://vault.azure.net/{number}/{}", "x".repeat(number % 250)); 1 + number % 32];
        let asked = Asked { operation: "get-token", scopes: &scopes, tenant: None, source: None, duration: None };
        AuditLine::new(asked, "cached", None)
    }

    #[test]
    fn lines_of_many_writers_stay_whole() {
        const WRITERS: usize = 8;
        const LINES: usize = 500;
        let folder = tempfile::tempdir().unwrap();
        let path = Arc::new(folder.path().join("audit.jsonl"));
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let path = Arc::clone(&path);
                std::thread::spawn(move || {
                    let file = AuditFile::open(&path).unwrap();
                    (0..LINES).for_each(|number| file.write(&line(writer * LINES + number)).unwrap());
                })
            })
            .collect();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        let text = fs::read_to_string(&*path).unwrap();
        let mut seen: Vec<usize> = text
            .lines()
            .map(|line| {
                let line: Value = serde_json::from_str(line).unwrap();
                line["scopes"][0].as_str().unwrap().split('/').nth(3).unwrap().parse().unwrap()
            })
            .collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..WRITERS * LINES).collect::<Vec<_>>());
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_is_its_owners_only_and_an_old_one_is_appended_to() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        for lines in [1, 2] {
            AuditFile::open(&path).unwrap().write(&line(0)).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), lines);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        }
        assert!(AuditFile::open(folder.path()).is_err());
        assert!(AuditFile::open(&folder.path().join("missing/audit.jsonl")).is_err());
    }

    #[test]
    fn a_file_that_holds_something_else_is_refused_and_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        AuditFile::open(&path).unwrap().write(&line(0)).unwrap();
        let good = fs::read_to_string(&path).unwrap();
        let torn = &good[..good.len() / 2];
        let sorted = serde_json::from_str::<Value>(&good).unwrap().to_string();
        for (content, opens) in [
            (String::new(), true),
            (good.clone(), true),
            (good.repeat(3), true),
            (format!("{good}{torn}"), true),
            (format!("{torn}{good}"), true),
            ("{".into(), true),
            (format!("{sorted}\n"), true),
            (good.repeat(5_000), true),
            ("{\"AccessToken\":{},\"Account\":{}}".into(), false),
            ("{}".into(), false),
            ("authorities = []\n".into(), false),
            ("eyJ0eXAi.eyJhdWQi.c2ln".into(), false),
            ("\n".into(), false),
            (format!("notes\n{good}"), false),
            (format!("{good}notes\n"), false),
            (format!("{good}{}", "x".repeat(1 << 20)), false),
            ("\0".repeat(1 << 20), false),
        ] {
            fs::write(&path, &content).unwrap();
            let opened = AuditFile::open(&path);
            let start: String = content.chars().take(40).collect();
            assert_eq!(opened.is_ok(), opens, "{start:?}: {opened:?}");
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_was_renamed_or_removed_is_not_at_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let (path, moved) = (folder.path().join("audit.jsonl"), folder.path().join("audit.jsonl.1"));
        let audit = AuditFile::open(&path).unwrap();
        assert!(audit.is_at_its_path());
        fs::rename(&path, &moved).unwrap();
        assert!(!audit.is_at_its_path());
        fs::write(&path, "").unwrap();
        assert!(!audit.is_at_its_path());
        fs::rename(&moved, &path).unwrap();
        assert!(audit.is_at_its_path());
        assert!(AuditFile::open(Path::new("/dev/null")).unwrap().is_at_its_path());
    }
}
