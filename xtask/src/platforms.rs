//! Platform-specific code, the storage and the agent's socket: compiled and linted for all
//! platforms, and the storage's tests run under Wine for Windows.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::run::{cargo, output, root, run, say};

const STORAGE: &str = "shared-token-cache-storage";
const SDS: &str = "shared-token-cache-sds";
const WINDOWS: &str = "x86_64-pc-windows-gnu";
const TARGETS: &[&str] = &[WINDOWS, "aarch64-apple-darwin", "x86_64-apple-darwin"];

pub(crate) fn test() -> Result<()> {
    for target in TARGETS {
        output(Command::new("rustup").args(["target", "add", target])).context("the target can't be installed")?;
        say(&format!("linting the storage and the agent's socket for {target}"));
        let packages = ["--package", STORAGE, "--package", SDS];
        run(cargo().args(["clippy", "--target", target]).args(packages).args([
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]))?;
    }
    match wine() {
        Ok(prefix) => test_under_wine(&prefix),
        Err(why) => {
            say(&format!("skipped: the storage's tests for Windows, because {why:#}"));
            Ok(())
        }
    }
}

/// Wine with a prefix of its own, below `target`.
fn wine() -> Result<String> {
    let linker = "x86_64-w64-mingw32-gcc";
    for program in ["wine", linker] {
        if output(Command::new(program).arg("--version")).is_err() {
            bail!("there is no {program} (Debian: apt-get install wine64 wine gcc-mingw-w64-x86-64)");
        }
    }
    let prefix = root().join("target/interop/wine");
    std::fs::create_dir_all(&prefix)?;
    let text = prefix.display().to_string();
    output(with_prefix(Command::new("timeout").args(["300", "wineboot", "-i"]), &text))
        .context("Wine can't be set up")?;
    add_random_numbers(linker, &prefix)?;
    Ok(text)
}

fn test_under_wine(prefix: &str) -> Result<()> {
    say("running the storage's tests for Windows under Wine");
    let mut cargo = cargo();
    cargo.env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER", "wine");
    run(with_prefix(cargo.args(["test", "--package", STORAGE, "--lib", "--target", WINDOWS]), prefix))
}

fn with_prefix<'a>(command: &'a mut Command, prefix: &str) -> &'a mut Command {
    // Without the overrides Wine opens a dialog about downloading Mono and Gecko.
    command.env("WINEPREFIX", prefix).env("WINEDEBUG", "-all").env("WINEDLLOVERRIDES", "mscoree,mshtml=")
}

/// Wine 8 lacks the DLL from which Rust's standard library gets random numbers.
fn add_random_numbers(linker: &str, prefix: &Path) -> Result<()> {
    let library = prefix.join("drive_c/windows/system32/bcryptprimitives.dll");
    if library.exists() {
        return Ok(());
    }
    let source = prefix.join("random.c");
    std::fs::write(
        &source,
        "#include <windows.h>\n#include <ntsecapi.h>\n\
         __declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE to, SIZE_T length) {\n\
         \treturn RtlGenRandom(to, (ULONG)length);\n}\n",
    )?;
    output(Command::new(linker).arg("-shared").arg("-o").arg(&library).arg(&source).arg("-ladvapi32"))
        .context("the library of random numbers can't be built")?;
    Ok(())
}
