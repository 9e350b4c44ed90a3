//! MSAL and ours write alternately. MSAL keeps its cache in memory and reads the file again only if
//! the file's time is later than its own last reading or writing. So its next write drops an entry
//! of ours that it has not noticed.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use libtest_mimic::Failed;
use serde_json::Value;
use shared_token_cache_storage::FileStore;

use crate::run::{PEER, Pythons, new_cache};
use crate::writer;

const TURNS: usize = 40;

pub(crate) fn check(pythons: &Pythons) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let cache = new_cache(&folder)?;
    let store = FileStore::new(cache.clone(), writer::rules());
    for python in [&pythons.portalocker, &pythons.plain].into_iter().flatten() {
        let mut msal = Command::new(python)
            .args([PEER.as_ref(), cache.as_os_str(), "msal".as_ref()])
            .args(["--pause", "0", "--keep", "--when-told"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(mut shown), Some(says)) = (msal.stdin.take(), msal.stdout.take()) else {
            return Err("no pipes".into());
        };
        let mut says = BufReader::new(says).lines();
        for turn in 0..TURNS {
            writeln!(shown, "save")?;
            let said = says.next().ok_or(io::ErrorKind::UnexpectedEof)??;
            // At once, so that the clock does not advance beyond the file's time.
            let key = writer::save(&store, &format!("ours-{turn}")).map_err(|error| error.to_string())?;
            writeln!(shown, "save")?;
            let again = says.next().ok_or(io::ErrorKind::UnexpectedEof)??;
            if !said.starts_with("saved ") || !again.starts_with("saved ") {
                return Err(format!("MSAL said {said:?} and {again:?}").into());
            }
            let document: Value = serde_json::from_slice(&std::fs::read(&cache)?)?;
            if document.pointer("/AccessToken").is_none_or(|tokens| tokens.get(&key).is_none()) {
                return Err(format!("turn {turn}: MSAL did not see {key}").into());
            }
        }
        drop(shown);
        msal.wait()?;
    }
    Ok(())
}
