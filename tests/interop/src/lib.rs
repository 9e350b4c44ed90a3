//! Shared by the suites that run other projects' programs: installing and running them, and their
//! homes and servers.

#![forbid(unsafe_code)]

pub mod authority;
pub mod example;
pub mod http;
pub mod install;
pub mod process;
pub mod sign_in;
pub mod table;

use std::path::{Path, PathBuf};

/// The workspace's root.
#[must_use]
pub fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    root.map(Path::to_path_buf).unwrap_or_default()
}

/// Prints progress.
#[expect(clippy::print_stdout, reason = "this is what a suite is for")]
pub fn say(text: &str) {
    println!("{text}");
}
