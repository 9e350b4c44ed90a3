//! A component of the same world that executes the command in its caller's first scope, for tests
//! with many variants.

#![allow(clippy::panic, reason = "a test article")]

use hostile::spin;
use hostile::wit::{cache_file, credential, https, log, tokens};

struct Hostile;

#[allow(unsafe_code, reason = "the macro defines the functions that the component exports")]
mod exported {
    use super::Hostile;
    hostile::wit::export!(Hostile with_types_in hostile::wit);
}

struct Resource;

impl credential::Guest for Hostile {
    type SharedTokenCacheCredential = Resource;
}

impl credential::GuestSharedTokenCacheCredential for Resource {
    fn create(options: credential::Options) -> Result<credential::SharedTokenCacheCredential, credential::Error> {
        if options.username.as_deref() == Some("spin") {
            spin();
        }
        Ok(credential::SharedTokenCacheCredential::new(Self))
    }

    /// The first scope is the command, the others are its arguments. The result is returned as a
    /// message.
    fn get_token(
        &self,
        scopes: Vec<String>,
        _: Option<credential::TokenRequestOptions>,
    ) -> Result<credential::AccessToken, credential::Error> {
        let words: Vec<&str> = scopes.iter().map(String::as_str).collect();
        Err(credential::Error::InvalidArgument(obey(&words)))
    }

    fn accounts(&self, _: bool) -> Result<Vec<credential::CachedAccount>, credential::Error> {
        spin()
    }

    fn close(&self) {}

    fn supported() -> bool {
        true
    }
}

impl tokens::Guest for Hostile {
    fn get_token(
        _: Vec<String>,
        _: Option<credential::TokenRequestOptions>,
        _: Option<credential::Options>,
    ) -> Result<credential::AccessToken, credential::Error> {
        spin()
    }

    fn supported() -> bool {
        true
    }

    fn close() {}
}

fn obey(words: &[&str]) -> String {
    match words {
        ["work"] => "worked".into(),
        ["spin"] => spin(),
        ["allocate"] => allocate(),
        ["recurse"] => recurse(1).to_string(),
        ["nest"] => nest(1).to_string(),
        ["trap"] => panic!("as requested"),
        ["read", name] => format!("{:?}", cache_file::read(name, None).map(|_| "read")),
        ["replace", name, version, content] => {
            format!("{:?}", cache_file::replace(name, version, content))
        }
        ["replace-with", name, bytes] => {
            let document = " ".repeat(bytes.parse().unwrap_or_default());
            format!("{:?}", cache_file::replace(name, "", &document))
        }
        ["answer", bytes] => "x".repeat(bytes.parse().unwrap_or_default()),
        ["post", url] => post(url, &[], &[]),
        ["post-with-header", url, name, value] => post(url, &[(*name, *value)], &[]),
        ["post-large", url, bytes] => post(url, &[], &[("x", &"x".repeat(bytes.parse().unwrap_or_default()))]),
        ["log", lines, text] => {
            for _ in 0..lines.parse().unwrap_or_default() {
                log::write(log::Level::Warn, text);
            }
            "logged".into()
        }
        _ => "unknown command".into(),
    }
}

fn post(url: &str, headers: &[(&str, &str)], form: &[(&str, &str)]) -> String {
    let owned = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    format!("{:?}", https::post_form(url, &owned(headers), &owned(form)).map(|response| response.status))
}

fn allocate() -> String {
    let mut held: Vec<Vec<u8>> = Vec::new();
    loop {
        held.push(std::hint::black_box(vec![1; 1 << 20]));
    }
}

fn recurse(depth: u64) -> u64 {
    if depth == u64::MAX {
        return 0;
    }
    let deeper = [depth; 64];
    std::hint::black_box(&deeper);
    recurse(depth + 1) + deeper.iter().sum::<u64>()
}

/// Recursion that uses the engine's stack only, and none of the component's memory.
fn nest(depth: u64) -> u64 {
    if std::hint::black_box(depth) == 0 { 0 } else { nest(depth.wrapping_add(1)) ^ depth }
}
