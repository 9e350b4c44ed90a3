//! The program and the core of the real Azure CLI, with the same cache file and authority.
//!
//! `AZURE_CLI_PYTHON` names a Python that has azure-cli-core; `cargo xtask test` sets it. Neither
//! side uses the network.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};
use shared_token_cache_tests::cli::{AZURE_CLI, Authority, Cli};
use shared_token_cache_tests::login::{self, first_access_token};
use shared_token_cache_tests::peers::{self, Check, Python, at, has, keys_of, same};
use shared_token_cache_tests::sign_in::{
    CLIENT, GRAPH, VAULT, new_access_token, new_refresh_token, refresh_token, tenant, username,
};

const CHECKS: [Check<Peers>; 10] = [
    ("we_list_who_signed_in_with_the_azure_cli", we_list_who_signed_in_with_the_azure_cli),
    ("we_take_the_token_that_the_azure_cli_cached", we_take_the_token_that_the_azure_cli_cached),
    ("the_azure_cli_takes_the_token_that_we_cached", the_azure_cli_takes_the_token_that_we_cached),
    ("the_azure_cli_takes_our_token_of_a_tenant", the_azure_cli_takes_our_token_of_a_tenant),
    ("the_azure_cli_sends_the_refresh_token_that_we_rotated", the_azure_cli_sends_the_refresh_token_that_we_rotated),
    ("we_send_the_refresh_token_that_the_azure_cli_rotated", we_send_the_refresh_token_that_the_azure_cli_rotated),
    ("who_signed_out_of_the_azure_cli_is_signed_out_here", who_signed_out_of_the_azure_cli_is_signed_out_here),
    ("both_use_the_folder_that_the_environment_names", both_use_the_folder_that_the_environment_names),
    ("an_agent_session_has_tokens_of_its_own_for_both", an_agent_session_has_tokens_of_its_own_for_both),
    ("writers_at_the_same_time_lose_nothing", writers_at_the_same_time_lose_nothing),
];

/// With a keyring in a session of the test's own, as the setting `core.encrypt_token_cache`
/// configures on Linux. Each test runs with the item of the releases up to 2.91, and with that of
/// the coming release.
#[cfg(target_os = "linux")]
const ENCRYPTED: [Check<Encrypted>; 5] = [
    ("both_use_one_item_of_the_keyring", both_use_one_item_of_the_keyring),
    ("both_redeem_what_the_other_rotated_in_the_keyring", both_redeem_what_the_other_rotated_in_the_keyring),
    ("who_turned_encryption_on_is_not_the_user_of_before", who_turned_encryption_on_is_not_the_user_of_before),
    ("who_turned_encryption_off_is_not_the_user_of_before", who_turned_encryption_off_is_not_the_user_of_before),
    ("a_locked_keyring_is_told_and_no_older_file_serves", a_locked_keyring_is_told_and_no_older_file_serves),
];

/// The scope of `az`, which has two slashes.
const ARM: &str = "https://management.core.windows.net//.default";

fn main() -> ExitCode {
    let python = Python::named_by("AZURE_CLI_PYTHON", "azure_cli.py");
    let encrypted = "on Windows the Azure CLI encrypts its cache, which is not tested";
    let python = if cfg!(unix) { python } else { Err(encrypted.to_owned()) };
    let mut trials = peers::trials(&CHECKS, python.clone(), Peers::new);
    #[cfg(target_os = "linux")]
    {
        const LIBSECRET: &str = "import sys; sys.path.append('/usr/lib/python3/dist-packages'); import gi; \
                                 gi.require_version('Secret', '1'); from gi.repository import Secret";
        let missing = keyring_session::missing_bus().or_else(keyring_session::missing_keyring);
        let python = missing.map_or_else(|| python.and_then(|python| python.with(LIBSECRET)), Err);
        trials.extend(peers::trials(&ENCRYPTED, python, Encrypted::new));
    }
    peers::run_all(trials)
}

fn we_list_who_signed_in_with_the_azure_cli(peers: &Peers) -> io::Result<()> {
    peers.login(2)?;
    let host = peers.authority.host();
    let run = peers.cli.run(&["accounts", "--source", "azure-cli", "--authority", &host])?;
    let line = |number| format!("{}  {}  localhost  azure-cli  yes\n", username(number), tenant(number));
    let heading = "ACCOUNT            HOME TENANT    CLOUD      SOURCE     USABLE\n";
    same("accounts", &run.stdout, &format!("{heading}{}", [0, 1].map(line).concat()))
}

fn we_take_the_token_that_the_azure_cli_cached(peers: &Peers) -> io::Result<()> {
    peers.login(1)?;
    let (before, posts) = (peers.cli.read(AZURE_CLI)?, peers.posts());
    let ours = peers.get_token(&["--scope", ARM])?;
    same("token", at(&ours, "/token"), &json!(first_access_token(0)))?;
    same("source", at(&ours, "/source"), &json!("azure-cli"))?;
    same("posts", &peers.posts(), &posts)?;
    same("cache", &peers.cli.read(AZURE_CLI)?, &before)
}

fn the_azure_cli_takes_the_token_that_we_cached(peers: &Peers) -> io::Result<()> {
    peers.login(1)?;
    let ours = peers.get_token(&["--scope", GRAPH])?;
    same("our token", at(&ours, "/token"), &json!(new_access_token(0)))?;
    let posts = peers.posts();
    let theirs = peers.token(&["--scope", GRAPH])?;
    same("token", at(&theirs, "/token"), &json!(new_access_token(0)))?;
    same("posts", &peers.posts(), &posts)
}

/// `az` requests tokens from the tenant of a subscription, not from `organizations`.
fn the_azure_cli_takes_our_token_of_a_tenant(peers: &Peers) -> io::Result<()> {
    peers.login(1)?;
    peers.get_token(&["--scope", GRAPH, "--request-tenant", &tenant(0)])?;
    let posts = peers.posts();
    let theirs = peers.token(&["--scope", GRAPH, "--tenant", &tenant(0)])?;
    same("token", at(&theirs, "/token"), &json!(new_access_token(0)))?;
    same("posts", &peers.posts(), &posts)
}

fn the_azure_cli_sends_the_refresh_token_that_we_rotated(peers: &Peers) -> io::Result<()> {
    peers.login(1)?;
    peers.get_token(&["--scope", GRAPH])?;
    same("our refresh token", &peers.last("refresh_token"), &json!(refresh_token(0)))?;
    peers.token(&["--scope", VAULT])?;
    same("their refresh token", &peers.last("refresh_token"), &json!(new_refresh_token(0)))
}

fn we_send_the_refresh_token_that_the_azure_cli_rotated(peers: &Peers) -> io::Result<()> {
    peers.login(1)?;
    peers.token(&["--scope", VAULT])?;
    same("their refresh token", &peers.last("refresh_token"), &json!(refresh_token(0)))?;
    peers.get_token(&["--scope", GRAPH])?;
    same("our refresh token", &peers.last("refresh_token"), &json!(new_refresh_token(0)))?;
    same("client", &peers.last("client_id"), &json!(CLIENT))
}

fn who_signed_out_of_the_azure_cli_is_signed_out_here(peers: &Peers) -> io::Result<()> {
    peers.login(1)?;
    peers.get_token(&["--scope", GRAPH])?;
    peers.run("logout", &[])?;
    let error = peers.cli.redeem(&peers.authority, &["--source", "azure-cli"])?.error(3)?;
    same("reason", at(&error, "/reason"), &json!("no-accounts"))
}

fn both_use_the_folder_that_the_environment_names(peers: &Peers) -> io::Result<()> {
    let mut peers = Peers::new(peers.python.clone())?;
    let moved = peers.cli.home().join("moved here").display().to_string();
    peers.cli.set("AZURE_CONFIG_DIR", &moved);
    peers.login(1)?;
    peers.get_token(&["--scope", GRAPH])?;
    let posts = peers.posts();
    same("token", at(&peers.token(&["--scope", GRAPH])?, "/token"), &json!(new_access_token(0)))?;
    same("posts", &peers.posts(), &posts)?;
    let files = peers.cli.files()?;
    same("moved", &files.contains(Path::new("moved here/msal_token_cache.json")), &true)?;
    same("at the usual place", &files.contains(Path::new(".azure")), &false)
}

fn an_agent_session_has_tokens_of_its_own_for_both(peers: &Peers) -> io::Result<()> {
    const VARIABLE: &str = "COPILOT_AGENT_SESSION_ID";
    let mut peers = Peers::new(peers.python.clone())?;
    peers.login(1)?;
    let without = peers.posts();
    peers.cli.set(VARIABLE, "session-1");
    // The sign-in cached a token for ARM, and it has no mark.
    peers.get_token(&["--scope", ARM])?;
    same("our mark", &peers.last("client_session"), &json!("session-1"))?;
    peers.token(&["--scope", GRAPH])?;
    same("their mark", &peers.last("client_session"), &json!("session-1"))?;
    let marked = peers.posts();
    same("one request of each", &marked, &(without + 2))?;
    peers.token(&["--scope", ARM])?;
    peers.get_token(&["--scope", GRAPH])?;
    same("each takes the other's token", &peers.posts(), &marked)?;
    peers.cli.set(VARIABLE, "session-2");
    peers.get_token(&["--scope", GRAPH])?;
    peers.token(&["--scope", GRAPH])?;
    same("a token of another session serves neither", &peers.posts(), &(marked + 1))?;
    peers.cli.set(VARIABLE, "");
    let ours = peers.get_token(&["--scope", ARM])?;
    same("the token of the sign-in", at(&ours, "/token"), &json!(first_access_token(0)))?;
    same("posts", &peers.posts(), &(marked + 1))
}

/// Two of our programs and the Azure CLI, each writing entries of its own.
fn writers_at_the_same_time_lose_nothing(peers: &Peers) -> io::Result<()> {
    const SIGN_INS: u32 = 10;
    peers.login(1)?;
    let scopes =
        |program: u32| (0..8).map(move |number| format!("https://resource{program}{number}.contoso.com/.default"));
    let redeem = |program| {
        scopes(program)
            .try_for_each(|scope| peers.get_token(&["--scope", &scope, "--username", "user0@contoso.com"]).map(drop))
    };
    std::thread::scope(|threads| {
        let ours = [1, 2].map(|program| threads.spawn(move || redeem(program)));
        peers.login(SIGN_INS)?;
        ours.into_iter().try_for_each(|program| program.join().unwrap_or_else(|_| Err(io::Error::other("it panicked"))))
    })?;

    let keys = keys_of(&peers.cli.read_json(AZURE_CLI)?);
    let has = |section: &str, part: &str| keys.iter().any(|key| key.starts_with(section) && key.contains(part));
    for scope in scopes(1).chain(scopes(2)) {
        same(&scope, &has("AccessToken", &scope), &true)?;
    }
    let mut users: Vec<_> = (0..=SIGN_INS).map(username).collect();
    users.sort();
    same("users", at(&peers.run("users", &[])?, "/usernames"), &json!(users))
}

#[cfg(target_os = "linux")]
fn both_use_one_item_of_the_keyring(encrypted: &Encrypted) -> io::Result<()> {
    for form in FORMS {
        let peers = encrypted.peers()?;
        peers.run("login", &[&["--scope", ARM], form.option].concat())?;
        same("no plain file", &peers.cli.read(AZURE_CLI).is_err(), &true)?;
        let theirs = peers.get_token(&["--scope", ARM])?;
        same("the token that they cached", at(&theirs, "/token"), &json!(first_access_token(0)))?;

        let ours = peers.get_token(&["--scope", GRAPH])?;
        same("our token", at(&ours, "/token"), &json!(new_access_token(0)))?;
        let posts = peers.posts();
        let theirs = peers.run("token", &[&["--scope", GRAPH], form.option].concat())?;
        same("the token that we cached", at(&theirs, "/token"), &json!(new_access_token(0)))?;
        same("posts", &peers.posts(), &posts)?;

        let (host, ca_file) = (peers.authority.host(), peers.authority.ca_file());
        let report = peers.cli.run(&["doctor", "--authority", &host, "--ca-file", &ca_file])?;
        has(
            &report.stdout,
            &[
                &format!("source azure-cli\n  cache        {}", form.place),
                "encrypted",
                "ok           one account to use",
            ],
        )?;
        same("files", &peers.cli.files()?.contains(Path::new(form.signal)), &true)?;

        peers.run("logout", form.option)?;
        let error = peers.cli.redeem(&peers.authority, &["--source", "azure-cli"])?.error(3)?;
        same("reason", at(&error, "/reason"), &json!("no-accounts"))?;
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn both_redeem_what_the_other_rotated_in_the_keyring(encrypted: &Encrypted) -> io::Result<()> {
    for form in FORMS {
        let peers = encrypted.peers()?;
        peers.run("login", &[&["--scope", ARM], form.option].concat())?;
        peers.get_token(&["--scope", GRAPH])?;
        same("our refresh token", &peers.last("refresh_token"), &json!(refresh_token(0)))?;
        peers.run("token", &[&["--scope", VAULT], form.option].concat())?;
        same("their refresh token", &peers.last("refresh_token"), &json!(new_refresh_token(0)))?;
        peers.get_token(&["--scope", "https://resource0.contoso.com/.default"])?;
        same("our next refresh token", &peers.last("refresh_token"), &json!(new_refresh_token(0)))?;
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn who_turned_encryption_on_is_not_the_user_of_before(encrypted: &Encrypted) -> io::Result<()> {
    for form in FORMS {
        let peers = encrypted.peers()?;
        // The authority signs in another user each time.
        peers.login(1)?;
        peers.run("login", &[&["--scope", ARM], form.option].concat())?;
        let before = peers.cli.read(AZURE_CLI)?;
        peers.get_token(&["--scope", GRAPH])?;
        same("our refresh token", &peers.last("refresh_token"), &json!(refresh_token(1)))?;
        same("the plain file", &peers.cli.read(AZURE_CLI)?, &before)?;
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn who_turned_encryption_off_is_not_the_user_of_before(encrypted: &Encrypted) -> io::Result<()> {
    for form in FORMS {
        let peers = encrypted.peers()?;
        peers.run("login", &[&["--scope", ARM], form.option].concat())?;
        peers.login(1)?;
        peers.get_token(&["--scope", GRAPH])?;
        same("our refresh token", &peers.last("refresh_token"), &json!(refresh_token(1)))?;
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn a_locked_keyring_is_told_and_no_older_file_serves(encrypted: &Encrypted) -> io::Result<()> {
    for form in FORMS {
        let encrypted = Encrypted::new(encrypted.python.clone())?;
        let peers = encrypted.peers()?;
        peers.login(1)?;
        peers.run("login", &[&["--scope", ARM], form.option].concat())?;
        encrypted.session.lock()?;
        let posts = peers.posts();
        let refused = |parts: &[&str]| {
            let error = peers.cli.redeem(&peers.authority, &["--source", "azure-cli"])?.error(3)?;
            same("reason", at(&error, "/reason"), &json!("cache-unavailable"))?;
            has(at(&error, "/message").as_str().unwrap_or_default(), parts)
        };
        refused(&[form.signal, AZURE_CLI, form.place, "is locked; unlock it", "may be another user's"])?;
        std::fs::remove_file(peers.cli.home().join(AZURE_CLI))?;
        refused(&[form.place, "is locked; unlock it"])?;
        same("posts", &peers.posts(), &posts)?;
    }
    Ok(())
}

/// The Azure CLI's item for its cache in a keyring.
#[cfg(target_os = "linux")]
struct Form {
    option: &'static [&'static str],
    signal: &'static str,
    place: &'static str,
}

#[cfg(target_os = "linux")]
const FORMS: [Form; 2] = [
    Form {
        option: &["--encrypt", "as-released"],
        signal: ".azure/msal_token_cache.bin",
        place: "item `my_schema_name` of the Azure CLI in the keyring (Secret Service)",
    },
    Form {
        option: &["--encrypt", "named"],
        signal: ".azure/msal_token_cache.sig",
        place: "item `Token cache` of `Microsoft Azure CLI` in the keyring (Secret Service)",
    },
];

/// A keyring, and the Python with the Azure CLI's core.
#[cfg(target_os = "linux")]
struct Encrypted {
    python: Python,
    session: keyring_session::Session,
}

#[cfg(target_os = "linux")]
impl Encrypted {
    fn new(python: Python) -> io::Result<Self> {
        Ok(Self { python, session: keyring_session::Session::with_keyring()? })
    }

    /// Peers with this keyring, a new home and a new authority.
    fn peers(&self) -> io::Result<Peers> {
        let mut peers = Peers::new(self.python.clone())?;
        peers.cli.set("DBUS_SESSION_BUS_ADDRESS", self.session.address());
        Ok(peers)
    }
}

/// Python with the Azure CLI's core, and a home folder and an authority shared by both sides.
struct Peers {
    python: Python,
    cli: Cli,
    authority: Authority,
}

impl Peers {
    fn new(python: Python) -> io::Result<Self> {
        let (mut cli, authority) = (Cli::new()?, login::authority()?);
        cli.set("REQUESTS_CA_BUNDLE", &authority.ca_file());
        Ok(Self { python, cli, authority })
    }

    /// `az login` for the next users.
    fn login(&self, count: u32) -> io::Result<()> {
        self.run("login", &["--scope", ARM, "--count", &count.to_string()]).map(drop)
    }

    /// `az account get-access-token`.
    fn token(&self, arguments: &[&str]) -> io::Result<Value> {
        self.run("token", arguments)
    }

    fn run(&self, command: &str, arguments: &[&str]) -> io::Result<Value> {
        let host = self.authority.host();
        self.python.run(&self.cli, command, &[&["--authority", &host], arguments].concat())
    }

    /// Our `get-token`.
    fn get_token(&self, arguments: &[&str]) -> io::Result<Value> {
        let (host, ca_file) = (self.authority.host(), self.authority.ca_file());
        let first = ["get-token", "--source", "azure-cli", "--authority", &host, "--ca-file", &ca_file];
        self.cli.run(&[&first, arguments].concat())?.answer()
    }

    /// The number of posted forms so far.
    fn posts(&self) -> usize {
        self.authority.requests().iter().filter(|request| request.method == "POST").count()
    }

    /// A field of the last form that was posted.
    fn last(&self, field: &str) -> Value {
        let requests = self.authority.requests();
        requests.iter().rfind(|request| request.method == "POST").and_then(|request| request.field(field)).into()
    }
}
