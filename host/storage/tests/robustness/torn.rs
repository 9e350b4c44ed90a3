//! A Python process that writes a large document in place, again and again, as MSAL does.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::Failed;
use shared_token_cache_storage::{FileStore, Leniency, Read, ReadError, Rules, Store as _};

pub(crate) const NAME: &str = "a_large_document_that_python_writes_in_place_is_never_read_in_parts";

/// Opens and writes as `FilePersistence.save` of msal-extensions does. Each document repeats
/// another letter.
const WRITER: &str = r#"
import json, os, sys, time
path, pause = sys.argv[1], float(sys.argv[2])
end = time.monotonic() + 60
documents = [json.dumps({"%s%d" % (letter, i): letter * 2000 for i in range(5000)}, indent=4) for letter in "abc"]
print("ready", flush=True)
while time.monotonic() < end:
    for document in documents:
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+") as handle:
            handle.write(document)
        time.sleep(pause)
"#;

/// The limit on retries of a torn read, and the time of one read on a slow machine.
const BOUND: Duration = Duration::from_secs(4);

/// Every Python works.
pub(crate) fn python() -> Option<PathBuf> {
    let named = std::env::var_os("MSAL_PYTHON").filter(|value| !value.is_empty()).map(PathBuf::from);
    let python = named.unwrap_or_else(|| "python3".into());
    Command::new(&python).arg("--version").output().is_ok_and(|output| output.status.success()).then_some(python)
}

pub(crate) fn check(python: &Path) -> Result<(), Failed> {
    // With and without pauses between the writes.
    let whole = reads(python, "0.1")?;
    let among_others = reads(python, "0")?;
    if whole == 0 {
        return Err(format!("no document was read, and {among_others} without a pause").into());
    }
    Ok(())
}

/// Reads for a while; returns how many reads got a document.
fn reads(python: &Path, pause: &str) -> Result<usize, Failed> {
    let folder = tempfile::tempdir()?;
    let cache = folder.path().join("cache");
    File::options().write(true).create_new(true).mode(0o600).open(&cache)?.write_all(b"{}")?;
    let mut writer = Command::new(python).args(["-c", WRITER]).arg(&cache).arg(pause).stdout(Stdio::piped()).spawn()?;
    let mut ready = String::new();
    BufReader::new(writer.stdout.take().ok_or("no output")?).read_line(&mut ready)?;
    let outcome = read_for(Duration::from_secs(4), &cache);
    writer.kill()?;
    writer.wait()?;
    outcome
}

fn read_for(time: Duration, cache: &Path) -> Result<usize, Failed> {
    let rules = Rules {
        largest: 64 << 20,
        loose_permissions: Leniency::Refuse,
        other_owner: Leniency::Refuse,
        symlink_targets: Vec::new(),
    };
    let store = FileStore::new(cache.to_owned(), rules);
    let (end, mut documents) = (Instant::now() + time, 0);
    while Instant::now() < end {
        let started = Instant::now();
        match store.read(None) {
            Ok(Read::Document(document)) => {
                is_whole(&document.content)?;
                documents += 1;
            }
            Err(ReadError::Busy(_)) => {}
            other => return Err(format!("{other:?}").into()),
        }
        if started.elapsed() > BOUND {
            return Err(format!("a read took {:?}", started.elapsed()).into());
        }
    }
    Ok(documents)
}

/// Whole, and of one letter: not the beginning of one document with the end of another.
fn is_whole(content: &[u8]) -> Result<(), Failed> {
    if content == b"{}" {
        return Ok(());
    }
    let letter = content.iter().find(|byte| byte.is_ascii_alphabetic()).copied();
    let others = content.iter().filter(|byte| byte.is_ascii_alphabetic() && Some(**byte) != letter).count();
    if others == 0 && content.len() > 10_000_000 && content.ends_with(b"}") {
        return Ok(());
    }
    Err(format!("{} bytes, {others} of them of another document", content.len()).into())
}
