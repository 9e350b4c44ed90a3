//! A home in which a made-up user is signed in, and an agent that serves its tokens.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::run::{output, root};

pub(crate) const USER: &str = "user0@contoso.com";
pub(crate) const TENANT: &str = "11111111-2222-3333-4444-555555555555";
pub(crate) const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000001";

pub(crate) const STORAGE: &str = "https://storage.azure.com/.default";
pub(crate) const VAULT: &str = "https://vault.azure.net/.default";
/// The Azure CLI's scope of Azure Resource Manager: both slashes belong to it.
pub(crate) const ARM: &str = "https://management.core.windows.net//.default";
pub(crate) const DEVOPS: &str = "499b84ac-1321-427f-aa17-267ca6975798/.default";
pub(crate) const ACR: &str = "https://containerregistry.azure.net/.default";
pub(crate) const AKS: &str = "6dae42f8-4368-4678-94ff-3960e28e3630/.default";

/// The policy's profiles.
pub(crate) const PROFILES: [(&str, &str); 9] = [
    ("storage", STORAGE),
    ("vault", VAULT),
    ("arm", ARM),
    ("devops", DEVOPS),
    ("aks", AKS),
    ("acr", ACR),
    ("openai", "https://cognitiveservices.azure.com/.default"),
    ("foundry", "https://ai.azure.com/.default"),
    ("postgres", "https://ossrdbms-aad.database.windows.net/.default"),
];

/// The Azure CLI's client.
const CLIENT: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
const HOME_ACCOUNT: &str = "22222222-2222-3333-4444-555555555555.11111111-2222-3333-4444-555555555555";
/// No authority answers there. The access tokens in the caches live longer than any test, so none is asked.
const AUTHORITY: &str = "localhost";

const SHARED: &str = ".IdentityService/msal.cache.nocae";
const AZURE_CLI: &str = ".azure/msal_token_cache.json";

/// Within the 60 to 90 minutes that Entra ID chooses from, in seconds.
const LIFETIME: u64 = 5400;

/// How long an agent may take until it serves.
const SOON: Duration = Duration::from_secs(30);

/// A temporary folder with a home, a policy and secrets of its own. Removed on drop.
pub(crate) struct World {
    folder: TempDir,
    program: PathBuf,
    random: u64,
    expires_on: u64,
}

impl World {
    /// # Errors
    /// When the program is missing or a file can't be written.
    pub(crate) fn new() -> Result<Self> {
        let program = program()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let random = RandomState::new().hash_one(now);
        let folder = tempfile::Builder::new().prefix("stc-").tempdir()?;
        let world = Self { folder, program, random, expires_on: now + LIFETIME };
        let document = world.document().to_string();
        world.write(&format!("home/{SHARED}"), &document)?;
        world.write(&format!("home/{AZURE_CLI}"), &document)?;
        let user = json!({ "name": USER, "type": "user" });
        let subscription = json!({
            "id": SUBSCRIPTION, "name": "Contoso", "tenantId": TENANT, "homeTenantId": TENANT, "user": user,
            "isDefault": true, "environmentName": "AzureCloud", "state": "Enabled",
        });
        world.write("home/.azure/azureProfile.json", &json!({ "subscriptions": [subscription] }).to_string())?;
        world.write("home/policy.toml", &policy())?;
        Ok(world)
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file of mode 0600 in the folder.
    pub(crate) fn write(&self, name: &str, content: &str) -> Result<PathBuf> {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap_or(self.folder.path()))?;
        fs::write(&path, content).with_context(|| path.display().to_string())?;
        #[cfg(unix)]
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        Ok(path)
    }

    /// The access token that the user has for a scope: a JWT, which the Azure CLI reads.
    pub(crate) fn access_token(&self, scope: &str) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let claims = json!({
            "aud": scope.trim_end_matches("/.default"), "tid": TENANT, "upn": USER, "exp": self.expires_on,
            "nonce": format!("{:016x}", self.random),
        });
        let signature = URL_SAFE_NO_PAD.encode(self.random.to_be_bytes());
        format!("{}.{}.{signature}", part(&json!({ "alg": "none", "typ": "JWT" })), part(&claims))
    }

    /// When the access tokens end, in seconds since the Unix epoch.
    pub(crate) fn expires_on(&self) -> u64 {
        self.expires_on
    }

    /// The user's refresh token.
    pub(crate) fn refresh_token(&self) -> String {
        format!("refresh-token-{:016x}", self.random)
    }

    /// A program in this home, with the system's PATH and no other variable.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.env_clear().env("HOME", self.path("home")).envs(self.variables());
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// The variables of every program in this world.
    pub(crate) fn variables(&self) -> BTreeMap<&'static str, String> {
        [("AZURE_AUTHORITY_HOST", format!("https://{AUTHORITY}"))].into()
    }

    /// The product's program in this home.
    pub(crate) fn program(&self) -> Command {
        self.command(&self.program)
    }

    /// Starts `serve` with a client `app` of these profiles, and these options.
    pub(crate) fn serve(&self, profiles: &str, options: &[&str]) -> Result<Agent> {
        let options = [&["--print-env", "docker"], options].concat();
        let mut agent = self.serve_clients(&[format!("app={profiles}")], &options)?;
        let printed = fs::read_to_string(self.path("app.env"))?;
        let pairs = printed.lines().filter_map(|line| line.split_once('='));
        agent.variables = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Ok(agent)
    }

    /// Starts `serve` with these clients, `NAME=PROFILES` each.
    pub(crate) fn serve_clients(&self, clients: &[String], options: &[&str]) -> Result<Agent> {
        let mut command = self.program();
        command.args(["serve", "--policy"]).arg(self.path("home/policy.toml"));
        command.args(clients.iter().flat_map(|client| ["--http-client", client]));
        command.arg("--http-keys").arg(self.path("home/keys")).arg("--audit").arg(self.path("audit.jsonl"));
        command.args(options);
        let log = self.path("agent.log");
        command.stdout(File::create(self.path("app.env"))?).stderr(File::create(&log)?);
        let mut agent = Agent { process: Running(command.spawn()?), variables: BTreeMap::new() };
        let deadline = Instant::now() + SOON;
        while fs::read_to_string(&log)?.matches(" may have ").count() < clients.len() {
            let ended = agent.process.0.try_wait()?;
            if ended.is_some() || Instant::now() > deadline {
                bail!("the agent does not serve: {}", fs::read_to_string(&log)?.trim());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(agent)
    }

    /// The lines of the agent's audit.
    pub(crate) fn audit(&self) -> Result<Vec<Value>> {
        let text = fs::read_to_string(self.path("audit.jsonl"))?;
        Ok(text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
    }

    /// The cache that MSAL writes at the sign-in.
    fn document(&self) -> Value {
        let entry = |more: Value| {
            let mut fields = json!({ "home_account_id": HOME_ACCOUNT, "environment": AUTHORITY, "client_id": CLIENT });
            if let (Some(fields), Value::Object(more)) = (fields.as_object_mut(), more) {
                fields.extend(more);
            }
            fields
        };
        let access_tokens = PROFILES.iter().map(|(_, scope)| {
            let key = format!("{HOME_ACCOUNT}-{AUTHORITY}-accesstoken-{CLIENT}-{TENANT}-{scope}");
            let fields = json!({
                "credential_type": "AccessToken", "secret": self.access_token(scope), "target": scope,
                "realm": TENANT, "token_type": "Bearer", "cached_at": (self.expires_on - LIFETIME).to_string(),
                "expires_on": self.expires_on.to_string(), "extended_expires_on": self.expires_on.to_string(),
            });
            (key, entry(fields))
        });
        let refresh_token = json!({
            "credential_type": "RefreshToken", "secret": self.refresh_token(), "target": "", "family_id": "1",
            "last_modification_time": (self.expires_on - LIFETIME).to_string(),
        });
        let account = json!({
            "realm": TENANT, "local_account_id": "22222222-2222-3333-4444-555555555555", "username": USER,
            "authority_type": "MSSTS",
        });
        json!({
            "AccessToken": access_tokens.collect::<Map<_, _>>(),
            "RefreshToken": { (format!("{HOME_ACCOUNT}-{AUTHORITY}-refreshtoken-{CLIENT}--")): entry(refresh_token) },
            "Account": { (format!("{HOME_ACCOUNT}-{AUTHORITY}-{TENANT}")): entry(account) },
        })
    }
}

/// The policy with [`PROFILES`].
fn policy() -> String {
    let scopes: Vec<_> = PROFILES.iter().map(|(_, scope)| format!("{scope:?}")).collect();
    let profiles = PROFILES.iter().map(|(name, scope)| {
        format!("[[profiles]]\nname = {name:?}\nsource = \"shared\"\naccount = {USER:?}\nscopes = [{scope:?}]\n")
    });
    let start = format!(
        "authorities = [{AUTHORITY:?}]\nscopes = [{}]\ntenants = [\"*\"]\naccounts = [{USER:?}]\n\
         client-ids = [{CLIENT:?}]\nnetwork.addresses = [\"loopback\"]\n\n\
         [[caches]]\nsource = \"shared\"\nnames = [\"msal.cache\"]\naccess = \"read-write\"\n",
        scopes.join(", ")
    );
    profiles.fold(start, |text, profile| format!("{text}\n{profile}"))
}

/// The product's program, which is built before.
fn program() -> Result<PathBuf> {
    let path = root().join("target/release").join(format!("shared-token-cache{}", std::env::consts::EXE_SUFFIX));
    output(Command::new(&path).arg("--version"))
        .with_context(|| format!("{} can't be run; `cargo xtask build` makes it", path.display()))?;
    Ok(path)
}

/// An agent that serves, with the variables of its client.
pub(crate) struct Agent {
    process: Running,
    pub(crate) variables: BTreeMap<String, String>,
}

impl Agent {
    /// The client's key.
    pub(crate) fn key(&self) -> Result<&str> {
        self.variables.get("IDENTITY_HEADER").map(String::as_str).context("no IDENTITY_HEADER was printed")
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.process.0.id()
    }

    /// Its resident memory in KiB.
    pub(crate) fn memory(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

/// A process, ended on drop.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
