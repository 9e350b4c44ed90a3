//! A sandbox without a home and without a network: by bubblewrap, or by unshare where that is missing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::world::World;
use crate::python::is_in_path;
use crate::run::output;

/// The home folder in the sandbox, which is empty.
const HOME: &str = "/home/sandbox";

/// Mounts what the arguments name, `SOURCE TARGET` each, below the first one, and continues there without any privilege.
const ENTER: &str = r#"
root=$1; shift
mount -t tmpfs -o mode=0755 tmpfs "$root"
while [ "$1" != -- ]; do
    if [ -h "$1" ]; then mkdir -p "$root$(dirname "$2")"; cp -P "$1" "$root$2"
    else
        if [ -d "$1" ]; then mkdir -p "$root$2"; else mkdir -p "$root$(dirname "$2")"; : > "$root$2"; fi
        mount --rbind "$1" "$root$2"; mount -o remount,bind,ro "$root$2"
    fi
    shift 2
done
shift
mkdir -p "$root/proc" "$root/dev" "$root/tmp" "$root$HOME"
mount -t proc proc "$root/proc"
for device in null zero urandom; do : > "$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"; done
ip link set lo up
exec chroot "$root" setpriv --no-new-privs --bounding-set=-all --inh-caps=-all -- "$@"
"#;

/// What a sandbox is made with.
pub(crate) enum Tool {
    Bubblewrap,
    Unshare,
}

impl Tool {
    /// The one that works here.
    pub(crate) fn find() -> Result<Self> {
        let bubblewrap = ["--unshare-all", "--ro-bind", "/", "/", "--", "true"];
        let unshare = [
            "--user",
            "--map-root-user",
            "--mount",
            "--pid",
            "--net",
            "--fork",
            "mount",
            "-t",
            "tmpfs",
            "tmpfs",
            "/tmp",
        ];
        if is_in_path("bwrap") && std::env::var_os("SANDBOX_BY_UNSHARE").is_none() {
            output(Command::new("bwrap").args(bubblewrap)).context("bubblewrap can't make a sandbox here")?;
            return Ok(Self::Bubblewrap);
        }
        for program in ["unshare", "setpriv", "ip"] {
            if !is_in_path(program) {
                bail!("there is neither bwrap (Debian: apt-get install bubblewrap) nor {program} in PATH");
            }
        }
        output(Command::new("unshare").args(unshare))
            .context("there is no bwrap, and unshare can't make a sandbox here")?;
        Ok(Self::Unshare)
    }

    /// Its version.
    pub(crate) fn version(&self) -> Result<String> {
        let program = if matches!(self, Self::Bubblewrap) { "bwrap" } else { "unshare" };
        Ok(output(Command::new(program).arg("--version"))?.trim().to_owned())
    }
}

/// What a sandbox can see of the host, read-only.
pub(crate) struct Sandbox {
    tool: Tool,
    binds: Vec<(PathBuf, PathBuf)>,
}

impl Sandbox {
    /// A sandbox with the system's programs.
    pub(crate) fn new(tool: Tool) -> Self {
        let system = ["/usr", "/bin", "/lib", "/lib64", "/sbin"].map(PathBuf::from);
        let binds = system.into_iter().filter(|path| path.exists()).map(|path| (path.clone(), path)).collect();
        Self { tool, binds }
    }

    /// Adds a file or a folder of the host.
    pub(crate) fn see(&mut self, source: &Path, target: impl Into<PathBuf>) {
        let target = target.into();
        // `/usr` is there as a whole.
        if !target.starts_with("/usr") {
            self.binds.push((source.to_owned(), target));
        }
    }

    /// A command in the sandbox. It has the variables that the caller adds, and these are on no command line.
    pub(crate) fn command(&self, world: &World, program: &Path) -> Result<Command> {
        let mut command = match self.tool {
            Tool::Bubblewrap => {
                let mut command = world.command("bwrap");
                command.args(["--unshare-all", "--die-with-parent", "--new-session"]);
                command.args(["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--dir", HOME]);
                for (source, target) in &self.binds {
                    match fs::read_link(source) {
                        Ok(link) => command.arg("--symlink").arg(link).arg(target),
                        Err(_) => command.arg("--ro-bind").arg(source).arg(target),
                    };
                }
                command.args(["--chdir", "/", "--"]);
                command
            }
            Tool::Unshare => {
                let empty = world.path("sandbox");
                fs::create_dir_all(&empty)?;
                let mut command = world.command("unshare");
                command.args([
                    "--user",
                    "--map-root-user",
                    "--mount",
                    "--pid",
                    "--net",
                    "--ipc",
                    "--fork",
                    "--kill-child",
                ]);
                command.args(["sh", "-euc", ENTER, "sh"]).arg(empty);
                command.args(self.binds.iter().flat_map(|(source, target)| [source, target]));
                command.arg("--");
                command
            }
        };
        command.arg(program).env_clear().env("HOME", HOME).env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin");
        Ok(command)
    }
}
