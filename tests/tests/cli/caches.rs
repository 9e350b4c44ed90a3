//! Cache files: their owners and modes, and that no file is created.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use shared_token_cache_tests::cli::{ANYTHING, Authority, Cli, SHARED};
use shared_token_cache_tests::sign_in::{
    LOCAL, PUBLIC, SignIn, VAULT, access_token, document, new_access_token, refresh_token, token_reply,
};

const GET: [&str; 3] = ["get-token", "--scope", VAULT];

fn signed_in() -> io::Result<Cli> {
    Cli::with_shared(&document(&[SignIn::new(0, PUBLIC).access_token(VAULT)]))
}

#[test]
fn nothing_is_made_where_there_is_no_cache() {
    for arguments in [
        &GET[..],
        &["get-token", "--scope", VAULT, "--enable-cae"],
        &["get-token", "--scope", VAULT, "--source", "azure-cli"],
        &["get-token", "--scope", VAULT, "--source", "file:missing.json"],
        &["accounts"],
        &["accounts", "--output", "json"],
    ] {
        let cli = Cli::new().unwrap();
        let run = cli.run(arguments).unwrap();
        assert!(matches!(run.code, Some(0 | 3)), "{arguments:?}: {run:?}");
        assert!(cli.files().unwrap().is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_read_changes_nothing() {
    let cli = signed_in().unwrap();
    let look = || {
        let metadata = fs::metadata(cli.home().join(SHARED)).unwrap();
        (metadata.modified().unwrap(), cli.read(SHARED).unwrap(), cli.files().unwrap())
    };
    let before = look();
    cli.run(&GET).unwrap().answer().unwrap();
    assert_eq!(cli.run(&["accounts"]).unwrap().code, Some(0));
    assert_eq!(look(), before);
}

#[test]
fn an_empty_file_has_no_accounts_and_stays_empty() {
    let cli = Cli::with_shared("").unwrap();
    assert_eq!(cli.run(&GET).unwrap().error(3).unwrap()["reason"], "no-accounts");
    assert_eq!(cli.read(SHARED).unwrap(), "");
}

#[test]
fn a_cache_that_others_may_read_is_used_with_a_warning() {
    let cli = signed_in().unwrap();
    fs::set_permissions(cli.home().join(SHARED), fs::Permissions::from_mode(0o644)).unwrap();
    let run = cli.run(&[&GET[..], &["--output", "token"]].concat()).unwrap();
    assert_eq!((run.code, run.stdout), (Some(0), format!("{}\n", access_token(0, VAULT))));
    assert!(run.stderr.contains("WARN") && run.stderr.contains("chmod 600"), "{}", run.stderr);
}

#[test]
fn a_file_that_a_flag_names_and_others_may_read_is_used_with_a_warning() {
    let cli = Cli::new().unwrap();
    let path = cli.write("copy.json", &document(&[SignIn::new(0, PUBLIC).access_token(VAULT)])).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let run = cli.run(&[&GET[..], &["--source", "file:copy.json", "--output", "token"]].concat()).unwrap();
    assert_eq!((run.code, run.stdout), (Some(0), format!("{}\n", access_token(0, VAULT))));
    assert!(run.stderr.contains("chmod 600"), "{}", run.stderr);
}

#[test]
fn a_cache_that_others_may_read_is_refused_where_the_policy_says_so() {
    let cli = signed_in().unwrap();
    fs::set_permissions(cli.home().join(SHARED), fs::Permissions::from_mode(0o644)).unwrap();
    let grant = format!("{ANYTHING}[[caches]]\nsource = \"shared\"\nnames = [\"msal.cache\"]\naccess = \"read\"\n");
    let run = |policy: &str| {
        let policy = cli.write("policy.toml", policy).unwrap();
        cli.run(&[&GET[..], &["--source", "shared", "--policy", &policy]].concat()).unwrap()
    };
    let error = run(&format!("{grant}loose-permissions = \"refuse\"\n")).error(3).unwrap();
    assert_eq!(error["reason"], "cache-unavailable");
    assert!(error["message"].as_str().unwrap().contains("0644"), "{error}");

    for policy in [&grant, &format!("{grant}loose-permissions = \"warn\"\n")] {
        let warned = run(policy);
        assert_eq!(warned.code, Some(0), "{warned:?}");
        assert!(warned.stderr.contains("chmod 600"), "{}", warned.stderr);
    }
}

#[test]
fn a_cache_that_others_may_read_is_closed_to_them_by_the_next_write() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL)])).unwrap();
    let path = cli.home().join(SHARED);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(cli.redeem(&authority, &[]).unwrap().code, Some(0));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_symbolic_link_in_the_place_of_a_cache_is_refused() {
    let cli = Cli::new().unwrap();
    let target = cli.write("elsewhere.json", &document(&[SignIn::new(0, PUBLIC).access_token(VAULT)])).unwrap();
    fs::create_dir(cli.home().join(".IdentityService")).unwrap();
    symlink(&target, cli.home().join(SHARED)).unwrap();
    symlink(&target, cli.home().join("link.json")).unwrap();
    for source in ["shared", "file:link.json"] {
        let error = cli.run(&[&GET[..], &["--source", source]].concat()).unwrap().error(3).unwrap();
        assert_eq!(error["reason"], "cache-unavailable", "{source}");
        assert!(error["message"].as_str().unwrap().contains("symbolic link"), "{error}");
    }
}

#[test]
fn a_home_folder_behind_a_symbolic_link_is_fine() {
    let cli = signed_in().unwrap();
    let other = Cli::new().unwrap();
    let link = other.home().join("home");
    symlink(cli.home(), &link).unwrap();
    let mut linked = Cli::new().unwrap();
    linked.set("HOME", &link.display().to_string());
    assert_eq!(linked.run(&GET).unwrap().answer().unwrap()["token"], access_token(0, VAULT).as_str());
}

#[test]
fn a_token_arrives_though_another_program_holds_the_lock() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL)])).unwrap();
    let lock = format!("{SHARED}.lockfile");
    // This process is alive, so the lock is not stale.
    let content = format!("{} other-tool", std::process::id());
    let path = cli.write(&lock, &content).unwrap();
    let holder = fs::File::open(path).unwrap();
    holder.lock().unwrap();
    let run = cli.redeem(&authority, &["--output", "token"]).unwrap();
    assert_eq!((run.code, run.stdout), (Some(0), format!("{}\n", new_access_token(0))));
    assert!(run.stderr.contains("WARN") && run.stderr.contains("lock"), "{}", run.stderr);
    assert!(cli.read(SHARED).unwrap().contains(&refresh_token(0)));
    assert_eq!(cli.read(&lock).unwrap(), content, "the other program's lock is still there");
}

#[test]
fn a_symbolic_link_is_followed_to_a_file_that_the_policy_names_and_the_link_stays() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let cli = Cli::new().unwrap();
    let target = cli.write("mounted/cache.json", &document(&[SignIn::new(0, LOCAL)])).unwrap();
    let link = cli.write("link.json", "").unwrap();
    fs::remove_file(&link).unwrap();
    symlink(&target, &link).unwrap();
    let redeem = |more: &str| {
        let policy = format!(
            "authorities = [\"{}\"]\n{ANYTHING}[[caches]]\nsource = \"file:{link}\"\naccess = \"read-write\"\n{more}",
            authority.host()
        );
        let policy = cli.write("policy.toml", &policy).unwrap();
        cli.redeem(&authority, &["--source", "file:link.json", "--policy", &policy, "--output", "token"]).unwrap()
    };
    let refused = redeem("symlink-targets = [\"/elsewhere.json\"]\n");
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.stderr.contains("symlink-targets"), "{refused:?}");

    let served = redeem(&format!("symlink-targets = [\"{target}\"]\n"));
    assert_eq!((served.code, served.stdout), (Some(0), format!("{}\n", new_access_token(0))));
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(cli.read("mounted/cache.json").unwrap().contains(&new_access_token(0)), "it was written back");
}

#[test]
fn a_cache_of_another_user_is_refused_where_the_policy_does_not_let_it_pass() {
    let cli = signed_in().unwrap();
    // Only root can change a file's owner.
    if std::os::unix::fs::chown(cli.home().join(SHARED), Some(12_345), None).is_err() {
        eprintln!("skipped: only root can give a file to another user");
        return;
    }
    let error = cli.run(&GET).unwrap().error(3).unwrap();
    assert!(error["message"].as_str().unwrap().contains("another user"), "{error}");
    let grant = format!(
        "{ANYTHING}[[caches]]\nsource = \"shared\"\nnames = [\"msal.cache\"]\naccess = \"read\"\nother-owner = \"warn\"\n"
    );
    let policy = cli.write("policy.toml", &grant).unwrap();
    let run = cli.run(&[&GET[..], &["--source", "shared", "--policy", &policy]].concat()).unwrap();
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stderr.contains("WARN") && run.stderr.contains("another user"), "{}", run.stderr);
}
