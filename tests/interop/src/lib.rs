//! What the suites with programs of others share: installing them, running them, and the world around them.

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

/// Says what is going on.
#[expect(clippy::print_stdout, reason = "this is what a suite is for")]
pub fn say(text: &str) {
    println!("{text}");
}
