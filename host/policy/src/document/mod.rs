//! The policy as a TOML document. Each section has a file of its own; all problems are reported at
//! once.

mod caches;
mod fields;
mod limits;
mod lists;
mod log;
mod network;
mod print;
mod problems;
mod process;
mod profiles;
#[cfg(test)]
mod tests;

pub use problems::{PolicyError, Problem};

use toml::de::DeTable;

use crate::policy::{CloudAddresses, Policy};
use crate::scope;
use fields::Fields;
use print::Printer;
use problems::Problems;

impl Policy {
    /// Reads a policy document.
    ///
    /// ```
    /// use shared_token_cache_policy::Policy;
    ///
    /// let policy = Policy::from_toml(
    ///     r#"
    ///     authorities = ["login.microsoftonline.com"]
    ///
    ///     [[caches]]
    ///     source = "shared"
    ///     names = ["msal.cache"]
    ///     access = "read-write"
    ///
    ///     [limits]
    ///     call-seconds = 60
    ///     "#,
    /// );
    /// assert!(policy.is_ok());
    /// ```
    ///
    /// # Errors
    /// All problems of the document at once, unknown fields included.
    pub fn from_toml(text: &str) -> Result<Self, PolicyError> {
        parse(text)
    }

    /// Doubts about a document: valid texts that are probably not meant. None of them is a problem.
    #[must_use]
    pub fn doubts(text: &str) -> Vec<Problem> {
        doubts(text)
    }

    /// The document of this policy: [`Self::from_toml`] parses it to an equal policy.
    ///
    /// A value that a document cannot express, such as a limit of half a second, is written as the
    /// closest one that it can.
    ///
    /// ```
    /// # use shared_token_cache_policy::{AllowedTenant, Policy};
    /// let policy = Policy::default().allow_tenant(AllowedTenant::ANY);
    /// assert_eq!(Policy::from_toml(&policy.to_toml())?, policy);
    /// # Ok::<(), shared_token_cache_policy::PolicyError>(())
    /// ```
    #[must_use]
    pub fn to_toml(&self) -> String {
        print(self)
    }

    /// A JSON schema (draft 2020-12) of policy documents, for editors. Rules that a schema cannot
    /// express, such as that a path is absolute, are checked by [`Self::from_toml`] only.
    ///
    /// ```
    /// # use shared_token_cache_policy::Policy;
    /// assert!(Policy::json_schema().contains("https://json-schema.org/draft/2020-12/schema"));
    /// ```
    #[must_use]
    pub fn json_schema() -> &'static str {
        SCHEMA
    }
}

/// The schema for editors.
const SCHEMA: &str = include_str!("schema.json");

fn parse(text: &str) -> Result<Policy, PolicyError> {
    let problems = Problems::of(text);
    let policy = read(text, &problems);
    problems.into_result(policy)
}

/// Valid texts that are probably not meant.
fn doubts(text: &str) -> Vec<Problem> {
    let problems = Problems::of(text);
    read(text, &problems);
    problems.into_doubts()
}

fn read(text: &str, problems: &Problems<'_>) -> Policy {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let at = error.span().map_or(text.len(), |span| span.start);
        problems.add(at, "", error.message(), "");
    }
    // Parts that were not read would be reported again, as missing.
    if !problems.is_empty() {
        return Policy::default();
    }
    let mut root = Fields::root(table.into_inner(), problems);
    let profiles = profiles::read(&mut root);
    let mut policy = Policy {
        caches: caches::read(&mut root),
        authorities: lists::read(&mut root, "authorities"),
        scopes: lists::read_doubtful(&mut root, "scopes", scope::doubt),
        tenants: lists::read(&mut root, "tenants"),
        accounts: lists::read(&mut root, "accounts"),
        clients: lists::read(&mut root, "client-ids"),
        components: lists::read(&mut root, "component-sha256"),
        addresses: network::read(&mut root),
        limits: limits::read(&mut root),
        log: log::read(&mut root),
        core_dumps: process::read(&mut root),
        profiles: Vec::new(),
        clouds: CloudAddresses::AsOthers,
    };
    profiles::add(profiles, &mut policy);
    root.finish();
    policy
}

/// The document of a policy.
fn print(policy: &Policy) -> String {
    let Policy {
        caches,
        authorities,
        scopes,
        tenants,
        accounts,
        clients,
        components,
        addresses,
        limits,
        log,
        core_dumps,
        profiles,
        // Not part of the document: a written policy applies as written.
        clouds: _,
    } = policy;
    let mut to = Printer::default();
    lists::print("authorities", authorities, &mut to);
    lists::print("scopes", scopes, &mut to);
    lists::print("tenants", tenants, &mut to);
    lists::print("accounts", accounts, &mut to);
    lists::print("client-ids", clients, &mut to);
    lists::print("component-sha256", components, &mut to);
    caches::print(caches, &mut to);
    network::print(addresses, &mut to);
    limits::print(limits, &mut to);
    log::print(log, &mut to);
    process::print(*core_dumps, &mut to);
    profiles::print(profiles, &mut to);
    to.finish()
}
