use std::fs;

use super::*;

use tempfile::TempDir;

const POLICY: &str = r#"
authorities = ["login.microsoftonline.com", "localhost:8443"]
scopes = ["https://graph.microsoft.com/.default"]
tenants = ["*"]
accounts = ["*"]
client-ids = ["*"]

[[caches]]
source = "shared"
names = ["msal.cache"]
access = "read"

[[profiles]]
name = "entra/graph"
source = "shared"
scopes = ["https://graph.microsoft.com/.default"]

[[profiles]]
name = "public"
source = "shared"
authority = "login.microsoftonline.com"
scopes = ["https://graph.microsoft.com/.default"]
"#;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("policy.toml", POLICY);
        folder
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Reads a configuration; `DIR` in it is this folder.
    fn read(&self, text: &str) -> Result<Checked, Mistakes> {
        Checked::read(text.replace("DIR", self.0.path().to_str().unwrap()).as_bytes())
    }

    fn mistakes(&self, text: &str) -> String {
        self.read(text).unwrap_err().join("\n").replace(self.0.path().to_str().unwrap(), "DIR")
    }
}

#[test]
fn a_policy_and_a_profile_are_enough() {
    let checked = Folder::new().read(r#"{"policy": "DIR/policy.toml", "profile": "entra/graph"}"#).unwrap();
    assert_eq!(checked.profile.name().as_str(), "entra/graph");
    assert_eq!((checked.authority, checked.ca_file, checked.component, checked.audit), (None, None, None, None));
}

#[test]
fn the_authority_is_for_a_profile_that_names_none() {
    let folder = Folder::new();
    for (profile, expected) in [("entra/graph", Some("localhost:8443")), ("public", None)] {
        let text = r#"{"policy": "DIR/policy.toml", "profile": "PROFILE", "authority": "localhost:8443"}"#;
        let checked = folder.read(&text.replace("PROFILE", profile)).unwrap();
        assert_eq!(checked.authority.as_deref(), expected, "{profile}");
    }
}

#[test]
fn every_mistake_is_reported() {
    let folder = Folder::new();
    folder.write("bad.toml", "nonsense = 1\n[[profiles]]\nname = \"a b\"\nsource = \"shared\"\nscopes = [\"*\"]\n");
    folder.write("empty.toml", "");
    assert!(std::process::Command::new("mkfifo").arg(folder.0.path().join("fifo")).status().unwrap().success());
    for (text, expected) in [
        ("", "EOF while parsing"),
        ("graph", "cannot parse it"),
        ("[]", "cannot parse it"),
        ("{}", "missing field `policy`"),
        (r#"{"policy": "DIR/policy.toml"}"#, "missing field `profile`"),
        (r#"{"policy": "DIR/policy.toml", "profile": "entra/graph", "scope": "x"}"#, "unknown field `scope`"),
        (r#"{"policy": "DIR/policy.toml", "profile": 1}"#, "invalid type"),
        (r#"{"policy": "no/such.toml", "profile": "x"}"#, "no/such.toml cannot be read: No such file"),
        (r#"{"policy": "DIR/none.toml", "profile": "entra/graph"}"#, "DIR/none.toml cannot be read: No such file"),
        (r#"{"policy": "DIR/bad.toml", "profile": "entra/graph"}"#, "DIR/bad.toml:1:1: `nonsense`"),
        (r#"{"policy": "DIR/bad.toml", "profile": "entra/graph"}"#, "DIR/bad.toml:3:8: `profiles[0].name`"),
        (r#"{"policy": "DIR/bad.toml", "profile": "entra/graph"}"#, "DIR/bad.toml:5:11: `profiles[0].scopes[0]`"),
        (r#"{"policy": "DIR/policy.toml", "profile": "graph"}"#, "no profile \"graph\"; it has entra/graph, public"),
        (r#"{"policy": "DIR/empty.toml", "profile": "graph"}"#, "no profile \"graph\"; it has none"),
        (r#"{"policy": "DIR/policy.toml", "profile": "entra/graph", "authority": "evil.example"}"#, "`authorities`"),
        (r#"{"policy": "DIR/policy.toml", "profile": "entra/graph", "authority": "a b"}"#, "`authority`: "),
        (
            r#"{"policy": "DIR/policy.toml", "profile": "entra/graph", "ca_file": "DIR/ca.pem"}"#,
            "DIR/ca.pem cannot be read",
        ),
        (r#"{"policy": "DIR/fifo", "profile": "x"}"#, "DIR/fifo cannot be read: it is a FIFO"),
        (
            r#"{"policy": "DIR/policy.toml", "profile": "entra/graph", "component": "/dev/zero"}"#,
            "/dev/zero cannot be read: it is a device",
        ),
        (
            r#"{"policy": "DIR/policy.toml", "profile": "entra/graph", "component": "DIR/x.wasm"}"#,
            "DIR/x.wasm cannot be read",
        ),
    ] {
        let mistakes = folder.mistakes(text);
        assert!(mistakes.contains(expected), "{text}\n{mistakes}");
    }
}

#[test]
fn a_profile_that_the_policy_does_not_allow_is_a_mistake() {
    let folder = Folder::new();
    folder.write(
        "policy.toml",
        &POLICY.replace("scopes = [\"https://graph.microsoft.com/.default\"]\ntenants", "tenants"),
    );
    let mistakes = folder.mistakes(r#"{"policy": "DIR/policy.toml", "profile": "entra/graph"}"#);
    assert!(mistakes.contains("DIR/policy.toml:15:") && mistakes.contains("list it under `scopes`"), "{mistakes}");
}

#[test]
fn configurations_are_equal_as_long_as_their_files_are() {
    let folder = Folder::new();
    let text = r#"{"policy": "DIR/policy.toml", "profile": "entra/graph", "ca_file": "DIR/ca.pem"}"#;
    folder.write("ca.pem", "a");
    let first = folder.read(text).unwrap().contents;
    assert_eq!(folder.read(text).unwrap().contents, first);
    folder.write("ca.pem", "b");
    assert_ne!(folder.read(text).unwrap().contents, first);
    folder.write("ca.pem", "a");
    assert_eq!(folder.read(&text.replace(": \"", ":   \"")).unwrap().contents, first);
    folder.write("policy.toml", &format!("{POLICY}\n[limits]\ncall-seconds = 5\n"));
    assert_ne!(folder.read(text).unwrap().contents, first);
    assert_ne!(folder.read(&text.replace("entra/graph", "public")).unwrap().contents, first);
}
