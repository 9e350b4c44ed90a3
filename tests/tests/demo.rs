//! `shared-token-cache demo` as a newcomer runs it.

// On Windows the tools' caches are encrypted, which this version can't open.
#![cfg(unix)]

use std::fs;
use std::io;

use shared_token_cache_tests::cli::{Cli, Run, SHARED};
use tempfile::TempDir;

/// Runs the demo, and checks that it leaves no file behind.
fn demo(environment: &[(&str, &str)]) -> io::Result<Run> {
    let temporary = TempDir::new()?;
    let mut cli = Cli::new()?;
    for name in ["TMPDIR", "TMP", "TEMP"] {
        cli.set(name, &temporary.path().display().to_string());
    }
    for (name, value) in environment {
        cli.set(name, value);
    }
    let run = cli.run(&["demo"])?;
    let left = cli.files()?.len() + fs::read_dir(temporary.path())?.count();
    if left > 0 || run.code != Some(0) || !run.stderr.is_empty() {
        return Err(io::Error::other(format!("{left} files are left by {run:#?}")));
    }
    Ok(run)
}

/// The text in one line, independent of line wrapping.
fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first of `parts` that does not come after the ones before it.
fn out_of_order<'a>(text: &str, parts: &[&'a str]) -> Option<&'a str> {
    let mut rest = text;
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return Some(part),
        }
    }
    None
}

#[test]
fn the_demo_walks_through_everything_and_leaves_nothing_behind() {
    let text = unwrapped(&demo(&[]).unwrap().stdout);
    let steps = [
        // supported
        "1. ",
        "supported: true",
        // a cached token
        "2. ",
        "Bearer token at-0-vault",
        // a redeemed refresh token, and the cache rewritten
        "3. ",
        "the cache before: 1 access token, refresh token rt-0-from-sign-in",
        "the cache after: 2 access tokens, refresh token rt-0-rotated",
        "Bearer token at-0-graph",
        "still 1 request",
        // an ambiguous account, and how to resolve it
        "4. ",
        "credential-unavailable/multiple-accounts",
        "user0@contoso.com, home tenant utid-00000000",
        "user1@fabrikam.com, home tenant utid-00000001",
        "the token of user1@fabrikam.com",
        "Bearer token at-1-vault",
        // denials of the policy: an authority, and a cache
        "5. ",
        "denied",
        "login.contoso.com",
        "authorities",
        "other.cache",
        "[[caches]]",
        // close
        "6. ",
        "close",
        "done",
        // next steps
        "Next: ",
        "get-token",
    ];
    assert_eq!(out_of_order(&text, &steps), None, "{text}");
}

#[test]
fn the_demo_shows_what_crosses_the_border() {
    let run = demo(&[]).unwrap();
    let crossings: Vec<_> = run.stdout.lines().filter_map(|line| line.trim_start().strip_prefix("┊ ")).collect();
    let expected = [
        "cache-file.supported",
        "cache-file.read msal.cache.nocae → a document",
        "cache-file.read msal.cache.nocae → unchanged",
        "https.post-form https://login.microsoftonline.com/organizations/oauth2/v2.0/token",
        "cache-file.replace msal.cache.nocae",
        "https.post-form (grant_type",
        "cache-file.read other.cache.nocae → denied",
        "https.close-idle-connections",
    ];
    assert_eq!(out_of_order(&crossings.join("\n"), &expected), None, "{crossings:#?}");
    assert!(crossings.iter().all(|line| !line.contains("at-0") && !line.contains("rt-0")), "{crossings:#?}");
}

#[test]
fn the_demo_is_plain_where_it_is_piped_and_coloured_on_request() {
    let plain = demo(&[]).unwrap().stdout;
    assert!(!plain.contains('\u{1b}'), "{plain}");
    let coloured = demo(&[("CLICOLOR_FORCE", "1")]).unwrap().stdout;
    assert!(coloured.contains("\u{1b}["), "{coloured}");
    assert!(!demo(&[("NO_COLOR", "1")]).unwrap().stdout.contains('\u{1b}'));
}

#[test]
fn the_demo_ignores_the_users_environment() {
    let environment = [
        ("AZURE_USERNAME", "user7@contoso.com"),
        ("AZURE_TENANT_ID", "utid-00000007"),
        ("AZURE_AUTHORITY_HOST", "http://nonsense"),
        ("AZURE_CONFIG_DIR", "/nonexistent"),
        ("SHARED_TOKEN_CACHE_LOG", "trace"),
    ];
    let text = demo(&environment).unwrap().stdout;
    assert_eq!(out_of_order(&text, &["1. ", "2. ", "3. ", "4. ", "5. ", "6. "]), None, "{text}");
}

#[test]
fn the_demo_needs_no_proxy_though_the_user_has_one() {
    // The port is closed. The demo's authority is on this machine, which needs no proxy.
    let environment = [("HTTPS_PROXY", "http://127.0.0.1:9"), ("ALL_PROXY", "http://127.0.0.1:9")];
    let text = demo(&environment).unwrap().stdout;
    assert_eq!(out_of_order(&text, &["at-0-graph", "6. "]), None, "{text}");
}

#[test]
fn the_demos_home_serves_other_commands_and_replaces_nothing() {
    let cli = Cli::new().unwrap();
    let home = cli.home().display().to_string();
    let made = cli.run(&["demo", "--home", &home]).unwrap();
    assert_eq!((made.code, made.stderr.as_str()), (Some(0), ""), "{made:?}");
    assert!(made.stdout.contains("user0@contoso.com is signed in"), "{made:?}");
    let token = ["get-token", "--scope", "https://vault.azure.net/.default"];
    let answer = cli.run(&token).unwrap().answer().unwrap();
    assert_eq!((answer["token"].as_str(), answer["source"].as_str()), (Some("at-0-vault-cached"), Some("shared")));
    let before = cli.read(SHARED).unwrap();
    let again = cli.run(&["demo", "--home", &home]).unwrap();
    assert_eq!(again.code, Some(2), "{again:?}");
    assert!(again.stderr.contains("cannot create"), "{again:?}");
    assert_eq!(cli.read(SHARED).unwrap(), before);
    assert_eq!(cli.files().unwrap().len(), 2, "the cache and its folder");
}
