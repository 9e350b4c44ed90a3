//! The policy as a TOML document.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::{Access, AuthorityHost, CacheGrant, CacheName, Leniency, Limits, Policy, Source};

/// All that is wrong with a policy document, one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError {
    problems: Vec<String>,
}

impl PolicyError {
    /// The problems, each saying where it is and what would be right.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}

impl std::error::Error for PolicyError {}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the policy can't be used: ")?;
        f.write_str(&self.problems.join("; "))
    }
}

/// A field that nobody knows lands in `unknown`, so that all of them can be reported.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct RawPolicy {
    #[serde(default)]
    caches: Vec<RawCache>,
    #[serde(default)]
    authorities: Vec<String>,
    #[serde(default)]
    limits: RawLimits,
    #[serde(flatten)]
    unknown: BTreeMap<String, toml::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct RawCache {
    source: Option<String>,
    #[serde(default)]
    names: Vec<String>,
    access: Option<String>,
    loose_permissions: Option<String>,
    other_owner: Option<String>,
    #[serde(default)]
    symlink_targets: Vec<PathBuf>,
    #[serde(flatten)]
    unknown: BTreeMap<String, toml::Value>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct RawLimits {
    guest_memory_mib: Option<u64>,
    call_seconds: Option<u64>,
    document_mib: Option<u64>,
    response_kib: Option<u64>,
    #[serde(flatten)]
    unknown: BTreeMap<String, toml::Value>,
}

pub(super) fn parse(text: &str) -> Result<Policy, PolicyError> {
    let raw: RawPolicy =
        toml::from_str(text).map_err(|error| PolicyError { problems: vec![error.to_string().trim().to_owned()] })?;
    let mut problems = Problems(Vec::new());
    problems.unknown("", &raw.unknown);

    let mut policy = Policy::default();
    for (position, cache) in raw.caches.into_iter().enumerate() {
        if let Some(grant) = grant(&format!("caches[{position}]"), cache, &mut problems) {
            policy = policy.allow_cache(grant);
        }
    }
    for (position, host) in raw.authorities.iter().enumerate() {
        if let Some(host) = problems.keep(&format!("authorities[{position}]"), host.parse::<AuthorityHost>()) {
            policy = policy.allow_authority(host);
        }
    }
    policy = policy.limits(limits(&raw.limits, &mut problems));
    if problems.0.is_empty() { Ok(policy) } else { Err(PolicyError { problems: problems.0 }) }
}

fn grant(place: &str, raw: RawCache, problems: &mut Problems) -> Option<CacheGrant> {
    problems.unknown(&format!("{place}."), &raw.unknown);
    let source = raw.source.as_deref().ok_or_else(|| "is missing".to_owned()).and_then(str::parse::<Source>);
    let source = problems.keep(&format!("{place}.source"), source);
    let access = match raw.access.as_deref() {
        Some("read") => Ok(Access::Read),
        Some("read-write") => Ok(Access::ReadWrite),
        Some(other) => Err(format!("{other:?} is not an access; choose `read` or `read-write`")),
        None => Err("is missing; choose `read` or `read-write`".into()),
    };
    let access = problems.keep(&format!("{place}.access"), access);
    let mut leniency = |field, value: Option<&str>| match value.map(leniency).transpose() {
        Ok(leniency) => Some(leniency),
        Err(problem) => {
            problems.add(&format!("{place}.{field}"), &problem);
            None
        }
    };
    let loose_permissions = leniency("loose-permissions", raw.loose_permissions.as_deref());
    let other_owner = leniency("other-owner", raw.other_owner.as_deref());
    for (position, target) in raw.symlink_targets.iter().enumerate() {
        if !target.is_absolute() {
            problems.add(&format!("{place}.symlink-targets[{position}]"), "the path has to be absolute");
        }
    }
    let names: Vec<_> = raw
        .names
        .iter()
        .enumerate()
        .filter_map(|(position, name)| problems.keep(&format!("{place}.names[{position}]"), CacheName::parse(name)))
        .collect();

    let source = source?;
    match &source {
        Source::File(path) if !path.is_absolute() => {
            problems.add(&format!("{place}.source"), "the path of a file has to be absolute");
        }
        Source::File(_) if !raw.names.is_empty() => {
            problems.add(&format!("{place}.names"), "a file serves whichever cache is asked for; leave its names out");
        }
        Source::Shared | Source::AzureCli if raw.names.is_empty() => {
            problems.add(&format!("{place}.names"), "names no cache; write for example `names = [\"msal.cache\"]`");
        }
        Source::File(_) | Source::Shared | Source::AzureCli => {}
    }
    let mut grant = CacheGrant::new(source, access?);
    if let Some(leniency) = loose_permissions? {
        grant = grant.loose_permissions(leniency);
    }
    if let Some(leniency) = other_owner? {
        grant = grant.other_owner(leniency);
    }
    grant = raw.symlink_targets.into_iter().fold(grant, CacheGrant::symlink_target);
    Some(names.into_iter().fold(grant, CacheGrant::name))
}

fn leniency(text: &str) -> Result<Leniency, String> {
    match text {
        "refuse" => Ok(Leniency::Refuse),
        "warn" => Ok(Leniency::Warn),
        other => Err(format!("{other:?} is not known; choose `refuse` or `warn`")),
    }
}

fn limits(raw: &RawLimits, problems: &mut Problems) -> Limits {
    problems.unknown("limits.", &raw.unknown);
    let mut limits = Limits::default();
    // A component needs some memory to start, and wasm32 ends at 4 GiB.
    if let Some(mib) = problems.within("limits.guest-memory-mib", raw.guest_memory_mib, 4, 4096) {
        limits.guest_memory = usize::try_from(mib << 20).unwrap_or(usize::MAX);
    }
    if let Some(seconds) = problems.within("limits.call-seconds", raw.call_seconds, 1, 3600) {
        limits.call_time = Duration::from_secs(seconds);
    }
    if let Some(mib) = problems.within("limits.document-mib", raw.document_mib, 1, 2048) {
        limits.document_size = mib << 20;
    }
    if let Some(kib) = problems.within("limits.response-kib", raw.response_kib, 16, 65_536) {
        limits.response_size = usize::try_from(kib << 10).unwrap_or(usize::MAX);
    }
    limits
}

struct Problems(Vec<String>);

impl Problems {
    fn add(&mut self, place: &str, problem: &str) {
        self.0.push(format!("`{place}`: {problem}"));
    }

    fn keep<T>(&mut self, place: &str, result: Result<T, String>) -> Option<T> {
        result.map_err(|problem| self.add(place, &problem)).ok()
    }

    fn within(&mut self, place: &str, value: Option<u64>, least: u64, most: u64) -> Option<u64> {
        let value = value?;
        if (least..=most).contains(&value) {
            return Some(value);
        }
        self.add(place, &format!("{value} is not between {least} and {most}"));
        None
    }

    fn unknown(&mut self, prefix: &str, fields: &BTreeMap<String, toml::Value>) {
        for name in fields.keys() {
            self.add(&format!("{prefix}{name}"), "is not a field of the policy");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_arrives_where_it_is_enforced() {
        let policy = parse(
            r#"
            authorities = ["login.microsoftonline.com", "localhost:8443"]

            [[caches]]
            source = "shared"
            names = ["msal.cache", "other"]
            access = "read-write"
            loose-permissions = "refuse"
            other-owner = "warn"
            symlink-targets = ["/mnt/caches/other.cae"]

            [[caches]]
            source = "file:/var/cache/tokens.json"
            access = "read"

            [limits]
            guest-memory-mib = 64
            call-seconds = 5
            document-mib = 8
            response-kib = 32
            "#,
        )
        .unwrap();
        let shared = policy.grant(&Source::Shared, "other.cae").unwrap();
        assert_eq!(shared.access(), Access::ReadWrite);
        assert_eq!((shared.get_loose_permissions(), shared.get_other_owner()), (Leniency::Refuse, Leniency::Warn));
        assert_eq!(shared.get_symlink_targets(), [PathBuf::from("/mnt/caches/other.cae")]);
        let file = policy.grant(&Source::File("/var/cache/tokens.json".into()), "any.nocae").unwrap();
        assert_eq!(file.access(), Access::Read);
        assert_eq!((file.get_loose_permissions(), file.get_other_owner()), (Leniency::Warn, Leniency::Refuse));
        assert!(file.get_symlink_targets().is_empty());
        assert!(policy.token_endpoint("https://localhost:8443/t/oauth2/v2.0/token").is_ok());
        assert_eq!(
            *policy.get_limits(),
            Limits {
                guest_memory: 64 << 20,
                call_time: Duration::from_secs(5),
                document_size: 8 << 20,
                response_size: 32 << 10,
                ..Limits::default()
            }
        );
    }

    #[test]
    fn an_empty_document_grants_nothing() {
        assert_eq!(parse("").unwrap(), Policy::default());
    }

    #[test]
    fn all_problems_are_reported_at_once() {
        let error = parse(
            r#"
            authorities = ["https://*.example", "login.contoso.com/x"]
            scopes = ["*"]

            [[caches]]
            source = "keyring"
            names = ["../etc"]
            acess = "read"

            [[caches]]
            source = "file:relative.json"
            access = "write"

            [[caches]]
            source = "shared"
            access = "read"
            loose-permissions = "ignore"
            other-owner = "any"
            symlink-targets = ["elsewhere"]

            [limits]
            call-seconds = 0
            requests = 7
            "#,
        )
        .unwrap_err();
        let places: Vec<_> = error.problems().iter().map(|problem| problem.split(':').next().unwrap()).collect();
        assert_eq!(
            places,
            [
                "`scopes`",
                "`caches[0].acess`",
                "`caches[0].source`",
                "`caches[0].access`",
                "`caches[0].names[0]`",
                "`caches[1].access`",
                "`caches[1].source`",
                "`caches[2].loose-permissions`",
                "`caches[2].other-owner`",
                "`caches[2].symlink-targets[0]`",
                "`caches[2].names`",
                "`authorities[0]`",
                "`authorities[1]`",
                "`limits.requests`",
                "`limits.call-seconds`",
            ],
            "{error}"
        );
    }

    #[test]
    fn what_is_no_toml_is_reported_with_its_place() {
        let error = parse("authorities = [").unwrap_err();
        assert!(error.to_string().contains("line 1"), "{error}");
    }
}
