use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use secret_service::{Collection, EncryptionType, SecretService};

/// How long a program may take to start.
const PATIENCE: Duration = Duration::from_secs(20);

/// A bus without service activation: its configuration names no folder of services.
const CONFIGURATION: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=SOCKET</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;

/// A process that is killed when its owner is dropped.
#[derive(Debug)]
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A bus, perhaps with a keyring, and folders that replace the user's.
#[derive(Debug)]
pub struct Session {
    // Fields are dropped in declaration order.
    keyring: Option<Running>,
    _bus: Running,
    address: String,
    folder: tempfile::TempDir,
}

impl Session {
    /// A bus without a keyring.
    ///
    /// # Errors
    /// When the bus can't be started.
    pub fn without_keyring() -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        for name in ["home", "run"] {
            fs::create_dir(folder.path().join(name))?;
            fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(0o700))?;
        }
        let socket = folder.path().join("run/bus").display().to_string();
        let configuration = folder.path().join("bus.conf");
        fs::write(&configuration, CONFIGURATION.replace("SOCKET", &socket))?;

        let mut command = Command::new("dbus-daemon");
        command.args(["--nofork", "--print-address", "--config-file"]).arg(&configuration);
        let command = surrounded(&mut command, folder.path()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut bus = Running(command.spawn()?);
        let mut address = String::new();
        if let Some(printed) = bus.0.stdout.take() {
            BufReader::new(printed).read_line(&mut address)?;
        }
        Ok(Self { keyring: None, _bus: bus, address: address.trim().to_owned(), folder })
    }

    /// A keyring that was never unlocked, and therefore has no collection.
    ///
    /// # Errors
    /// When they can't be started.
    pub fn with_new_keyring() -> io::Result<Self> {
        let mut session = Self::without_keyring()?;
        session.start_keyring(&[])?;
        Ok(session)
    }

    /// A keyring with an empty, unlocked collection.
    ///
    /// # Errors
    /// When they can't be started.
    pub fn with_keyring() -> io::Result<Self> {
        let mut session = Self::without_keyring()?;
        session.start_keyring(&["--unlock"])?;
        until("the keyring's default collection", || session.on_collection(async |_| Ok(())))?;
        Ok(session)
    }

    /// Restarts the keyring, as after a sign-in without a password.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn restart_keyring(&mut self) -> io::Result<()> {
        drop(self.keyring.take());
        until("the end of the keyring", || match self.on_keyring(async |_| Ok(())) {
            Ok(()) => Err(io::Error::other("it is still there")),
            Err(_) => Ok(()),
        })?;
        self.start_keyring(&[])
    }

    fn start_keyring(&mut self, arguments: &[&str]) -> io::Result<()> {
        let mut command = Command::new("gnome-keyring-daemon");
        command.args(["--foreground", "--components=secrets"]).args(arguments);
        let command = self.surround(&mut command).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut keyring = Running(command.spawn()?);
        if let Some(mut input) = keyring.0.stdin.take()
            && !arguments.is_empty()
        {
            input.write_all(b"made-up password")?;
        }
        self.keyring = Some(keyring);
        until("the keyring", || self.on_keyring(async |_| Ok(())))
    }

    /// Sets the session's folders and bus in a program's environment.
    pub fn surround<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        surrounded(command, self.folder.path()).env("DBUS_SESSION_BUS_ADDRESS", &self.address)
    }

    /// The address of the bus.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The home folder that [`Self::surround`] sets, which the keyring uses as well.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Locks the default collection, as a user does.
    ///
    /// # Errors
    /// When the keyring can't be asked.
    pub fn lock(&self) -> io::Result<()> {
        self.on_collection(async |collection| collection.lock().await)
    }

    /// Makes an item as MSAL for Python does.
    ///
    /// # Errors
    /// When the keyring can't be asked.
    pub fn make_item(&self, document: &str, content: &str) -> io::Result<()> {
        let attributes = [("MsalClientID", "Microsoft.Developer.IdentityService"), ("xdg:schema", document)].into();
        self.on_collection(async |collection| {
            collection.create_item("MSALCache", attributes, content.as_bytes(), false, "text/plain").await.map(drop)
        })
    }

    /// The items' attributes, without their secrets and times.
    ///
    /// # Errors
    /// When the keyring can't be asked.
    pub fn items(&self) -> io::Result<Vec<String>> {
        self.on_collection(async |collection| {
            let mut items = Vec::new();
            for item in collection.get_all_items().await? {
                let attributes: BTreeMap<_, _> = item.get_attributes().await?.into_iter().collect();
                let (label, kind) = (item.get_label().await?, item.get_secret_content_type().await?);
                items.push(format!("{} {label:?} {kind} {attributes:?}", item.item_path.as_str()));
            }
            items.sort();
            Ok(items)
        })
    }

    fn on_collection<T>(
        &self,
        task: impl AsyncFnOnce(&Collection<'_>) -> Result<T, secret_service::Error>,
    ) -> io::Result<T> {
        self.on_keyring(async |service| task(&service.get_default_collection().await?).await)
    }

    fn on_keyring<T>(
        &self,
        task: impl AsyncFnOnce(&SecretService<'_>) -> Result<T, secret_service::Error>,
    ) -> io::Result<T> {
        let task = async {
            let connection = zbus::connection::Builder::address(self.address.as_str())?.build().await?;
            task(&SecretService::connect_with_existing(EncryptionType::Plain, connection).await?).await
        };
        runtime()?.block_on(task).map_err(io::Error::other)
    }

    /// Runs a task while the name of the keyring belongs to a service that never answers.
    ///
    /// # Errors
    /// When the bus can't be used.
    pub fn with_deaf_keyring<T>(&self, task: impl FnOnce() -> T) -> io::Result<T> {
        let runtime = runtime()?;
        let connect = async {
            let connection = zbus::connection::Builder::address(self.address.as_str())?.build().await?;
            connection.request_name("org.freedesktop.secrets").await?;
            Ok::<_, zbus::Error>(connection)
        };
        let _connection = runtime.block_on(connect).map_err(io::Error::other)?;
        Ok(task())
    }
}

/// Why no bus can be started on this machine, if so.
#[must_use]
pub fn missing_bus() -> Option<String> {
    missing("dbus-daemon", "dbus")
}

/// Why no keyring can be started on this machine, if so.
#[must_use]
pub fn missing_keyring() -> Option<String> {
    missing("gnome-keyring-daemon", "gnome-keyring")
}

fn missing(program: &str, package: &str) -> Option<String> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders).any(|folder| folder.join(program).is_file());
    (!found).then(|| format!("there is no {program} in PATH; install {package}"))
}

fn surrounded<'a>(command: &'a mut Command, folder: &Path) -> &'a mut Command {
    let home = folder.join("home");
    // Other variables could lead to the bus, the keyring or the display of the user who runs the
    // tests.
    let kept = ["PATH", "LANG", "TMPDIR"].map(|name| (name, std::env::var_os(name)));
    command
        .env_clear()
        .envs(kept.into_iter().filter_map(|(name, value)| Some((name, value?))))
        .env("XDG_RUNTIME_DIR", folder.join("run"))
        .env("XDG_DATA_HOME", home.join(".local/share"))
        .env("HOME", home)
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// Polls until `work` succeeds.
fn until(what: &str, mut works: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match works() {
            Ok(()) => return Ok(()),
            Err(error) if Instant::now() > deadline => {
                return Err(io::Error::other(format!("{what} was awaited in vain: {error}")));
            }
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}
