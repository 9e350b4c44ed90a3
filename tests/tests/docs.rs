//! The Markdown files: their links lead somewhere, and no kind of error lacks a section.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The Markdown files below a folder that are ours: not what is built or installed.
fn pages(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
            pages(&path, found);
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
}

/// The text without blocks of code, which have no links.
fn prose(page: &Path) -> String {
    let text = fs::read_to_string(page).unwrap();
    let parts = text.split("\n```").step_by(2);
    parts.flat_map(str::lines).filter(|line| !line.starts_with("    ")).map(|line| format!("{line}\n")).collect()
}

/// What GitHub makes of a heading.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|character| character.is_alphanumeric() || " -_".contains(*character));
    kept.map(|character| if character == ' ' { '-' } else { character }).collect()
}

fn anchors(page: &Path) -> BTreeSet<String> {
    prose(page).lines().filter(|line| line.starts_with('#')).map(anchor).collect()
}

fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut found = Vec::new();
    pages(&root(), &mut found);
    let mut broken = Vec::new();
    let mut checked = 0;
    for page in &found {
        for link in links(&prose(page)).filter(|link| !link.contains("://")) {
            checked += 1;
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            let there = target.exists() && (heading.is_empty() || anchors(&target).contains(heading));
            if !there {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(checked > 20, "only {checked} links were found");
}

/// The names of the cases of a variant or an enum of the contract.
fn cases(kind: &str) -> Vec<String> {
    let contract = fs::read_to_string(root().join("wit/credential.wit")).unwrap();
    let (_, rest) = contract.split_once(&format!("{kind} {{")).unwrap();
    let body = rest.split_once('}').unwrap().0;
    let names = body.lines().map(str::trim).filter(|line| !line.starts_with("//") && !line.is_empty());
    names.map(|line| line.trim_end_matches(',').split('(').next().unwrap().to_owned()).collect()
}

#[test]
fn every_kind_and_reason_of_an_error_has_a_section() {
    let sections = anchors(&root().join("docs/troubleshooting.md"));
    let mut expected: BTreeSet<String> = ["troubleshooting", "limit", "plugin"].map(str::to_owned).into();
    for kind in ["variant error", "enum unavailable-reason", "enum authentication-failure-reason"] {
        expected.extend(cases(kind));
    }
    assert!(expected.len() > 15, "{expected:?}");
    assert_eq!(sections, expected);
}
