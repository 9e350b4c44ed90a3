//! `tests/hostile/README.md` lists the outcome of every attempt.

use std::fs;
use std::path::Path;

use crate::table::TABLE;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("hostile")
}

/// The description in the first lines of an attempt.
fn says(name: &str) -> String {
    let source = fs::read_to_string(folder().join(format!("examples/{name}.rs"))).unwrap();
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    lines.map(str::trim).collect::<Vec<_>>().join(" ")
}

#[test]
fn every_attempt_is_made() {
    let sources = fs::read_dir(folder().join("examples")).unwrap();
    let mut sources: Vec<_> =
        sources.map(|source| source.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect();
    let mut made: Vec<_> = TABLE.iter().map(|row| row.name.to_owned()).collect();
    sources.sort();
    made.sort();
    assert_eq!(made, sources);
}

#[test]
fn the_table_of_the_readme_is_that_of_the_tests() {
    let readme = fs::read_to_string(folder().join("README.md")).unwrap();
    let table: Vec<_> = readme.lines().filter(|line| line.starts_with("| `")).collect();
    let expected: Vec<_> = TABLE
        .iter()
        .map(|row| {
            let by =
                if row.refused_by.contains("::") { format!("`{}`", row.refused_by) } else { row.refused_by.into() };
            let saying = if row.saying.is_empty() { String::new() } else { format!("… {} …", row.saying) };
            format!("| `{}` | {} | {by} | {saying} |", row.name, says(row.name))
        })
        .collect();
    assert_eq!(table, expected, "the table has to be\n{}\n", expected.join("\n"));
}
