//! Installing Wassette, and a newer C library where the system's is too old for its build.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use shared_token_cache_interop::install::{folder, once, program, python};
use shared_token_cache_interop::process::{output, run};
use shared_token_cache_interop::root;

const PATIENCE: Duration = Duration::from_secs(300);

/// The Debian release whose C library is new enough, and its packages.
const SUITE: &str = "trixie";
const PACKAGES: [&str; 2] = ["libc6", "libgcc-s1"];

/// The keyring that verifies Debian's index; every Debian has it.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The command line that starts Wassette.
pub(super) struct Program {
    /// The arguments before Wassette's own.
    start: Vec<PathBuf>,
    /// Wassette's version, and the C library's where it is not the system's.
    pub(super) version: String,
}

impl Program {
    pub(super) fn install() -> Result<Self> {
        let python = python("wassette", &root().join("tests/hosts/wassette/requirements.txt"))?;
        let wassette = program(&python, "wassette_cli", "wassette")?;
        let system = Self::try_with(vec![wassette.clone()], "");
        let is_too_old = |why: &anyhow::Error| format!("{why:#}").contains("GLIBC_");
        if !system.as_ref().is_err_and(is_too_old) || !cfg!(target_arch = "x86_64") {
            return system;
        }
        let library = folder("wassette-libc");
        once(&library, &format!("{SUITE}: {}", PACKAGES.join(" ")), || unpack(&library)).with_context(|| {
            format!("the system's C library is too old for it, and that of Debian {SUITE} can't be had")
        })?;
        let files = library.join("files/usr");
        let start = vec![
            files.join("lib64/ld-linux-x86-64.so.2"),
            "--library-path".into(),
            files.join("lib/x86_64-linux-gnu"),
            wassette,
        ];
        Self::try_with(start, &format!(" on {}", fs::read_to_string(library.join("packages"))?))
    }

    fn try_with(start: Vec<PathBuf>, library: &str) -> Result<Self> {
        let mut program = Self { start, version: String::new() };
        let shown = output(program.command().arg("--version"), PATIENCE)?;
        let version = shown.split_whitespace().next().context("Wassette prints no version")?;
        program.version = format!("wassette {version}{library}");
        Ok(program)
    }

    pub(super) fn command(&self) -> Command {
        let mut parts = self.start.iter();
        let mut command = Command::new(parts.next().map_or(Path::new(""), PathBuf::as_path));
        command.args(parts);
        command
    }
}

/// Downloads the packages with apt, which verifies them against Debian's signed index, and unpacks
/// them. apt keeps all its state in `library`, so the system's lists and settings stay unchanged.
fn unpack(library: &Path) -> Result<()> {
    ensure!(Path::new(KEYRING).exists(), "this is no Debian with {KEYRING}");
    let apt = library.join("apt");
    for part in ["sources", "lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(apt.join(part))?;
    }
    let mirror = mirror()?;
    let source = format!(
        "Types: deb\nURIs: {mirror}\nSuites: {SUITE}\nComponents: main\nArchitectures: amd64\nSigned-By: {KEYRING}\n"
    );
    fs::write(apt.join("sources/debian.sources"), source)?;
    let options = [
        ("Dir::Etc::SourceList", PathBuf::from("/dev/null")),
        ("Dir::Etc::SourceParts", apt.join("sources")),
        ("Dir::State::Lists", apt.join("lists")),
        ("Dir::Cache", apt.join("cache")),
        ("Acquire::AllowInsecureRepositories", "false".into()),
        ("APT::Get::AllowUnauthenticated", "false".into()),
        ("APT::Sandbox::User", "root".into()),
    ];
    let options: Vec<_> = options.iter().map(|(name, value)| format!("-o{name}={}", value.display())).collect();
    let apt_get = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        output(command.args(&options).args(arguments).current_dir(&apt), PATIENCE)
    };
    apt_get(&["update", "--quiet", "--error-on=any"])?;
    // Pins the release: otherwise apt also considers the system's installed packages.
    let wanted = PACKAGES.map(|name| format!("{name}/{SUITE}"));
    let [first, second] = &wanted;
    apt_get(&["download", "--quiet", first, second])?;
    let mut names = Vec::new();
    for entry in fs::read_dir(&apt)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            output(Command::new("dpkg-deb").arg("--extract").arg(&path).arg(library.join("files")), PATIENCE)?;
            names.push(path.file_stem().unwrap_or_default().to_string_lossy().into_owned());
        }
    }
    ensure!(names.len() == PACKAGES.len(), "apt fetched {}", names.join(", "));
    names.sort_unstable();
    Ok(fs::write(library.join("packages"), names.join(" and "))?)
}

/// The mirror of the system's own Debian packages.
fn mirror() -> Result<String> {
    let format = "$(COMPONENT) $(REPO_URI)";
    let finished =
        run(Command::new("apt-get").args(["indextargets", "--format", format, "Identifier: Packages"]), "", PATIENCE)
            .context("apt is needed for that")?;
    let mirrors = finished.stdout.lines().filter_map(|line| line.strip_prefix("main "));
    let mirror = mirrors.map(|uri| uri.trim_end_matches('/')).find(|uri| uri.ends_with("/debian"));
    match mirror {
        Some(mirror) => Ok(mirror.to_owned()),
        None => bail!("apt has no source of Debian packages"),
    }
}
