use std::fs;
use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use super::*;

const LARGEST: u64 = 1000;

/// Files that are not regular, each with the word that its error contains.
fn others(folder: &Path) -> Vec<(PathBuf, &'static str)> {
    let at = |name: &str| folder.join(name);
    assert!(std::process::Command::new("mkfifo").arg(at("fifo")).status().unwrap().success());
    fs::create_dir(at("folder")).unwrap();
    drop(UnixListener::bind(at("socket")).unwrap());
    vec![(at("fifo"), "a FIFO"), (at("folder"), "a folder"), (at("socket"), "a socket")]
}

#[test]
fn a_file_that_is_not_regular_is_named_at_once_in_both_modes() {
    let folder = tempfile::tempdir().unwrap();
    for (path, word) in others(folder.path()) {
        for error in [append(&path).unwrap_err(), read_input(&path, LARGEST).unwrap_err()] {
            assert!(error.to_string().contains(word), "{}: {error}", path.display());
        }
        // A link to it is refused as well.
        let link = folder.path().join("link");
        symlink(&path, &link).unwrap();
        assert!(read_input(&link, LARGEST).unwrap_err().to_string().contains(word), "{}", path.display());
        fs::remove_file(link).unwrap();
    }
    assert!(read_input(Path::new("/dev/zero"), LARGEST).unwrap_err().to_string().contains("a device"));
    append(Path::new("/dev/null")).unwrap().write_all(b"1").unwrap();
}

#[test]
fn a_link_leads_to_an_input_and_not_to_a_file_that_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (target, link, second) = (folder.path().join("target"), folder.path().join("link"), folder.path().join("2"));
    fs::write(&target, "precious").unwrap();
    symlink(&target, &link).unwrap();
    assert_eq!(read_input(&link, LARGEST).unwrap(), b"precious");
    assert!(append(&link).unwrap_err().to_string().contains("symbolic link; name the file"));
    symlink(folder.path().join("missing"), &second).unwrap();
    assert!(append(&second).is_err());
    assert!(!folder.path().join("missing").exists(), "nothing is made behind a link");
    fs::remove_file(&second).unwrap();
    fs::hard_link(&target, &second).unwrap();
    assert!(append(&target).unwrap_err().to_string().contains("it has 2 names"));
    assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
}

#[test]
fn a_file_of_another_user_is_not_written_unless_its_folder_is_that_users() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    append(&path).unwrap().write_all(b"1").unwrap();
    std::os::unix::fs::chown(&path, Some(65533), None).unwrap();
    assert!(append(&path).unwrap_err().to_string().contains("another user (id 65533)"));
    std::os::unix::fs::chown(folder.path(), Some(65533), None).unwrap();
    append(&path).unwrap().write_all(b"2").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "12");
}

#[test]
fn a_created_file_is_its_owners_only_and_blocks() {
    let folder = tempfile::tempdir().unwrap();
    let file = append(&folder.path().join("new")).unwrap();
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    assert!(!rustix::fs::fcntl_getfl(&file).unwrap().contains(rustix::fs::OFlags::NONBLOCK));
    assert!(rustix::io::fcntl_getfd(&file).unwrap().contains(rustix::io::FdFlags::CLOEXEC));
}

#[test]
fn a_pipe_of_the_shell_is_an_input_and_takes_what_is_appended() {
    let (reader, mut writer) = io::pipe().unwrap();
    let late = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(20));
        writer.write_all(b"late").unwrap();
    });
    let path = PathBuf::from(format!("/dev/fd/{}", reader.as_raw_fd()));
    assert_eq!(read_input(&path, LARGEST).unwrap(), b"late", "the reader waits for the writer");
    late.join().unwrap();

    let (reader, writer) = io::pipe().unwrap();
    append(Path::new(&format!("/dev/fd/{}", writer.as_raw_fd()))).unwrap().write_all(b"line").unwrap();
    drop(writer);
    assert_eq!(read_bounded(reader, LARGEST).unwrap(), b"line");
}

#[test]
fn an_input_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large");
    fs::write(&path, vec![b'x'; 1000]).unwrap();
    assert_eq!(read_input(&path, LARGEST).unwrap().len(), 1000);
    assert!(read_input(&path, 999).unwrap_err().to_string().contains("more than 999 bytes"));
}

#[test]
fn a_path_of_a_descriptor_is_recognised_by_its_form() {
    for (path, inherited) in [
        ("/dev/stdin", true),
        ("/dev/fd/63", true),
        ("/proc/self/fd/0", true),
        ("/dev/fd/", false),
        ("/dev/fd/../null", false),
        ("/dev/null", false),
        ("dev/stdin", false),
        ("/dev/fd/63/x", false),
        ("/tmp/dev/stdin", false),
    ] {
        assert_eq!(is_inherited(Path::new(path)), inherited, "{path}");
    }
}

#[test]
fn a_file_that_other_users_may_change_is_reported_with_the_hint() {
    let folder = tempfile::tempdir().unwrap();
    let (inner, path, link) = (folder.path().join("in"), folder.path().join("in/policy"), folder.path().join("link"));
    fs::create_dir(&inner).unwrap();
    fs::write(&path, "").unwrap();
    symlink(&path, &link).unwrap();
    let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    for (file, around, says) in [
        (0o644, 0o755, None),
        (0o600, 0o700, None),
        (0o664, 0o755, Some("its mode is 0664; run `chmod go-w`")),
        (0o602, 0o755, Some("its mode is 0602")),
        (0o644, 0o1777, None),
        (0o644, 0o777, Some("in is 0777; run `chmod go-w`")),
        (0o644, 0o770, Some("in is 0770")),
    ] {
        set(&path, file);
        set(&inner, around);
        for named in [&path, &link] {
            let said = exposed(named);
            assert!(said.is_some() == says.is_some(), "{file:o} {around:o}: {said:?}");
            assert!(said.unwrap_or_default().contains(says.unwrap_or_default()), "{file:o} {around:o}");
        }
    }
    set(&inner, 0o700);
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(&path, Some(65533), None).unwrap();
        assert!(exposed(&path).unwrap().contains("another user (id 65533)"));
        std::os::unix::fs::chown(&path, Some(0), None).unwrap();
        std::os::unix::fs::chown(&inner, Some(65533), None).unwrap();
        assert!(exposed(&link).unwrap().contains("in belongs to another user"));
    }
    assert_eq!(exposed(Path::new("/dev/stdin")), None);
}
