//! Readers of token files besides their owner: a mode and a group.

use std::fs::File;
use std::io;

/// The mode and the group of token files. By default only the owner has access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Readers {
    pub(crate) mode: Mode,
    pub(crate) group: Option<Group>,
}

/// The mode of a file that its owner can read, and no other user can write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mode(u32);

/// The number of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Group(u32);

impl Default for Readers {
    fn default() -> Self {
        Self { mode: Mode(0o600), group: None }
    }
}

impl Readers {
    /// Sets the group and the mode of a new file, before it gets its name.
    #[cfg(unix)]
    pub(super) fn admit(self, new: &File) -> io::Result<()> {
        use std::os::unix::fs::PermissionsExt as _;
        if let Some(Group(group)) = self.group {
            std::os::unix::fs::fchown(new, None, Some(group)).map_err(|error| match error.kind() {
                io::ErrorKind::PermissionDenied => io::Error::new(
                    error.kind(),
                    format!("cannot set the group {group} ({error}); choose a group that the agent's user is in"),
                ),
                _ => error,
            })?;
        }
        new.set_permissions(std::fs::Permissions::from_mode(self.mode.0))
    }

    /// On Windows the folder's permissions decide.
    #[cfg(not(unix))]
    pub(super) fn admit(self, _new: &File) -> io::Result<()> {
        Ok(())
    }

    /// A warning about an unusual choice.
    pub(crate) fn doubt(self) -> Option<String> {
        let Mode(mode) = self.mode;
        if mode & 0o004 != 0 {
            return Some(format!("--token-file-mode {mode:04o} lets every user of this machine read the tokens"));
        }
        (self.group.is_some() && mode & 0o040 == 0)
            .then(|| format!("--token-file-group has no effect with the mode {mode:04o}; add --token-file-mode 0640"))
    }
}

impl std::str::FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if cfg!(not(unix)) {
            return Err("files have no modes here; the access list of their folder says who may read them".into());
        }
        let digits = (3..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        let mode = u32::from_str_radix(text, 8).ok().filter(|_| digits);
        match mode.ok_or("write it in octal, such as 0640")? {
            mode if mode & !0o666 != 0 => {
                Err("a token file is neither run nor has special bits; choose for example 0640".into())
            }
            mode if mode & 0o022 != 0 => Err("other users could write the file; choose for example 0640".into()),
            mode if mode & 0o400 == 0 => Err("its owner could not read the file; choose for example 0640".into()),
            mode => Ok(Self(mode)),
        }
    }
}

impl std::str::FromStr for Group {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if cfg!(not(unix)) {
            return Err("files have no group here; the access list of their folder says who may read them".into());
        }
        // -1 as a group means "unchanged" to `chown`.
        let number = |text: &str| text.parse().ok().filter(|number| *number != u32::MAX);
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return number(text).map(Self).ok_or("it is not the number of a group".into());
        }
        let groups = std::fs::read("/etc/group").unwrap_or_default();
        number_of(text, &String::from_utf8_lossy(&groups))
            .and_then(number)
            .map(Self)
            .ok_or("/etc/group has no such group; give one that a directory service knows by its number".into())
    }
}

/// The number of a group in `/etc/group`: `name:password:number:members`.
fn number_of<'a>(name: &str, groups: &'a str) -> Option<&'a str> {
    let mut groups = groups.lines().map(|line| line.split(':'));
    groups.find_map(|mut fields| (fields.next() == Some(name)).then(|| fields.nth(1)).flatten())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_lets_no_other_user_write_and_the_owner_read() {
        for (text, mode) in [("0600", 0o600), ("640", 0o640), ("0444", 0o444), ("0440", 0o440)] {
            assert_eq!(text.parse(), Ok(Mode(mode)), "{text}");
        }
        for (text, why) in [
            ("0660", "other users could write"),
            ("0602", "other users could write"),
            ("0040", "owner could not read"),
            ("0200", "owner could not read"),
            ("0740", "neither run"),
            ("4640", "neither run"),
            ("0o640", "octal"),
            ("0680", "octal"),
            ("+640", "octal"),
            ("u=rw", "octal"),
            ("", "octal"),
            ("00640", "octal"),
        ] {
            let error = text.parse::<Mode>().unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn a_group_is_a_number_or_a_name_of_the_systems_file() {
        assert_eq!("101".parse(), Ok(Group(101)));
        for text in ["4294967295", "4294967296", "", "-1", "no-such-group", "root:x"] {
            assert!(text.parse::<Group>().is_err(), "{text}");
        }
        let groups = "root:x:0:\n# a comment\nenvoy:x:101:user0,user1\nshort\n";
        for (name, number) in [("envoy", Some("101")), ("root", Some("0")), ("short", None), ("user0", None)] {
            assert_eq!(number_of(name, groups), number, "{name}");
        }
    }

    #[test]
    fn an_unusual_choice_causes_a_warning() {
        let readers = |mode: &str, group| Readers { mode: mode.parse().unwrap(), group }.doubt();
        assert_eq!(readers("0640", Some(Group(101))), None);
        assert_eq!(readers("0600", None), None);
        assert!(readers("0644", None).unwrap().contains("every user"));
        assert!(readers("0600", Some(Group(101))).unwrap().contains("--token-file-mode 0640"));
    }
}
