use super::*;

use std::cell::RefCell;

struct Fake {
    only_validates: bool,
    counters: RefCell<Vec<String>>,
}

impl Define for Fake {
    fn counter(&self, name: &str) -> Option<usize> {
        let mut counters = self.counters.borrow_mut();
        counters.push(name.to_owned());
        Some(counters.len())
    }
}

impl Setup for Fake {
    fn only_validates(&self) -> bool {
        self.only_validates
    }
}

fn read(only_validates: bool, name: &str, text: &str) -> Result<Config, Mistakes> {
    Config::read(&Fake { only_validates, counters: RefCell::default() }, name.as_bytes(), text.as_bytes())
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let cache = folder.path("cache.json");
        let policy = format!(
            r#"
            authorities = ["localhost:1"]
            scopes = ["https://graph.microsoft.com/.default"]
            tenants = ["*"]
            accounts = ["*"]
            client-ids = ["*"]

            [[caches]]
            source = "file:{cache}"
            access = "read"

            [[profiles]]
            name = "graph"
            source = "file:{cache}"
            scopes = ["https://graph.microsoft.com/.default"]
            "#
        );
        std::fs::write(folder.path("policy.toml"), policy).unwrap();
        folder
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn text(&self, more: &str) -> String {
        format!(r#"{{"policy": "{}", "profile": "graph"{more}}}"#, self.path("policy.toml"))
    }
}

#[test]
fn another_filter_name_is_refused() {
    let folder = Folder::new();
    for name in ["", "entra-token", "entra_token2"] {
        let mistakes = read(true, name, &folder.text("")).err().unwrap();
        assert_eq!(
            mistakes,
            [format!("there is no filter {name:?} in this module; its `filter_name` is \"entra_token\"")]
        );
    }
}

#[test]
fn a_mistake_names_the_filter() {
    let mistakes = read(true, FILTER, "{").err().unwrap();
    assert!(mistakes[0].starts_with("the configuration of entra_token: cannot parse it: EOF"), "{mistakes:?}");
}

#[test]
fn validation_checks_and_starts_nothing() {
    let folder = Folder::new();
    let audit = folder.path("audit.jsonl");
    let config = read(true, FILTER, &folder.text(&format!(r#", "audit": "{audit}""#))).unwrap();
    assert!(config.current().is_none());
    let Counters { injected, failed, refreshed } = config.counters;
    assert_eq!((injected, failed, refreshed), (1, 2, 3));
    assert!(!std::path::Path::new(&audit).exists());
    assert!(read(true, FILTER, &folder.text(r#", "nonsense": 1"#)).is_err());
}

#[test]
fn equal_configurations_share_a_token() {
    let folder = Folder::new();
    let first = read(false, FILTER, &folder.text("")).unwrap();
    let reloaded = read(false, FILTER, &folder.text("")).unwrap();
    let other = read(false, FILTER, &folder.text(r#", "authority": "localhost:1""#)).unwrap();
    let (a, b, c) = (first.injector.unwrap(), reloaded.injector.unwrap(), other.injector.unwrap());
    assert!(Arc::ptr_eq(&a, &b) && !Arc::ptr_eq(&a, &c));
    drop(a);
    assert_eq!(Arc::strong_count(&b), 1, "nothing else keeps it alive");
}

#[test]
fn errors_of_starting_are_reported_as_well() {
    let folder = Folder::new();
    let path = folder.path("none/audit.jsonl");
    let mistakes = read(false, FILTER, &folder.text(&format!(r#", "audit": "{path}""#))).err().unwrap();
    assert!(mistakes[0].contains("cannot write the audit "), "{mistakes:?}");
}
