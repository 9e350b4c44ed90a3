//! One keyring, with documents of several writers.

use std::fs;
use std::io;

use serde_json::{Value, json};
use shared_token_cache_storage::{Document, Read, Store, WriteError};

use crate::peer::Peers;
use crate::store::HasStores as _;

type Check = (&'static str, fn(&Peers) -> io::Result<()>);

pub(crate) const ALL: [Check; 8] = [
    ("we_read_what_msal_for_python_wrote", we_read_what_msal_for_python_wrote),
    ("azure_identity_takes_the_token_that_we_wrote", azure_identity_takes_the_token_that_we_wrote),
    ("a_running_program_sees_our_signal", a_running_program_sees_our_signal),
    ("we_see_the_signal_of_msal", we_see_the_signal_of_msal),
    ("a_document_of_dotnet_stays_one", a_document_of_dotnet_stays_one),
    ("a_document_of_javascript_stays_one", a_document_of_javascript_stays_one),
    ("the_item_of_another_document_is_never_taken", the_item_of_another_document_is_never_taken),
    ("writers_at_the_same_time_lose_nothing", writers_at_the_same_time_lose_nothing),
];

const DOCUMENT: &str = "msal.cache.nocae";

fn we_read_what_msal_for_python_wrote(peers: &Peers) -> io::Result<()> {
    peers.sign_in(DOCUMENT, 0, 1)?;
    let store = peers.session.store(DOCUMENT)?;
    let read = document(&*store)?;
    same("tokens", &tokens(&read)?, &json!(["at-made-up-secret-0"]))?;
    same("place in plain text", &read.unencrypted, &None)?;
    same("known to be unchanged", &store.is_at(&read.version), &true)
}

fn azure_identity_takes_the_token_that_we_wrote(peers: &Peers) -> io::Result<()> {
    for name in [DOCUMENT, "contoso.cae"] {
        peers.sign_in(name, 0, 1)?;
        let items = peers.session.items()?;
        same("their token", &peers.token(name)?, &json!("at-made-up-secret-0"))?;
        change(&*peers.session.store(name)?, "at-made-up-secret-0", "at-of-ours")?;
        same("our token", &peers.token(name)?, &json!("at-of-ours"))?;
        same("items", &peers.session.items()?, &items)?;
    }
    Ok(())
}

fn a_running_program_sees_our_signal(peers: &Peers) -> io::Result<()> {
    peers.sign_in(DOCUMENT, 0, 1)?;
    let mut program = peers.start(&["follow"])?;
    same("before", &program.answer()?, &json!(["at-made-up-secret-0"]))?;
    for round in ["at-of-ours-1", "at-of-ours-2"] {
        change(
            &*peers.session.store(DOCUMENT)?,
            if round.ends_with('1') { "at-made-up-secret-0" } else { "at-of-ours-1" },
            round,
        )?;
        same("after", &program.ask_again()?, &json!([round]))?;
    }
    Ok(())
}

fn we_see_the_signal_of_msal(peers: &Peers) -> io::Result<()> {
    peers.sign_in(DOCUMENT, 0, 1)?;
    let store = peers.session.store(DOCUMENT)?;
    let before = document(&*store)?;
    peers.sign_in(DOCUMENT, 1, 1)?;
    same("known to be unchanged", &store.is_at(&before.version), &false)?;
    let conflict = store.replace(&before.version, b"{}");
    same("conflict", &matches!(conflict, Err(WriteError::Conflict)), &true)?;
    same("tokens", &tokens(&document(&*store)?)?, &json!(["at-made-up-secret-0", "at-made-up-secret-1"]))
}

fn a_document_of_dotnet_stays_one(peers: &Peers) -> io::Result<()> {
    for name in ["contoso.cae", DOCUMENT] {
        let content = format!(r#"{{"Of":"{name}"}}"#);
        peers.store_as("dotnet", name, &content)?;
        let signal = peers.session.home().join(".local/share/.IdentityService").join(name);
        fs::create_dir_all(signal.parent().unwrap_or(&signal))?;
        fs::write(&signal, "")?;
        let (items, signalled) = (peers.session.items()?, fs::metadata(&signal)?.modified()?);

        let store = peers.session.store(name)?;
        same("document", document(&*store)?.content.as_slice(), content.as_bytes())?;
        change(&*store, "Of", "Ours of")?;
        let ours = content.replace("Of", "Ours of");
        same("what .NET finds", &peers.load_as("dotnet")?, &json!(ours))?;
        same("what we find", document(&*store)?.content.as_slice(), ours.as_bytes())?;
        same("items", &peers.session.items()?, &items)?;
        same("signalled", &(fs::metadata(&signal)?.modified()? > signalled), &true)?;
    }
    Ok(())
}

fn a_document_of_javascript_stays_one(peers: &Peers) -> io::Result<()> {
    peers.store_as("javascript", DOCUMENT, r#"{"of":"javascript"}"#)?;
    let signal = peers.session.home().join(".IdentityService").join(DOCUMENT);
    fs::create_dir_all(signal.parent().unwrap_or(&signal))?;
    fs::write(&signal, "{}")?;
    let items = peers.session.items()?;
    let store = peers.session.store(DOCUMENT)?;
    change(&*store, "of", "ours of")?;
    same("what JavaScript finds", &peers.load_as("javascript")?, &json!(r#"{"ours of":"javascript"}"#))?;
    same("items", &peers.session.items()?, &items)?;
    same("what the signal file holds", fs::read(&signal)?.as_slice(), b"{}")
}

fn the_item_of_another_document_is_never_taken(peers: &Peers) -> io::Result<()> {
    let session = &peers.session;
    let found = |name: &str| match session.store(name)?.read(None) {
        Ok(Read::Document(document)) => Ok(String::from_utf8_lossy(&document.content).into_owned()),
        Ok(Read::Unchanged) => Err(io::Error::other("nothing was known")),
        Err(error) => Ok(error.to_string()),
    };
    let none = |name: &str| format!("there is no item {name} in the keyring (Secret Service)");
    let (cae, named) = ("msal.cache.cae", "contoso.nocae");

    // Each is used until a preferred one exists.
    peers.store_as("javascript", DOCUMENT, r#"{"of":"javascript"}"#)?;
    same("JavaScript's", &found(DOCUMENT)?, &r#"{"of":"javascript"}"#.to_owned())?;
    peers.store_as("dotnet", cae, r#"{"of":"dotnet"}"#)?;
    same(".NET's of another name", &found(DOCUMENT)?, &r#"{"of":"javascript"}"#.to_owned())?;
    same(".NET's", &found(cae)?, &r#"{"of":"dotnet"}"#.to_owned())?;
    // .NET has only one item, too: now it is this one.
    peers.store_as("dotnet", DOCUMENT, r#"{"of":"dotnet"}"#)?;
    same(".NET's", &found(DOCUMENT)?, &r#"{"of":"dotnet"}"#.to_owned())?;
    same("none", &found(cae)?, &none(cae))?;
    same("none", &found(named)?, &none(named))?;
    session.make_item(named, r#"{"of":"python"}"#)?;
    same(".NET's beside Python's of another name", &found(DOCUMENT)?, &r#"{"of":"dotnet"}"#.to_owned())?;
    session.make_item(DOCUMENT, r#"{"of":"python, default"}"#)?;
    same("Python's", &found(DOCUMENT)?, &r#"{"of":"python, default"}"#.to_owned())?;
    same("Python's", &found(named)?, &r#"{"of":"python"}"#.to_owned())?;
    same("none", &found(cae)?, &none(cae))
}

/// Our writer counts in a section of its own while MSAL adds sign-ins.
fn writers_at_the_same_time_lose_nothing(peers: &Peers) -> io::Result<()> {
    const SIGN_INS: u32 = 60;
    peers.sign_in(DOCUMENT, 0, 1)?;
    let store = peers.session.store(DOCUMENT)?;
    let rounds = std::thread::scope(|threads| {
        let theirs = threads.spawn(|| peers.sign_in(DOCUMENT, 1, SIGN_INS));
        let mut rounds = 0;
        while !theirs.is_finished() {
            let read = document(&*store)?;
            let mut content: Value = serde_json::from_slice(&read.content)?;
            if let Some(content) = content.as_object_mut() {
                same("our last round", content.get("Ours").unwrap_or(&json!(0)), &json!(rounds))?;
                content.insert("Ours".to_owned(), json!(rounds + 1));
            }
            match store.replace(&read.version, content.to_string().as_bytes()) {
                Ok(_) => rounds += 1,
                // MSAL writes without pauses here, so it may hold the lock for our whole wait. The
                // write is then repeated.
                Err(WriteError::Conflict | WriteError::Locked(_)) => {}
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        theirs.join().unwrap_or_else(|_| Err(io::Error::other("it panicked")))?;
        Ok(rounds)
    })?;
    let content: Value = serde_json::from_slice(&document(&*store)?.content)?;
    same("our last round", content.pointer("/Ours").unwrap_or(&Value::Null), &json!(rounds))?;
    let accounts = content.pointer("/Account").and_then(Value::as_object).map_or(0, serde_json::Map::len);
    same("their accounts", &accounts, &(SIGN_INS as usize + 1))
}

/// Replaces a part of a document's text, and checks the lock and signal files afterwards.
fn change(store: &dyn Store, from: &str, to: &str) -> io::Result<()> {
    let read = document(store)?;
    let signalled = || fs::metadata(store.guarded()).and_then(|metadata| metadata.modified()).ok();
    let before = signalled();
    let content = String::from_utf8_lossy(&read.content).replace(from, to);
    let version = store.replace(&read.version, content.as_bytes()).map_err(io::Error::other)?;
    same("signalled", &(signalled() > before), &true)?;
    same("known to be the new one", &(store.is_at(&version), store.is_at(&read.version)), &(true, false))
}

/// The secrets of the access tokens in a document.
fn tokens(document: &Document) -> io::Result<Value> {
    let content: Value = serde_json::from_slice(&document.content)?;
    let entries = content.pointer("/AccessToken").and_then(Value::as_object).into_iter().flatten();
    let mut tokens: Vec<_> = entries.filter_map(|(_, entry)| entry.get("secret")?.as_str()).collect();
    tokens.sort_unstable();
    Ok(json!(tokens))
}

pub(crate) fn document(store: &dyn Store) -> io::Result<Document> {
    match store.read(None).map_err(io::Error::other)? {
        Read::Document(document) => Ok(document),
        Read::Unchanged => Err(io::Error::other("nothing was known")),
    }
}

pub(crate) fn same<T: PartialEq + std::fmt::Debug + ?Sized>(what: &str, actual: &T, expected: &T) -> io::Result<()> {
    if actual == expected {
        return Ok(());
    }
    Err(io::Error::other(format!("{what}: {actual:#?}, but {expected:#?} was expected")))
}
