//! The component's own logic on both sides of the vault: every case of the contract must have the
//! same outcome with and without the vault.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

mod case;
mod world;

use std::fs;
use std::path::{Path, PathBuf};

use world::{Trace, World};

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases");
    let mut cases: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.is_dir());
    cases.sort();
    cases
}

#[test]
fn every_case_comes_out_alike_with_and_without_the_vault() {
    let cases = cases();
    assert!(cases.len() > 150, "{}", cases.len());
    let (mut tokens, mut requests, mut writes) = (0, 0, 0);
    for case in cases {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let plain = World::new(&case, false).run();
        let sealed = World::new(&case, true).run();
        assert_eq!(sealed.refused, Vec::<String>::new(), "{name}");
        let Trace { outcomes, forms, documents, refused: _ } = &sealed;
        assert_eq!(outcomes, &plain.outcomes, "{name}");
        assert_eq!(forms, &plain.forms, "{name}");
        for (document, content) in documents {
            assert_eq!(content, &plain.documents[document], "{name}: {document}");
        }
        tokens += outcomes.iter().filter(|outcome| outcome.starts_with("token")).count();
        requests += forms.len();
        writes += documents.len();
    }
    assert!(tokens > 100 && requests > 60 && writes > 100, "{tokens} {requests} {writes}");
}
