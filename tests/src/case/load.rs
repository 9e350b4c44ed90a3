//! Loads a [`Case`] from its folder.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::format::{CallFile, CaseFile, ExchangeFile, ReplyFile};
use super::{Call, Case, Documents, Exchange, Expected, ScriptedReply};

/// Loads a case, or returns why its folder holds none.
pub type Loaded = Result<Case, String>;

/// Loads every folder in `folder`, in the order of their names.
///
/// # Errors
/// When `folder` can't be listed. A case that can't be loaded is no error of the others.
pub fn load_all(folder: &Path) -> io::Result<BTreeMap<String, Loaded>> {
    let mut cases = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let case = load(&name, &path);
            cases.insert(name, case);
        }
    }
    Ok(cases)
}

fn load(name: &str, folder: &Path) -> Loaded {
    let file: CaseFile = json(&folder.join("case.json"))?;
    let mut before = documents(&folder.join("before"))?;
    for (document, generated) in &file.generate {
        if before.insert(document.clone(), generated.document()).is_some() {
            return Err(format!("{document} is generated and a file too"));
        }
    }
    let traffic = folder.join("traffic.json");
    let traffic: Vec<ExchangeFile> = if traffic.exists() { json(&traffic)? } else { Vec::new() };
    if file.calls.is_empty() {
        return Err("a case without calls shows nothing".into());
    }
    Ok(Case {
        name: name.to_owned(),
        about: file.about,
        options: file.options,
        settings: file.settings,
        before,
        after: documents(&folder.join("after"))?,
        calls: file.calls.into_iter().map(|entry| call(entry, file.now, folder)).collect::<Result<_, _>>()?,
        traffic: traffic.into_iter().map(exchange).collect::<Result<_, _>>()?,
    })
}

fn call(file: CallFile, now: u64, folder: &Path) -> Result<Call, String> {
    let mut replaced_before = Documents::new();
    for (document, path) in file.replaced_before {
        replaced_before.insert(document, read(&folder.join(path))?);
    }
    let expected = match (file.expect, file.expect_error) {
        (Some(token), None) => Expected::Token(token),
        (None, Some(error)) => Expected::Error(error),
        _ => return Err("a call expects a token or an error".into()),
    };
    Ok(Call {
        now: file.now.unwrap_or(now),
        replaced_before,
        close_before: file.close_before,
        scopes: file.scopes,
        claims: file.claims,
        tenant_id: file.tenant_id,
        enable_cae: file.enable_cae,
        min_validity: file.min_validity,
        expected,
    })
}

fn exchange(file: ExchangeFile) -> Result<Exchange, String> {
    let reply = match file.reply {
        ReplyFile { status: Some(status), body: Some(body), text: None, error: None } => {
            ScriptedReply::Response { status, body: body.get().into() }
        }
        ReplyFile { status: Some(status), body: None, text: Some(text), error: None } => {
            ScriptedReply::Response { status, body: text.into() }
        }
        ReplyFile { status: None, body: None, text: None, error: Some(error) } if error == "unreachable" => {
            ScriptedReply::Unreachable
        }
        _ => return Err("a reply is a status with a body or a text, or the error `unreachable`".into()),
    };
    Ok(Exchange { request: file.request, reply })
}

/// The files of `folder`; none when there is no such folder.
fn documents(folder: &Path) -> Result<Documents, String> {
    let mut documents = Documents::new();
    if folder.exists() {
        for entry in fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
            let path = entry.map_err(|error| error.to_string())?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            documents.insert(name, read(&path)?);
        }
    }
    Ok(documents)
}

fn json<T: DeserializeOwned>(path: &Path) -> Result<T, String> {
    serde_json::from_slice(&read(path)?).map_err(|error| format!("{}: {error}", path.display()))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}
