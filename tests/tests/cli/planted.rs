//! Other kinds of files in place of the command line's files, and documents that come through a
//! pipe.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use shared_token_cache_tests::cli::{ANYTHING, Cli, Run, program};
use shared_token_cache_tests::sign_in::{PUBLIC, SignIn, VAULT, access_token, document};

fn signed_in() -> Cli {
    Cli::with_shared(&document(&[SignIn::new(0, PUBLIC).access_token(VAULT)])).unwrap()
}

fn policy() -> String {
    format!(
        "authorities = [\"{PUBLIC}\"]\n{ANYTHING}[[caches]]\nsource = \"shared\"\nnames = [\"msal.cache\"]\n\
         access = \"read\"\n"
    )
}

/// Runs the program with this text on its stdin.
fn piped(cli: &Cli, arguments: &[&str], stdin: &str) -> Run {
    let mut command = cli.command(&program().unwrap());
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let sent = process.stdin.take().unwrap().write_all(stdin.as_bytes());
    let output = process.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let run = Run { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) };
    assert!(sent.is_ok() || run.code != Some(0), "{sent:?}: {run:?}");
    run
}

#[test]
fn a_fifo_a_folder_and_a_device_in_place_of_a_file_are_reported_at_once() {
    let cli = signed_in();
    cli.write("folder/x", "").unwrap();
    assert!(Command::new("mkfifo").arg(cli.home().join("fifo")).status().unwrap().success());
    for (path, what) in [("fifo", "a FIFO"), ("folder", "a folder"), ("/dev/zero", "a device")] {
        // Only root can make a character device, and `/dev/null` is a valid audit file.
        let written = if path == "/dev/zero" { &[] as &[&str] } else { &["--audit"] };
        for option in [&["--policy", "--authentication-record", "--ca-file", "--component"], written].concat() {
            let start = Instant::now();
            let run = cli.run(&["get-token", "--scope", VAULT, option, path]).unwrap();
            let error = run.error(2).unwrap();
            assert!(start.elapsed() < Duration::from_secs(10), "{option} {path} waits");
            let message = error["message"].as_str().unwrap();
            assert!(message.contains(&format!("it is {what}, not a regular file")), "{option} {path}: {message}");
            assert!(message.contains(path), "{option} {path}: {message}");
        }
    }
}

#[test]
fn a_link_is_followed_for_reading_and_refused_for_writing() {
    let cli = signed_in();
    cli.write("policy.toml", &policy()).unwrap();
    cli.write("precious", "x").unwrap();
    symlink("policy.toml", cli.home().join("link.toml")).unwrap();
    symlink("precious", cli.home().join("audit")).unwrap();
    let run = cli.run(&["get-token", "--scope", VAULT, "--policy", "link.toml"]).unwrap();
    assert_eq!(run.answer().unwrap()["token"], access_token(0, VAULT).as_str());
    let error = cli.run(&["get-token", "--scope", VAULT, "--audit", "audit"]).unwrap().error(2).unwrap();
    assert!(error["message"].as_str().unwrap().contains("it is a symbolic link; name the file"), "{error}");
    assert_eq!(cli.read("precious").unwrap(), "x");
}

#[test]
fn a_policy_comes_through_a_pipe_too() {
    let cli = signed_in();
    for path in ["-", "/dev/stdin", "/dev/fd/0"] {
        let run = piped(&cli, &["get-token", "--scope", VAULT, "--policy", path], &policy());
        assert_eq!(run.answer().unwrap()["token"], access_token(0, VAULT).as_str(), "{path}");
    }
    let run = piped(&cli, &["policy", "check", "-"], "scopes = 7\n");
    assert!(run.code == Some(2) && run.stdout.starts_with("<stdin>:1:10: `scopes`"), "{run:?}");
    let run = piped(&cli, &["policy", "check", "-"], "");
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), "<stdin>: ok\n"));
    let run = piped(&cli, &["policy", "show", "--policy", "-"], &"#".repeat((1 << 20) + 1));
    assert!(run.code == Some(2) && run.stderr.contains("<stdin>: it has more than 1048576 bytes"));
}

#[test]
fn the_audit_goes_to_a_descriptor_of_the_shell() {
    let cli = signed_in();
    let run = cli.run(&["get-token", "--scope", VAULT, "--output", "token", "--audit", "/dev/stderr"]).unwrap();
    assert_eq!(run.stdout, access_token(0, VAULT) + "\n");
    assert!(run.stderr.lines().any(|line| line.starts_with('{') && line.contains("\"cached\"")), "{run:?}");
}

#[test]
fn a_policy_that_others_may_write_is_a_warning_with_the_hint() {
    let cli = signed_in();
    cli.write("policies/policy.toml", &policy()).unwrap();
    let (folder, path) = (cli.home().join("policies"), cli.home().join("policies/policy.toml"));
    let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    for (file, around, says) in [
        (0o644, 0o755, None),
        (0o666, 0o755, Some("policies/policy.toml may be changed by other users: its mode is 0666; run `chmod go-w`")),
        (0o644, 0o777, Some("the mode of the folder policies is 0777; run `chmod go-w`")),
    ] {
        set(&path, file);
        set(&folder, around);
        for arguments in [&["get-token", "--scope", VAULT, "--policy"] as &[&str], &["policy", "check"]] {
            let run = cli.run(&[arguments, &["policies/policy.toml"]].concat()).unwrap();
            assert_eq!(run.code, Some(0), "{run:?}");
            assert_eq!(run.stderr.is_empty(), says.is_none(), "{run:?}");
            assert!(run.stderr.contains(says.unwrap_or_default()), "{run:?}");
        }
    }
}
