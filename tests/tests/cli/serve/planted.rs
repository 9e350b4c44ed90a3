//! Token files in folders in which other programs have their hands.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use shared_token_cache_tests::cli::{Cli, SHARED};
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
fn what_takes_the_place_of_a_token_file_is_replaced_and_neither_followed_nor_waited_for() {
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
    agent.until("the warning", || agent.said().contains("can't be written"));
    std::thread::sleep(Duration::from_millis(2500));
    assert_eq!(agent.said().matches("can't be written").count(), 1, "{}", agent.said());
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
fn what_a_killed_agent_left_is_removed_at_the_start() {
    let (cli, folder) = shared();
    let left = folder.join(".token-abcdefghijkl0123.tmp");
    fs::write(&left, "a token").unwrap();
    let agent = Agent::start(&cli, &policy(LOCAL), GRAPH_FILE);
    agent.until_file("shared/g", &access_token(1, GRAPH));
    assert!(!left.exists());
    assert!(agent.end().contains("was left by an agent that was killed, and is removed"));
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

/// In a namespace of its own, so that root is held to it too.
#[cfg(target_os = "linux")]
#[test]
fn a_mounted_file_and_a_read_only_folder_are_refused_at_the_start() {
    for (script, says) in [
        (
            "touch shared/g one; mount --bind one shared/g",
            "mounted as a single file, which can't be replaced; mount its folder",
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
    // The folder, the token, and one file more; `sleep` shows the namespace to this test.
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
