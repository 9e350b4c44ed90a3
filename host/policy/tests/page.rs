//! The document in docs/policy.md is a policy with every field, and the TOML on all other pages is
//! a policy as well.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use shared_token_cache_policy::{CoreDumps, Limits, LogRules, Policy};

/// The TOML document in docs/policy.md.
fn document() -> String {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/policy.md")).unwrap();
    let (_, rest) = page.split_once("```toml\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// Every name in the schema's `properties`, at any depth.
fn fields(schema: &Value, into: &mut BTreeSet<String>) {
    if let Some(properties) = schema["properties"].as_object() {
        for (name, field) in properties {
            into.insert(name.clone());
            fields(field, into);
            fields(&field["items"], into);
        }
    }
}

#[test]
fn the_document_of_the_page_is_a_policy_with_every_field() {
    let document = document();
    let policy = Policy::from_toml(&document).unwrap();
    assert_eq!(Policy::from_toml(&policy.to_toml()).unwrap(), policy);

    let mut known = BTreeSet::new();
    fields(&serde_json::from_str(Policy::json_schema()).unwrap(), &mut known);
    let names = document.lines().filter_map(|line| {
        let table = line.split(']').next()?.trim_start_matches('[');
        if line.starts_with('[') { Some(table) } else { line.split_once(" = ").map(|(name, _)| name) }
    });
    let named: BTreeSet<String> = names.filter(|name| !name.starts_with('#')).map(str::to_owned).collect();
    assert_eq!(named, known);
}

#[test]
fn the_defaults_on_the_page_are_the_defaults() {
    let policy = Policy::from_toml(&document()).unwrap();
    assert_eq!(*policy.limits(), Limits::default());
    assert_eq!(*policy.log(), LogRules::default());
    assert_eq!(policy.core_dumps(), CoreDumps::default());
}

#[test]
fn every_document_of_readme_and_the_pages_is_a_policy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let pages = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut documents = 0;
    for page in pages.filter(|page| page.extension().is_some_and(|end| end == "md")).chain([root.join("README.md")]) {
        let text = fs::read_to_string(&page).unwrap();
        for block in text.split("```toml\n").skip(1) {
            let policy = Policy::from_toml(block.split("```").next().unwrap());
            assert!(policy.is_ok(), "{}: {policy:?}", page.display());
            documents += 1;
        }
    }
    assert!(documents >= 2, "only {documents} were found");
}
