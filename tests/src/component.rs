//! Runs a case through the component in the host: real files in a temporary home, and a token endpoint over TLS.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use shared_token_cache as host;
use shared_token_cache::policy::{Access, CacheGrant, CacheName, Policy, Source};
use shared_token_cache::{Builder, Clock, Error, HostSettings, Places, SharedTokenCacheCredential, TransportOptions};
use tempfile::TempDir;
use token_endpoint::TokenEndpoint;

use crate::case::{Candidate, Case, Documents, OAuth, Outcome, Recorded};
use crate::endpoint::Script;
use crate::guest_memory::Scan;
use crate::{home, listen};

/// Runs `case`.
///
/// # Errors
/// All differences from the case.
pub fn run(case: &Case) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(in_words)?;
    let (recorded, heard) = listen::everything(|| runtime.block_on(play(case)));
    let mut recorded = recorded?;
    if heard.is_empty() && recorded.outcomes.iter().any(|outcome| matches!(outcome, Outcome::Token { .. })) {
        recorded.problems.push("nothing was heard of the case, so nothing is known of its log".into());
    }
    recorded.said.extend(heard);
    let problems = case.problems(&recorded);
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

async fn play(case: &Case) -> Result<Recorded, String> {
    let (script, respond) = Script::new(case);
    let endpoint = TokenEndpoint::start(respond).await.map_err(in_words)?;
    let home = Home::new(&case.before, endpoint.ca_pem()).map_err(in_words)?;
    let time = Arc::new(AtomicU64::new(0));
    let mut recorded = Recorded::default();
    // The library takes a parsed record, so invalid text is refused before there is a credential.
    let record = case.options.authentication_record.as_ref();
    if let Some(Err(error)) = record.map(|record| host::AuthenticationRecord::from_json(&record.to_string())) {
        let refusal = || neutral(Err(Error::InvalidArgument(error.to_string())));
        recorded.outcomes = case.calls.iter().map(|_| refusal()).collect::<Result<_, _>>()?;
        recorded.documents = home.documents().map_err(in_words)?;
        return Ok(recorded);
    }
    let credential = credential(case, &home, &endpoint, ScriptedClock(Arc::clone(&time)))?;
    let mut scan = Scan::of(case);
    let mut known = home.fingerprints().map_err(in_words)?;
    for call in &case.calls {
        time.store(call.now, Ordering::SeqCst);
        script.begin_call();
        if !call.replaced_before.is_empty() {
            home.write(&call.replaced_before).map_err(in_words)?;
            known = home.fingerprints().map_err(in_words)?;
        }
        if call.close_before {
            credential.close().await.map_err(in_words)?;
            scan.closed();
        }
        let request = host::TokenRequestOptions {
            claims: call.claims.clone(),
            tenant_id: call.tenant_id.clone(),
            enable_cae: call.enable_cae,
            min_validity: call.min_validity.map(|seconds| Duration::from_secs(seconds.into())),
        };
        let outcome = credential.get_token_with(&call.scopes, request).await;
        recorded.said.push(format!("{credential:?} {outcome:?} {outcome:#?}"));
        // The credential's pool keeps the instance with its memory.
        recorded.problems.extend(scan.problems(&home.documents().map_err(in_words)?));
        recorded.outcomes.push(neutral(outcome)?);

        let now = home.fingerprints().map_err(in_words)?;
        recorded.written.extend(now.difference(&known).map(|(name, _)| name.clone()));
        known = now;
    }
    recorded.problems.extend(script.problems());
    recorded.documents = home.documents().map_err(in_words)?;
    Ok(recorded)
}

fn credential(
    case: &Case,
    home: &Home,
    endpoint: &TokenEndpoint,
    clock: ScriptedClock,
) -> Result<SharedTokenCacheCredential, String> {
    let options = case.options.clone();
    let mut builder = SharedTokenCacheCredential::builder()
        .policy(policy(case)?)
        .sources([Source::Shared])
        .places(Places::below(home.folder.path()))
        .host_settings(settings(case)?)
        .transport(transport(case, home, endpoint))
        .clock(clock)
        .enable_guest_tenant_authentication(options.enable_guest_tenant_authentication);
    builder = with(builder, options.username, Builder::username);
    builder = with(builder, options.authority, Builder::authority);
    builder = with(builder, options.tenant_id, Builder::tenant_id);
    builder = with(builder, options.client_id, Builder::client_id);
    if let Some(record) = options.authentication_record {
        builder = builder
            .authentication_record(host::AuthenticationRecord::from_json(&record.to_string()).map_err(in_words)?);
    }
    for tenant in options.additionally_allowed_tenants {
        builder = builder.additionally_allowed_tenant(tenant);
    }
    if let Some(persistence) = options.cache_persistence_options {
        builder = builder.cache_persistence_options(host::CachePersistenceOptions {
            name: persistence.name,
            allow_unencrypted_storage: persistence.allow_unencrypted_storage,
        });
    }
    builder.build().map_err(in_words)
}

fn with(builder: Builder, value: Option<String>, set: impl FnOnce(Builder, String) -> Builder) -> Builder {
    match value {
        Some(value) => set(builder, value),
        None => builder,
    }
}

/// Grants the cache of the case, and the authorities of its requests.
fn policy(case: &Case) -> Result<Policy, String> {
    let named = case.options.cache_persistence_options.as_ref().and_then(|options| options.name.as_deref());
    // The credential refuses a name that does not parse.
    let name = named.map(CacheName::parse).transpose().unwrap_or_default().unwrap_or_default();
    let mut policy = home::anything().allow_cache(CacheGrant::new(Source::Shared, Access::ReadWrite).with_name(name));
    for host in hosts(case) {
        policy = policy.allow_authority(host.parse()?);
    }
    Ok(policy)
}

fn settings(case: &Case) -> Result<HostSettings, String> {
    let mut settings = HostSettings::default();
    settings.default_authority_host.clone_from(&case.settings.default_authority_host);
    settings.disable_multitenant_authentication = case.settings.disable_multitenant_authentication;
    settings.agent_session = case.settings.agent_session.as_deref().map(str::parse).transpose().map_err(in_words)?;
    Ok(settings)
}

fn transport(case: &Case, home: &Home, endpoint: &TokenEndpoint) -> TransportOptions {
    let mut transport = TransportOptions::default();
    transport.ca_file = Some(home.ca_file());
    transport.resolve = hosts(case).into_iter().map(|host| (host, endpoint.address())).collect();
    transport.proxy_from_env = false;
    transport.most_retries = 1;
    transport.retry_delay = Duration::from_millis(1);
    transport
}

/// The hosts of the case's requests.
fn hosts(case: &Case) -> BTreeSet<String> {
    let urls = case.traffic.iter().filter_map(|exchange| exchange.request.url.strip_prefix("https://"));
    urls.filter_map(|rest| rest.split('/').next()).map(str::to_owned).collect()
}

struct ScriptedClock(Arc<AtomicU64>);

impl Clock for ScriptedClock {
    fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A home folder with the case's documents.
struct Home {
    folder: TempDir,
}

impl Home {
    fn new(documents: &Documents, ca_pem: &str) -> io::Result<Self> {
        let home = Self { folder: tempfile::tempdir()? };
        fs::write(home.ca_file(), ca_pem)?;
        fs::create_dir(home.caches())?;
        home.write(documents)?;
        Ok(home)
    }

    fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn caches(&self) -> PathBuf {
        self.folder.path().join(".IdentityService")
    }

    /// Writes documents as other programs do: a new file replaces the old one.
    fn write(&self, documents: &Documents) -> io::Result<()> {
        for (name, content) in documents {
            let mut temporary = tempfile::NamedTempFile::new_in(self.folder.path())?;
            io::Write::write_all(&mut temporary, content)?;
            temporary.persist(self.caches().join(name))?;
        }
        Ok(())
    }

    fn documents(&self) -> io::Result<Documents> {
        let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.paths()?.into_iter().map(|path| Ok((name(&path), fs::read(&path)?))).collect()
    }

    /// The attributes of a file that a write changes.
    fn fingerprints(&self) -> io::Result<BTreeSet<(String, String)>> {
        let of = |path: PathBuf| {
            let metadata = fs::metadata(&path)?;
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Ok((name, format!("{:?} {:?}", metadata.modified()?, inode(&metadata))))
        };
        self.paths()?.into_iter().map(of).collect()
    }

    fn paths(&self) -> io::Result<Vec<PathBuf>> {
        fs::read_dir(self.caches())?.map(|entry| Ok(entry?.path())).collect()
    }
}

#[cfg(unix)]
fn inode(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_: &fs::Metadata) -> u64 {
    0
}

pub(crate) fn neutral(outcome: Result<host::IssuedToken, Error>) -> Result<Outcome, String> {
    let error = match outcome {
        Ok(served) => {
            let token = served.access_token;
            return Ok(Outcome::Token {
                token: token.token.expose().to_owned(),
                expires_on: token.expires_on,
                refresh_on: token.refresh_on,
                token_type: token.token_type,
            });
        }
        Err(error @ (Error::Component(_) | Error::Limit(_))) => return Err(format!("the component broke: {error:?}")),
        Err(error) => error,
    };
    let (candidates, oauth) = match &error {
        Error::CredentialUnavailable(unavailable) => (unavailable.candidates.clone(), None),
        Error::ClientAuthentication(failure) => (Vec::new(), failure.oauth.clone()),
        _ => (Vec::new(), None),
    };
    Ok(Outcome::Error {
        kind: error.kind().to_owned(),
        reason: error.reason().map(str::to_owned),
        message: error.to_string(),
        candidates: candidates
            .into_iter()
            .map(|account| Candidate { username: account.username, home_tenant_id: account.home_tenant_id })
            .collect(),
        oauth: oauth.map(|oauth| OAuth {
            code: oauth.code,
            suberror: oauth.suberror,
            description: oauth.description,
            error_codes: oauth.error_codes,
            claims: oauth.claims,
            correlation_id: oauth.correlation_id,
        }),
    })
}

fn in_words(error: impl std::error::Error) -> String {
    error.to_string()
}
