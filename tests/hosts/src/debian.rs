//! Programs from Debian packages in a folder of their own: nothing is installed on the system, and
//! its package lists stay unchanged.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use shared_token_cache_interop::install::{folder, once};
use shared_token_cache_interop::process::output;

const PATIENCE: Duration = Duration::from_secs(300);

/// The keyring that verifies Debian's index; every Debian has it.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// A folder called `name` with the files of these packages of a Debian release, laid out as below
/// `/`.
pub(crate) fn unpacked(name: &str, suite: &str, packages: &[&str]) -> Result<PathBuf> {
    let folder = folder(name);
    let files = folder.join("files");
    once(&folder, &format!("{suite}: {}", packages.join(" ")), || {
        ensure!(Path::new(KEYRING).exists(), "this is no Debian with {KEYRING}");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        let apt = Apt::at(&folder.join("apt"), suite)?;
        apt.get(&["update", "--quiet", "--error-on=any"])?;
        // Pins the release: otherwise apt also considers the system's installed packages.
        let wanted: Vec<_> = packages.iter().map(|package| format!("{package}/{suite}")).collect();
        let wanted = wanted.iter().map(String::as_str);
        apt.get(&["download", "--quiet"].into_iter().chain(wanted).collect::<Vec<_>>())?;
        let fetched = apt.fetched()?;
        ensure!(fetched.len() == packages.len(), "apt fetched {} packages", fetched.len());
        for package in fetched {
            output(Command::new("dpkg-deb").arg("--extract").arg(package).arg(&files), PATIENCE)?;
        }
        fs::remove_dir_all(&apt.folder).context("apt's lists can't be removed")
    })?;
    Ok(files)
}

/// apt with all its state in a folder. It only accepts packages of Debian's signed index.
struct Apt {
    folder: PathBuf,
    options: Vec<String>,
}

impl Apt {
    fn at(folder: &Path, suite: &str) -> Result<Self> {
        for part in ["sources", "lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(folder.join(part))?;
        }
        let mirror = mirror()?;
        let source = format!("Types: deb\nURIs: {mirror}\nSuites: {suite}\nComponents: main\nSigned-By: {KEYRING}\n");
        fs::write(folder.join("sources/debian.sources"), source)?;
        let options = [
            ("Dir::Etc::SourceList", PathBuf::from("/dev/null")),
            ("Dir::Etc::SourceParts", folder.join("sources")),
            ("Dir::State::Lists", folder.join("lists")),
            ("Dir::Cache", folder.join("cache")),
            ("Acquire::AllowInsecureRepositories", "false".into()),
            ("APT::Get::AllowUnauthenticated", "false".into()),
            // apt's sandbox user may not be able to enter the folder.
            ("APT::Sandbox::User", "root".into()),
        ];
        let options = options.iter().map(|(name, value)| format!("-o{name}={}", value.display())).collect();
        Ok(Self { folder: folder.to_owned(), options })
    }

    fn get(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new("apt-get");
        output(command.args(&self.options).args(arguments).current_dir(&self.folder), PATIENCE)
    }

    fn fetched(&self) -> Result<Vec<PathBuf>> {
        let mut packages = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            packages.push(entry?.path());
        }
        packages.retain(|path| path.extension().is_some_and(|extension| extension == "deb"));
        Ok(packages)
    }
}

/// The mirror of the system's own Debian packages.
fn mirror() -> Result<String> {
    let format = "$(COMPONENT) $(REPO_URI)";
    let targets =
        output(Command::new("apt-get").args(["indextargets", "--format", format, "Identifier: Packages"]), PATIENCE)
            .context("apt is needed")?;
    let mut mirrors =
        targets.lines().filter_map(|line| line.strip_prefix("main ")).map(|uri| uri.trim_end_matches('/'));
    let mirror = mirrors.find(|uri| uri.ends_with("/debian")).context("apt has no source of Debian packages")?;
    Ok(mirror.to_owned())
}
