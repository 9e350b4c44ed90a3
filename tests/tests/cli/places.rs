//! Sign-ins in other places than the first one that is read.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs::File;
use std::io;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use shared_token_cache_tests::cli::{AZURE_CLI, Cli, SHARED, SHARED_CAE};
use shared_token_cache_tests::sign_in::{LOCAL, PUBLIC, SignIn, VAULT, access_token, document};

const GET: [&str; 3] = ["get-token", "--scope", VAULT];

/// The plain file of .NET, which Azure PowerShell uses.
const DOTNET: &str = ".local/share/.IdentityService/msal.cache.nocae";

fn cache_of(number: u32) -> String {
    document(&[SignIn::new(number, PUBLIC).access_token(VAULT)])
}

/// A cache that `doctor` counts, for an authority on this machine.
fn local_cache() -> String {
    document(&[SignIn::new(0, LOCAL)])
}

fn token(cli: &Cli, more: &[&str]) -> io::Result<String> {
    let run = cli.run(&[&GET[..], &["--output", "token"], more].concat())?;
    assert_eq!(run.code, Some(0), "{run:?}");
    Ok(run.stdout.trim_end().to_owned())
}

/// The reason and the message of an error.
fn error(cli: &Cli, more: &[&str]) -> io::Result<(String, String)> {
    let error = cli.run(&[&GET[..], more].concat())?.error(3)?;
    let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok((text("reason"), text("message")))
}

fn doctor(cli: &Cli) -> io::Result<(Option<i32>, String)> {
    // The port is closed.
    let run = cli.run(&["doctor", "--authority", "localhost:1"])?;
    Ok((run.code, run.stdout))
}

fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
}

fn lacks(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(!text.contains(part), "{part:?} is in {text}");
    }
}

/// Sets a file's modification time to this long ago.
fn age(cli: &Cli, name: &str, minutes: u64) {
    let time = SystemTime::now() - Duration::from_secs(60 * minutes);
    File::options().append(true).open(cli.home().join(name)).unwrap().set_modified(time).unwrap();
}

#[test]
fn the_file_of_dotnet_serves_where_the_others_have_none() {
    let mut cli = Cli::new().unwrap();
    cli.write(DOTNET, &cache_of(3)).unwrap();
    assert_eq!(token(&cli, &["--source", "shared"]).unwrap(), access_token(3, VAULT));
    assert_eq!(token(&cli, &[]).unwrap(), access_token(3, VAULT));
    cli.write(DOTNET, &local_cache()).unwrap();
    let (code, report) = doctor(&cli).unwrap();
    assert!(code == Some(0), "{report}");
    has(&report, &[&format!("source shared\n  cache        file {}", cli.home().join(DOTNET).display())]);
    cli.write(DOTNET, &cache_of(3)).unwrap();

    // An empty file is a change signal only.
    cli.write(SHARED, "").unwrap();
    assert_eq!(token(&cli, &["--source", "shared"]).unwrap(), access_token(3, VAULT));
    cli.write(SHARED, &cache_of(0)).unwrap();
    assert_eq!(token(&cli, &["--source", "shared"]).unwrap(), access_token(0, VAULT));

    cli.write("data/.IdentityService/msal.cache.cae", &cache_of(4)).unwrap();
    cli.set("XDG_DATA_HOME", &cli.home().join("data").display().to_string());
    assert_eq!(token(&cli, &["--source", "shared", "--enable-cae"]).unwrap(), access_token(4, VAULT));
}

#[test]
fn the_other_cache_is_reported_with_the_flag() {
    let cli = Cli::new().unwrap();
    cli.write(SHARED_CAE, &cache_of(0)).unwrap();
    for source in ["shared", "auto"] {
        let (reason, message) = error(&cli, &["--source", source]).unwrap();
        assert_eq!(reason, "no-accounts");
        has(&message, &[SHARED_CAE, "pass `--enable-cae`"]);
    }
    assert_eq!(token(&cli, &["--enable-cae"]).unwrap(), access_token(0, VAULT));
    cli.write(SHARED_CAE, &local_cache()).unwrap();
    let (code, report) = doctor(&cli).unwrap();
    assert_eq!(code, Some(3), "get-token would find none: {report}");
    has(&report, &["pass `--enable-cae`", "`get-token` uses it with `--enable-cae` only"]);
    lacks(&report, &["ok           one account", "Visual Studio"]);

    let cli = Cli::with_shared(&cache_of(0)).unwrap();
    let (_, message) = error(&cli, &["--source", "shared", "--enable-cae"]).unwrap();
    has(&message, &[SHARED, "leave `--enable-cae` out"]);
}

#[test]
fn a_name_without_a_suffix_is_reported_and_not_used() {
    for folder in [".IdentityService", ".local/share/.IdentityService"] {
        let cli = Cli::new().unwrap();
        let path = cli.write(&format!("{folder}/msal.cache"), &cache_of(0)).unwrap();
        let (_, message) = error(&cli, &["--source", "shared"]).unwrap();
        has(&message, &[&format!("`--source file:{path}`")]);
        assert_eq!(token(&cli, &["--source", &format!("file:{path}")]).unwrap(), access_token(0, VAULT));
        has(&doctor(&cli).unwrap().1, &[&format!("`--source file:{path}`")]);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn an_encrypted_sign_in_is_not_answered_with_az_login() {
    for signal in ["sig", "bin"] {
        let cli = Cli::new().unwrap();
        let path = cli.write(&format!(".azure/msal_token_cache.{signal}"), "").unwrap();
        let (reason, message) = error(&cli, &["--source", "azure-cli"]).unwrap();
        assert_eq!(reason, "cache-unavailable", "{message}");
        has(&message, &[&path, "encrypts its sign-ins", "there is no keyring"]);
        lacks(&message, &["az login", "sign in with"]);
        let (code, report) = doctor(&cli).unwrap();
        assert_eq!(code, Some(3));
        has(&report, &[&path, "there is no keyring"]);
        lacks(&report, &["az login"]);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn the_plain_file_from_before_encryption_is_not_redeemed() {
    for signal in ["sig", "bin"] {
        let cli = Cli::new().unwrap();
        let plain = cli.write(AZURE_CLI, &cache_of(0)).unwrap();
        age(&cli, AZURE_CLI, 5);
        let newer = cli.write(&format!(".azure/msal_token_cache.{signal}"), "").unwrap();
        for source in ["azure-cli", "auto"] {
            let (reason, message) = error(&cli, &["--source", source]).unwrap();
            assert_eq!(reason, "cache-unavailable");
            has(&message, &[&plain, &newer, "there is no keyring", "may be another user's"]);
        }
        let (code, report) = doctor(&cli).unwrap();
        assert_eq!(code, Some(3));
        has(&report, &[&format!("{plain} is older than {newer}, so it is not used")]);
        assert_eq!(token(&cli, &["--source", &format!("file:{plain}")]).unwrap(), access_token(0, VAULT));
        age(&cli, &format!(".azure/msal_token_cache.{signal}"), 9);
        assert_eq!(token(&cli, &["--source", "azure-cli"]).unwrap(), access_token(0, VAULT));
    }
}

#[test]
fn other_files_in_the_azure_clis_folder_are_reported() {
    for (name, content, part) in [
        ("azureProfile.json", "{}", "az account show"),
        ("service_principal_entries.json", "[]", "a service principal has signed in"),
        ("accessTokens.json", "[]", "before 2.30"),
        ("msal_token_cache.bin", "encrypted by Windows", "Only Windows and that user"),
    ] {
        let cli = Cli::new().unwrap();
        let path = cli.write(&format!(".azure/{name}"), content).unwrap();
        let (reason, message) = error(&cli, &["--source", "azure-cli"]).unwrap();
        assert_eq!(reason, "no-accounts", "{message}");
        has(&message, &[&path, part]);
        lacks(&message, &["sign in with"]);
        has(
            &doctor(&cli).unwrap().1,
            &[&path, "note         there is no cache\n               hint: See the files nearby."],
        );
    }
}

#[test]
fn a_file_of_nearly_the_same_name_is_reported() {
    let cli = Cli::new().unwrap();
    cli.write("caches/mine.json", &cache_of(0)).unwrap();
    let (_, message) = error(&cli, &["--source", "file:caches/mine.bin"]).unwrap();
    has(&message, &["caches/mine.json has nearly the same name"]);
}

#[test]
fn damage_is_reported_with_the_path_that_was_read() {
    let cli = Cli::new().unwrap();
    let file = cli.write("mine.json", "{").unwrap();
    let azure_cli = cli.write(AZURE_CLI, "{").unwrap();
    let shared = cli.write(SHARED, "[1]").unwrap();
    for (source, paths) in [
        ("shared", &[&shared][..]),
        ("azure-cli", &[&azure_cli]),
        (&format!("file:{file}"), &[&file]),
        ("auto", &[&shared, &azure_cli]),
    ] {
        let (reason, message) = error(&cli, &["--source", source]).unwrap();
        assert_eq!(reason, "cache-corrupt");
        for path in paths {
            has(&message, &[&format!("the file {path} is damaged: "), "Move it away"]);
        }
        lacks(&message, &["the cache msal.cache"]);
    }
    let garbage = Cli::new().unwrap();
    garbage.write(AZURE_CLI, "hunter2 and more").unwrap();
    let (reason, message) = error(&garbage, &["--source", "azure-cli"]).unwrap();
    assert_eq!(reason, "cache-corrupt");
    has(&message, &["check its content before you move it away"]);
    lacks(&message, &["Move it away"]);
}

#[test]
fn an_empty_file_is_called_empty() {
    let cli = Cli::new().unwrap();
    let path = cli.write("signal", "").unwrap();
    let (reason, message) = error(&cli, &["--source", &format!("file:{path}")]).unwrap();
    assert_eq!(reason, "no-accounts");
    has(&message, &[&format!("the file {path} is empty"), "a keyring's item"]);
}

#[test]
fn a_file_that_is_no_token_cache_is_reported_with_its_kind() {
    use std::os::unix::fs::PermissionsExt as _;
    let utf_16: Vec<u8> = "{\"Account\": {}}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let dpapi = b"\x01\0\0\0\xd0\x8c\x9d\xdf\x01\x15\xd1\x11\x8c\x7a\0\xc0\x4f\xc2\x97\xeb\x01\0\0\0".to_vec();
    let mut marked = vec![0xff, 0xfe];
    marked.extend(&utf_16);
    for (content, part) in [
        (dpapi, "is encrypted by Windows (DPAPI)"),
        (utf_16, "is UTF-16 text"),
        (marked, "is UTF-16 text"),
        (b"bplist00\xd1\x01".to_vec(), "binary property list"),
        (b"SQLite format 3\0".to_vec(), "SQLite"),
        (b"\x1f\x8b\x08\0".to_vec(), "gzip"),
        (b"-----BEGIN CERTIFICATE-----\n".to_vec(), "is PEM"),
    ] {
        for name in [AZURE_CLI, SHARED, "other.bin"] {
            let cli = Cli::new().unwrap();
            let path = cli.write(name, "").unwrap();
            std::fs::write(&path, &content).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            age(&cli, name, 5);
            let source = match name {
                AZURE_CLI => "azure-cli".to_owned(),
                SHARED => "shared".to_owned(),
                _ => format!("file:{path}"),
            };
            let (reason, message) = error(&cli, &["--source", &source]).unwrap();
            assert_eq!(reason, "cache-unavailable", "{message}");
            has(&message, &[&format!("cannot read the cache: {path} "), part]);
            lacks(&message, &["Move it away", "damaged", "msal.cache.nocae can"]);
            assert_eq!(std::fs::read(&path).unwrap(), content);
        }
    }
}
