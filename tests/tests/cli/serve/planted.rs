//! Token files in folders that other programs write to.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use shared_token_cache_tests::cli::{Cli, SHARED, SHARED_CAE};
use shared_token_cache_tests::sign_in::{GRAPH, LOCAL, SignIn, VAULT, access_token, document};

use super::agent::{Agent, policy};
use super::signed_in;

const GRAPH_FILE: &[&str] = &["--token-file", "graph=shared/g"];

/// A home with a folder for the token of user 1.
fn shared() -> (Cli, PathBuf) {
    let cli = signed_in();
    let folder = cli.home().join("shared");
    fs::create_dir(&folder).unwrap();
    (cli, folder)
}

fn sign_user_1_out(agent: &Agent<'_>) {
    agent.write(SHARED, &document(&[SignIn::new(0, LOCAL).access_token(VAULT)]));
}

fn mkfifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn content(mut file: &File) -> String {
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_link_or_fifo_in_place_of_a_token_file_is_replaced_and_neither_followed_nor_opened() {
    let plants: [fn(&Path, &Path); 3] = [
        |path, precious| symlink(precious, path).unwrap(),
        |path, _| mkfifo(path),
        |path, precious| fs::hard_link(precious, path).unwrap(),
    ];
    for plant in plants {
        for folder_mode in [0o755, 0o555] {
            let (cli, folder) = shared();
            let precious = cli.write("precious", "x").unwrap();
            let agent = Agent::start(&cli, &policy(LOCAL), GRAPH_FILE);
            agent.until_file("shared/g", &access_token(1, GRAPH));
            let (path, view) = (folder.join("g"), File::open(folder.join("g")).unwrap());
            fs::remove_file(&path).unwrap();
            plant(&path, &cli.home().join(&precious));
            fs::set_permissions(&folder, fs::Permissions::from_mode(folder_mode)).unwrap();
            sign_user_1_out(&agent);
            agent.until("the withdrawal", || view.metadata().unwrap().len() == 0);
            agent.end();
            assert_eq!(cli.read("precious").unwrap(), "x");
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
}

#[test]
fn a_folder_that_vanishes_is_one_line_in_the_log_and_one_when_it_is_back() {
    let (cli, folder) = shared();
    let both = cli.read(SHARED).unwrap();
    let agent = Agent::start(&cli, &policy(LOCAL), GRAPH_FILE);
    agent.until_file("shared/g", &access_token(1, GRAPH));
    let gone = cli.home().join("gone");
    sign_user_1_out(&agent);
    agent.until_file("shared/g", "");
    fs::rename(&folder, &gone).unwrap();
    agent.write(SHARED, &both);
    agent.until("the warning", || agent.said().contains("cannot write the token file"));
    std::thread::sleep(Duration::from_millis(2500));
    assert_eq!(agent.said().matches("cannot write the token file").count(), 1, "{}", agent.said());
    fs::rename(&gone, &folder).unwrap();
    agent.until_file("shared/g", &access_token(1, GRAPH));
    let said = agent.end();
    assert_eq!(said.matches("the token file shared/g is written again").count(), 1, "{said}");
}

#[test]
fn a_file_that_a_reader_has_open_since_the_first_token_is_withdrawn_too() {
    let (cli, folder) = shared();
    let both = cli.read(SHARED).unwrap();
    let agent = Agent::start(&cli, &policy(LOCAL), GRAPH_FILE);
    agent.until_file("shared/g", &access_token(1, GRAPH));
    let first = File::open(folder.join("g")).unwrap();
    agent.write(SHARED, &both.replace(&access_token(1, GRAPH), "made-up-newer"));
    agent.until_file("shared/g", "made-up-newer");
    assert_eq!(content(&first), access_token(1, GRAPH), "a reader has the token whole, however slow he is");
    agent.signal("TERM");
    agent.until("the withdrawal", || first.metadata().unwrap().len() == 0);
    agent.wait();
}

#[test]
fn files_of_a_killed_agent_are_removed_at_the_start() {
    let (cli, folder) = shared();
    let left = folder.join(".token-abcdefghijkl0123.tmp");
    fs::write(&left, "a token").unwrap();
    let agent = Agent::start(&cli, &policy(LOCAL), GRAPH_FILE);
    agent.until_file("shared/g", &access_token(1, GRAPH));
    assert!(!left.exists());
    assert!(agent.end().contains("which a killed agent left behind"));
}

#[test]
fn a_mode_and_a_group_let_a_proxy_read() {
    let (cli, folder) = shared();
    let group = if fs::metadata("/proc/self").unwrap().uid() == 0 { 101 } else { fs::metadata(&folder).unwrap().gid() };
    let readers = ["--token-file-mode", "0640", "--token-file-group", &group.to_string()];
    let agent = Agent::start(&cli, &policy(LOCAL), &[GRAPH_FILE, &readers].concat());
    agent.until_file("shared/g", &access_token(1, GRAPH));
    let readable = || {
        let metadata = fs::metadata(folder.join("g")).unwrap();
        assert_eq!((metadata.mode() & 0o7777, metadata.gid()), (0o640, group));
    };
    readable();
    sign_user_1_out(&agent);
    agent.until_file("shared/g", "");
    readable();
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing is left beside it");
    agent.end();
}

#[test]
fn a_folder_in_which_others_may_write_is_a_warning() {
    let (cli, folder) = shared();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    let agent = Agent::start(&cli, &policy(LOCAL), GRAPH_FILE);
    agent.until_file("shared/g", &access_token(1, GRAPH));
    let said = agent.end();
    assert!(said.contains("may be replaced by other users: the mode of the folder shared is 0777"), "{said}");
    // Only root can write into the folder of another user.
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    if std::os::unix::fs::chown(&folder, Some(65533), None).is_ok() {
        let agent = Agent::start(&cli, &policy(LOCAL), GRAPH_FILE);
        agent.until_file("shared/g", &access_token(1, GRAPH));
        let said = agent.end();
        assert!(said.contains("the folder shared belongs to another user (id 65533)"), "{said}");
        assert_eq!(cli.read("shared/g").unwrap(), "");
    }
}

/// In a mount namespace of its own, so that it applies to root as well.
#[cfg(target_os = "linux")]
#[test]
fn a_mounted_file_and_a_read_only_folder_are_refused_at_the_start() {
    for (script, says) in [
        (
            "touch shared/g one; mount --bind one shared/g",
            "mounted as a single file, which cannot be replaced; mount its folder",
        ),
        ("mount --bind shared shared; mount -o remount,bind,ro shared", "make its folder writable"),
        ("mount -t tmpfs -o nr_inodes=1 none shared", "No space left on device"),
    ] {
        let (cli, _folder) = shared();
        let Some(agent) = Agent::start_in_namespace(&cli, &policy(LOCAL), GRAPH_FILE, script) else { return };
        let (code, said) = agent.wait();
        assert!(
            code == Some(2) && said.contains(says) && said.contains("--token-file graph=shared/g"),
            "{script}: {said}"
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_withdrawal_on_a_full_disk_empties_the_file() {
    let (cli, _folder) = shared();
    // The file system has room for the folder, the token and one more file; `sleep` keeps the
    // namespace visible to this test.
    let script = "mount -t tmpfs -o nr_inodes=3,size=64k none shared\nsleep 100 & echo $! > inside";
    let Some(agent) = Agent::start_in_namespace(&cli, &policy(LOCAL), GRAPH_FILE, script) else { return };
    agent.until("the namespace", || cli.read("inside").is_ok_and(|number| number.ends_with('\n')));
    let inside = cli.read("inside").unwrap().trim().to_owned();
    let seen = Path::new("/proc").join(&inside).join("root").join(cli.home().strip_prefix("/").unwrap()).join("shared");
    let path = seen.join("g");
    agent.until("the token", || fs::read_to_string(&path).is_ok_and(|text| text == access_token(1, GRAPH)));
    fs::write(seen.join("filler"), "").unwrap();
    assert!(fs::write(seen.join("more"), "").is_err(), "the disk is full");
    sign_user_1_out(&agent);
    agent.until("the withdrawal", || fs::read_to_string(&path).is_ok_and(|text| text.is_empty()));
    assert!(Command::new("kill").arg(&inside).status().unwrap().success());
    agent.end();
}

#[test]
fn a_token_file_that_would_overwrite_another_file_is_refused_and_the_other_stays() {
    let cli = signed_in();
    let lock = format!("{SHARED}.lockfile");
    for (name, content) in [
        ("notes.txt", "some notes\n"),
        ("word.txt", "x"),
        ("agent.pid", "4711\n"),
        ("empty-ca.pem", ""),
        ("a.jsonl", ""),
        ("settings.toml", "name=1\n"),
        (&lock, ""),
    ] {
        cli.write(name, content).unwrap();
    }
    fs::hard_link(cli.home().join(SHARED), cli.home().join("second-name")).unwrap();
    symlink(cli.home().join(".IdentityService"), cli.home().join("detour")).unwrap();
    let before = |name: &str| cli.read(name).ok();
    cli.write("policy.toml", &policy(LOCAL)).unwrap();
    for (path, says) in [
        (SHARED, "it is the cache "),
        ("second-name", "it is the cache "),
        ("detour/msal.cache.nocae", "it is the cache "),
        ("detour/msal.cache.cae", "it is the cache "),
        (".azure/msal_token_cache.json", "it is the cache "),
        (&lock, "it is the lock of the cache "),
        ("policy.toml", "it is the policy"),
        ("empty-ca.pem", "it is the CA file"),
        ("a.jsonl", "it is the audit file"),
        ("run/s.sock", "it is the socket of `--sds`"),
        ("./other", "it is the token file of the profile graph"),
        ("notes.txt", "it holds something other than a token"),
        ("word.txt", "it holds something other than a token"),
        ("agent.pid", "it holds something other than a token"),
        ("settings.toml", "it holds something other than a token"),
    ] {
        let was = before(path);
        let file = format!("vault={path}");
        let arguments = ["--token-file", "graph=other", "--token-file", &file, "--audit", "a.jsonl"];
        let more = ["--ca-file", "empty-ca.pem", "--sds", "unix:run/s.sock"];
        let (code, said) = Agent::start(&cli, &policy(LOCAL), &[&arguments[..], &more].concat()).wait();
        assert!(code == Some(2) && said.contains(says) && said.contains(&file), "{path}: {said}");
        assert!(said.contains("choose another path"), "the hint: {said}");
        assert_eq!(before(path), was, "{path}");
    }
    // Files of a killed agent are no obstacle.
    cli.write("left", "eyJ0eXAiOiJKV1QifQ.e30.c2ln\n").unwrap();
    let agent = Agent::start(&cli, &policy(LOCAL), &["--token-file", "vault=left"]);
    agent.until_file("left", &access_token(0, VAULT));
    agent.end();
}

#[test]
fn an_audit_that_would_damage_another_file_is_refused_and_the_other_stays() {
    let cli = signed_in();
    cli.write("policy.toml", &policy(LOCAL)).unwrap();
    for (name, content) in
        [("notes.txt", "some notes\n"), ("record.json", ""), ("ca.pem", ""), ("v", "eyJ0eXAiOiJKV1QifQ.e30.c2ln")]
    {
        cli.write(name, content).unwrap();
    }
    let lock = format!("{SHARED}.lockfile");
    for (path, says) in [
        (SHARED, "it is the cache "),
        (SHARED_CAE, "it is the cache "),
        (&lock, "it is the lock of the cache "),
        ("policy.toml", "it is the policy"),
        ("ca.pem", "it is the CA file"),
        ("notes.txt", "it is not an audit file"),
        ("v", "it is"),
    ] {
        let was = cli.read(path).ok();
        let serve =
            ["serve", "--policy", "policy.toml", "--token-file", "vault=v", "--ca-file", "ca.pem", "--audit", path];
        let get = ["get-token", "--scope", VAULT, "--policy", "policy.toml", "--ca-file", "ca.pem", "--audit", path];
        for arguments in [&serve[..], &get] {
            let run = cli.run(arguments).unwrap();
            assert_eq!(run.code, Some(2), "{arguments:?}: {run:?}");
            let says = if path == "v" && arguments[0] == "get-token" { "it is not an audit file" } else { says };
            let shown = &run.stderr;
            assert!(shown.contains(says) && shown.contains(path) && shown.contains("choose another path"), "{shown}");
            assert_eq!(cli.read(path).ok(), was, "{arguments:?}");
        }
    }
    let record = ["--authentication-record", "record.json", "--audit", "record.json"];
    let error = cli.run(&[&["get-token", "--scope", VAULT], &record[..]].concat()).unwrap().error(2).unwrap();
    assert!(error["message"].as_str().unwrap().contains("it is the authentication record"), "{error}");
}

#[test]
fn a_token_file_that_was_removed_or_changed_is_written_again_within_seconds() {
    let (cli, folder) = shared();
    let agent = Agent::start(&cli, &policy(LOCAL), GRAPH_FILE);
    let (path, token) = (folder.join("g"), access_token(1, GRAPH));
    let changes: [fn(&Path); 5] = [
        |path| fs::remove_file(path).unwrap(),
        |path| fs::write(path, "x").unwrap(),
        |path| fs::write(path, "").unwrap(),
        |path| fs::set_permissions(path, fs::Permissions::from_mode(0o666)).unwrap(),
        |path| {
            fs::remove_dir_all(path.parent().unwrap()).unwrap();
            fs::create_dir(path.parent().unwrap()).unwrap();
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        agent.until_file("shared/g", &token);
        change(&path);
        let start = Instant::now();
        let shown = || agent.said().matches("another program has changed or removed the token file shared/g").count();
        agent.until("the line in the log", || shown() > number);
        assert!(start.elapsed() < Duration::from_secs(5), "{number}: {:?}", start.elapsed());
        agent.until_file("shared/g", &token);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        std::thread::sleep(Duration::from_millis(1500));
        assert_eq!(shown(), number + 1, "once for each change");
    }
    // Another file in its place is kept, and reported once.
    let precious = cli.write("precious", "some notes").unwrap();
    fs::rename(precious, &path).unwrap();
    agent.until("the warning", || agent.said().contains("it holds something other than a token"));
    std::thread::sleep(Duration::from_millis(2500));
    let said = agent.end();
    assert_eq!(said.matches("it holds something other than a token").count(), 1, "{said}");
    assert_eq!(cli.read("shared/g").unwrap(), "some notes");
}

#[test]
fn the_end_of_an_agent_leaves_the_file_of_the_one_that_was_started_after_it() {
    let (cli, _folder) = shared();
    let token = access_token(1, GRAPH);
    let first = Agent::start(&cli, &policy(LOCAL), GRAPH_FILE);
    first.until_file("shared/g", &token);
    let second = Agent::start_logging(&cli, &policy(LOCAL), GRAPH_FILE, "second.log");
    first.until("the second agent", || first.said().contains("another agent writes the token file shared/g"));
    first.end();
    assert_eq!(cli.read("shared/g").unwrap(), token, "it is the second agent's");
    second.end();
    assert_eq!(cli.read("shared/g").unwrap(), "");
}

#[test]
fn a_socket_and_an_audit_that_were_removed_are_there_again_within_seconds() {
    let cli = signed_in();
    let arguments = ["--sds", "unix:run/s.sock", "--token-file", "vault=v", "--audit", "logs/a.jsonl"];
    fs::create_dir(cli.home().join("logs")).unwrap();
    let agent = Agent::start(&cli, &policy(LOCAL), &arguments);
    agent.until_file("v", &access_token(0, VAULT));
    let (socket, audit) = (cli.home().join("run/s.sock"), cli.home().join("logs/a.jsonl"));
    agent.until("the audit", || audit.exists());
    for folders in [false, true] {
        if folders {
            fs::remove_dir_all(cli.home().join("run")).unwrap();
            fs::remove_dir_all(cli.home().join("logs")).unwrap();
            fs::create_dir(cli.home().join("logs")).unwrap();
        } else {
            fs::remove_file(&socket).unwrap();
            fs::remove_file(&audit).unwrap();
        }
        agent.until("both", || audit.exists() && UnixStream::connect(&socket).is_ok());
    }
    let said = agent.end();
    assert_eq!(said.matches("the socket run/s.sock; binding it again").count(), 2, "{said}");
    assert_eq!(said.matches("has renamed or removed the audit file logs/a.jsonl").count(), 2, "{said}");
    assert!(!socket.exists());
}
