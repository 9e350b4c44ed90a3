use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use shared_token_cache_storage::files::append;

use super::{AuditLine, AuditSink};
use crate::escape;

/// A file of JSON lines to which the audit is appended. Several programs may share one: a line is one write to the end of the file.
#[derive(Debug)]
pub struct AuditFile(File);

impl AuditFile {
    /// Opens the file for appending. One that does not exist is created with mode 0600 (on Unix); the mode of another stays.
    /// No link is followed: another program could have put it there, to have lines appended to a file of its choice.
    ///
    /// # Errors
    /// When it can't be opened: its folder does not exist, say, it may not be written, or it is a link, a FIFO, or another user's.
    pub fn open(path: &Path) -> io::Result<Self> {
        append(path).map(Self)
    }
}

impl AuditSink for AuditFile {
    fn write(&self, line: &AuditLine) -> io::Result<()> {
        let mut text = escape::to_json(line)?;
        text.push(b'\n');
        // Not `write_all`: the rest of a line that was cut off would stand behind another program's line.
        match (&self.0).write(&text)? {
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
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
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
}
