//! Builds the component: a core module by cargo, made a component by wit-component.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use wit_component::{ComponentEncoder, DecodedWasm, OutputToString, WitPrinter};

use crate::dist;
use crate::run::{cargo, output, quick_cargo, quick_target, root, run, say};
use crate::{table, tools};

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";
const PACKAGE: &str = "shared-token-cache-guest";
/// How a component that is shipped differs from the profile `release`. A profile of its own would
/// compile the macros of the bindings once more.
const OPTIMISED: &[&str] = &[
    "profile.release.opt-level = 'z'",
    "profile.release.lto = true",
    "profile.release.codegen-units = 1",
    "profile.release.panic = 'abort'",
    "profile.release.strip = 'symbols'",
];
const PRECOMPILE: &str = "shared-token-cache-precompile";
/// The targets that the component is compiled for ahead of time.
const TARGETS: &[&str] = &[
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
    "x86_64-pc-windows-msvc",
    "aarch64-pc-windows-msvc",
];
const HOSTILE: &str = "shared-token-cache-hostile";

/// More functions than any component's table has.
const HUGE_TABLE: u32 = 10_000_000;

/// Builds the component; gives its path.
pub(crate) fn build() -> Result<PathBuf> {
    add_target()?;
    say("building the component");
    build_module(PACKAGE)?;
    componentize("release/shared_token_cache.wasm", "shared-token-cache.wasm")
}

/// Builds the component, and writes the files of the crate `host/component` to its folder.
pub(crate) fn build_artefacts() -> Result<()> {
    let (component, folder) = build_portable_artefacts()?;
    say("building the compiler of components (the first time takes some minutes)");
    // Without `--package`, so that wasmtime is compiled once, with the features that all members need together.
    run(cargo().args(["build", "--release", "--bin", PRECOMPILE]))?;
    precompile(&root().join("target/release"), &component, &host_target()?, &folder)
}

/// Does so for all targets with machine code in the crate. Requires a wasmtime that compiles for
/// other processors.
pub(crate) fn build_artefacts_for_all_targets() -> Result<()> {
    let (component, folder) = build_portable_artefacts()?;
    say("building the compiler of components for all targets (the first time takes some minutes)");
    run(quick_cargo().args(["build", "--package", PRECOMPILE, "--features", "all-targets"]))?;
    TARGETS.iter().try_for_each(|target| precompile(&quick_target().join("debug"), &component, target, &folder))
}

/// The component and its WIT, in the folder of the crate `host/component`.
fn build_portable_artefacts() -> Result<(PathBuf, PathBuf)> {
    let component = build()?;
    let folder = root().join("host/component/artefacts");
    fs::create_dir_all(&folder)?;
    write(&folder.join("shared-token-cache.wasm"), &read(&component)?)?;
    write(&folder.join("shared-token-cache.wit"), dist::wit_text()?.as_bytes())?;
    Ok((component, folder))
}

/// Compiles the component ahead of time for a target, with the compiler in `programs`.
fn precompile(programs: &Path, component: &Path, target: &str, folder: &Path) -> Result<()> {
    let program = programs.join(format!("{PRECOMPILE}{}", std::env::consts::EXE_SUFFIX));
    let output = folder.join(format!("{}.cwasm", platform(target)?));
    run(Command::new(program).arg(component).arg(target).arg(output))
}

/// A target by its processor and system, as `host/component/build.rs` looks for it.
fn platform(target: &str) -> Result<String> {
    let mut parts = target.split('-');
    let (processor, system) = (parts.next().context("a target has a processor")?, parts.nth(1));
    let system = match system.context("a target has a system")? {
        "darwin" => "macos",
        system => system,
    };
    Ok(format!("{processor}-{system}"))
}

/// The target of programs that run here.
fn host_target() -> Result<String> {
    let version = output(Command::new("rustc").arg("-vV").current_dir(root()))?;
    let line = version.lines().find_map(|line| line.strip_prefix("host: "));
    line.map(str::to_owned).context("`rustc -vV` names no host")
}

/// Builds the component's imports on WASI; gives the path.
pub(crate) fn build_adapter() -> Result<PathBuf> {
    add_target()?;
    say("building the adapter to WASI");
    build_module("shared-token-cache-wasi-adapter")?;
    componentize("release/shared_token_cache_wasi_adapter.wasm", "shared-token-cache-wasi-adapter.wasm")
}

/// Builds the components of the examples.
pub(crate) fn build_examples() -> Result<()> {
    add_target()?;
    say("building the components of the examples");
    build_module("wasmcloud-consumer")?;
    componentize("release/wasmcloud_consumer.wasm", "wasmcloud-consumer.wasm")?;
    Ok(())
}

/// Builds the core module of a component that is shipped.
fn build_module(package: &str) -> Result<()> {
    let settings = OPTIMISED.iter().flat_map(|setting| ["--config", setting]);
    run(cargo().args(["build", "--release", "--target", TARGET, "--package", package]).args(settings))
}

/// Builds the hostile components of the tests, all at once, with the same bindings.
pub(crate) fn build_hostile() -> Result<()> {
    add_target()?;
    say("building the hostile components");
    let packages = ["--package", HOSTILE, "--lib", "--examples"];
    // Small ones compile faster in the tests.
    run(cargo()
        .args(["build", "--release", "--target", TARGET, "--config", "profile.release.opt-level = 's'"])
        .args(packages))?;
    componentize("release/examples/guest.wasm", "hostile.wasm")?;
    let folder = root().join("target/component/hostile");
    let attempts = attempts()?;
    for name in &attempts {
        componentize(&format!("release/examples/{name}.wasm"), &format!("hostile/{name}.wasm"))?;
    }
    // Removes attempts that no longer exist.
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        if !path.file_stem().is_some_and(|name| attempts.iter().any(|attempt| name == attempt.as_str())) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// The names of the hostile components: those of their sources.
fn attempts() -> Result<Vec<String>> {
    let sources = fs::read_dir(root().join("tests/hostile/examples"))?;
    let names = sources.map(|source| Ok(source?.path().file_stem().unwrap_or_default().to_string_lossy().into_owned()));
    names.collect()
}

/// Makes a component from a core module.
fn componentize(module: &str, name: &str) -> Result<PathBuf> {
    let module = root().join("target").join(TARGET).join(module);
    let mut module = read(&module)?;
    if name == "hostile/grow_a_table.wasm" {
        module = table::enlarge(&module, HUGE_TABLE).context("the module has no table")?;
    }
    let component = ComponentEncoder::default().validate(true).module(&module)?.encode()?;
    let path = root().join("target/component").join(name);
    fs::create_dir_all(path.parent().unwrap_or(&path))?;
    write(&path, &component)?;
    Ok(path)
}

/// Writes a file if its content has changed, to avoid needless rebuilds.
fn write(path: &Path, content: &[u8]) -> Result<()> {
    if fs::read(path).ok().as_deref() == Some(content) {
        return Ok(());
    }
    fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}

/// Adds the target if it is missing. `rust-toolchain.toml` names it, but rustup may be configured
/// not to install automatically.
fn add_target() -> Result<()> {
    let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]).current_dir(root()))?;
    if Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).is_dir() {
        return Ok(());
    }
    say(&format!("adding the target {TARGET}"));
    run(Command::new("rustup").args(["target", "add", TARGET]).current_dir(root())).with_context(|| {
        format!("the Rust target {TARGET} is missing; install it with your Rust toolchain's installer")
    })
}

/// Prints the component's imports and exports, and the sizes of the built files.
#[expect(clippy::print_stdout, reason = "this is what the command is for")]
pub(crate) fn print(path: &Path) -> Result<()> {
    println!("{}", world_of(path)?);
    let program = root().join("target/release/shared-token-cache");
    for file in [path, &program] {
        if let Ok(metadata) = fs::metadata(file) {
            println!("{:>12} bytes  {}", metadata.len(), file.strip_prefix(root()).unwrap_or(file).display());
        }
    }
    Ok(())
}

/// Builds the guest with `cargo component` and compares the world.
pub(crate) fn compare_with_cargo_component(path: &Path) -> Result<()> {
    let tool = match tools::cargo_tool("component", "0.21.1") {
        Ok(tool) => tool,
        Err(why) => {
            say(&format!("skipped: cargo-component, because {why:#}"));
            return Ok(());
        }
    };
    // A target folder of its own: the module there is already a component.
    let target = root().join("target/cargo-component");
    let build = ["component", "build", "--release", "--target", TARGET, "--package", PACKAGE];
    run(Command::new(tool).current_dir(root()).env("CARGO_TARGET_DIR", &target).args(build))?;
    let theirs = target.join(TARGET).join("release/shared_token_cache.wasm");
    if items_of(&world_of(&theirs)?) != items_of(&world_of(path)?) {
        bail!("the component of cargo-component ({}) has another world than {}", theirs.display(), path.display());
    }
    say("cargo-component gives a component with the same world");
    Ok(())
}

/// The component's world as WIT.
fn world_of(path: &Path) -> Result<String> {
    world_of_bytes(&read(path)?).with_context(|| format!("{} can't be shown", path.display()))
}

/// A component's world as WIT.
pub(crate) fn world_of_bytes(component: &[u8]) -> Result<String> {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(component)? else {
        bail!("it is not a component");
    };
    let package = resolve.worlds.get(world).and_then(|world| world.package).context("the world has no package")?;
    let others: Vec<_> = resolve.packages.iter().map(|(id, _)| id).filter(|id| *id != package).collect();
    let mut printer = WitPrinter::new(OutputToString::default());
    printer.emit_docs(false);
    printer.print(&resolve, package, &others)?;
    Ok(printer.output.to_string())
}

/// The items of a world's interfaces, each with its interface, sorted: the order in which a tool
/// writes them has no meaning.
fn items_of(wit: &str) -> BTreeSet<(String, String)> {
    let (mut items, mut interface, mut item) = (BTreeSet::new(), String::new(), String::new());
    for line in wit.lines().filter(|line| !line.trim().is_empty()) {
        let depth = line.len() - line.trim_start().len();
        if depth <= 2 && line.ends_with(['{', '}']) {
            interface = line.trim().to_owned();
            continue;
        }
        item.push_str(line.trim());
        // An item ends where a line of its own level ends with `;` or `}`.
        if depth <= 4 && line.ends_with([';', '}']) {
            items.insert((interface.clone(), std::mem::take(&mut item)));
        }
    }
    items
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("{} can't be read", path.display()))
}
