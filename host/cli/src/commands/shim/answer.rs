//! Answers and error messages in the form of another tool.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use serde_json::json;
use shared_token_cache::escaped;

use super::cloud::Cloud;
use super::signed_in::{self, Subscription};
use super::{az, next};
use crate::commands::arguments::TokenForm;
use crate::commands::ask::{self, Ask, SignedIn};
use crate::commands::called::Tool;
use crate::commands::forms::{self, Besides};
use crate::commands::output::{Failure, print, print_secret};
use crate::commands::{broker, presets};

/// A token request to a tool.
#[derive(Debug)]
pub(super) struct TokenAnswer {
    pub(super) resource: Resource,
    pub(super) tenant: Option<String>,
    pub(super) subscription: Option<String>,
    pub(super) claims: Option<String>,
    pub(super) shape: Shape,
}

/// The target of a token, as the command line names it.
#[derive(Debug)]
pub(super) enum Resource {
    Named(String),
    /// A resource that differs between clouds.
    Kind(&'static str),
    Scopes(Vec<String>),
}

/// The output format of a token.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    Az,
    Azd,
    Bare,
    /// The token as the only field: without quotes, or as JSON.
    Field {
        tsv: bool,
    },
}

/// The reason why a request is not answered.
enum Refusal {
    /// An error in the tool's own words.
    Said(String),
    Failed(Failure),
    /// The request is for the next program of this name.
    Next,
}

pub(super) fn token(tool: Tool, wanted: &TokenAnswer, arguments: &[OsString]) -> ExitCode {
    crate::commands::log_to_stderr("shared_token_cache=error", true);
    finish(tool, arguments, find(wanted))
}

fn find(wanted: &TokenAnswer) -> Result<(), Refusal> {
    let (asked, tenant, subscription) = match broker::Broker::from_env() {
        Some(_) => in_sandbox(wanted)?,
        None => on_host(wanted)?,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::other)?;
    let token = runtime.block_on(ask::token(asked))?;
    runtime.shutdown_timeout(crate::commands::LAST_WORK);
    // The answer names the token's own tenant where the token says it.
    let tenant = broker::tenant_of(token.token.expose()).or(tenant);
    let besides = Besides { tenant: tenant.as_deref(), subscription: subscription.as_deref(), ..Besides::default() };
    let form = match wanted.shape {
        Shape::Az => TokenForm::Az,
        Shape::Azd => TokenForm::Azd,
        Shape::Bare | Shape::Field { tsv: true } => TokenForm::Token,
        Shape::Field { tsv: false } => TokenForm::Quoted,
    };
    print_secret(&forms::line(&token, form, &besides)?)?;
    Ok(())
}

/// The request, and the tenant and the subscription in the answer.
type Asked = (Ask, Option<String>, Option<String>);

/// Resolves a request as the Azure CLI does, by the account and the tenant of a subscription.
fn on_host(wanted: &TokenAnswer) -> Result<Asked, Refusal> {
    let found = signed_in::subscription(wanted.subscription.as_deref()).map_err(Refusal::Said)?;
    let Subscription { username, tenant, id, cloud: Some(cloud), is_user: true, .. } = found else {
        return Err(Refusal::Next);
    };
    let scopes = scopes(&wanted.resource, cloud)?;
    // A call that names another tenant gets an answer without a subscription.
    let subscription = wanted.tenant.is_none().then_some(id);
    let tenant = wanted.tenant.clone().unwrap_or(tenant);
    let claims = wanted.claims.clone();
    let signed_in = Some(SignedIn { username, authority: cloud.authority });
    Ok((Ask { scopes, tenant: Some(tenant.clone()), claims, signed_in }, Some(tenant), subscription))
}

/// Resolves a request from the environment variables of a sandbox.
fn in_sandbox(wanted: &TokenAnswer) -> Result<Asked, Refusal> {
    let scopes = scopes(&wanted.resource, Cloud::public())?;
    let subscription = wanted.subscription.clone().or_else(|| variable(&SUBSCRIPTIONS));
    let subscription = subscription.filter(|_| wanted.tenant.is_none());
    let tenant = wanted.tenant.clone().or_else(|| variable(&TENANTS));
    let ask = Ask { scopes, tenant: tenant.clone(), claims: wanted.claims.clone(), signed_in: None };
    Ok((ask, tenant, subscription))
}

/// The variables with a sandbox's subscription and tenant: the Azure SDKs' first, then Terraform's.
const SUBSCRIPTIONS: [&str; 2] = ["AZURE_SUBSCRIPTION_ID", "ARM_SUBSCRIPTION_ID"];
const TENANTS: [&str; 2] = ["AZURE_TENANT_ID", "ARM_TENANT_ID"];

fn variable(names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
}

fn scopes(resource: &Resource, cloud: &Cloud) -> Result<Vec<String>, Refusal> {
    match resource {
        Resource::Scopes(scopes) => Ok(scopes.clone()),
        Resource::Named(resource) => Ok(vec![presets::scope_of(resource)]),
        Resource::Kind(kind) => match cloud.resource(kind) {
            Some(resource) => Ok(vec![presets::scope_of(resource)]),
            None => Err(Refusal::Said(format!("The endpoint for '{kind}' is not set in this cloud."))),
        },
    }
}

/// `az account show`.
pub(super) fn account(tool: Tool, print: &az::Print, arguments: &[OsString]) -> ExitCode {
    let entry = if broker::Broker::from_env().is_some() {
        let (id, tenant) = (variable(&SUBSCRIPTIONS), variable(&TENANTS));
        match (print.subscription.clone().or(id), tenant) {
            (Some(id), Some(tenant)) => Ok(json!({
                "environmentName": "AzureCloud", "homeTenantId": tenant, "id": id, "isDefault": true,
                "managedByTenants": [], "name": id, "state": "Enabled", "tenantId": tenant,
                "user": { "name": "shared-token-cache", "type": "user" },
            })),
            _ => Err(format!(
                "{} This sandbox does not say its subscription: set AZURE_SUBSCRIPTION_ID and AZURE_TENANT_ID.",
                signed_in::NOT_SIGNED_IN
            )),
        }
    } else {
        signed_in::subscription(print.subscription.as_deref()).map(|found| found.entry)
    };
    match entry {
        Ok(entry) => printed(tool, print.line(&entry).or_else(|| Some(entry.to_string()))),
        Err(what) => finish(tool, arguments, Err(Refusal::Said(what))),
    }
}

/// Prints lines that hold no secret.
pub(super) fn printed(tool: Tool, line: Option<String>) -> ExitCode {
    let lines = line.unwrap_or_default();
    // It may contain foreign text, so each of its lines is escaped.
    let outcome = lines.lines().try_for_each(print).map_err(Refusal::from);
    finish(tool, &[], outcome)
}

/// Reports an invalid command line.
pub(super) fn wrong(what: &str) -> ExitCode {
    say(what);
    ExitCode::from(2)
}

fn finish(tool: Tool, arguments: &[OsString], outcome: Result<(), Refusal>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Refusal::Next) => next::run(tool, arguments),
        Err(Refusal::Failed(failure)) if failure.is_closed_output() => ExitCode::FAILURE,
        Err(Refusal::Said(what)) => {
            say(&in_words_of(tool, &what));
            ExitCode::FAILURE
        }
        Err(Refusal::Failed(failure)) => {
            let message = match failure.hint() {
                Some(hint) => format!("{}; {hint}", failure.message()),
                None => failure.message(),
            };
            // Chains of credentials continue after a tool's message "not signed in", and stop at an
            // error code of the authority.
            if failure.is_unavailable() {
                say(&in_words_of(tool, signed_in::NOT_SIGNED_IN));
            }
            if !failure.is_unavailable() || !message.contains("AADSTS") {
                say(&message);
            }
            ExitCode::FAILURE
        }
    }
}

/// The text that SDKs search for differs between tools.
fn in_words_of(tool: Tool, what: &str) -> String {
    match tool {
        Tool::Az => what.to_owned(),
        Tool::Azd if what == signed_in::NOT_SIGNED_IN => "not logged in, run `azd auth login` to login".to_owned(),
        Tool::Azd | Tool::AzureAuthHelper | Tool::AdoAuthHelper => what.to_owned(),
    }
}

fn say(what: &str) {
    // A closed stderr cannot be reported.
    drop(writeln!(std::io::stderr(), "ERROR: {}", escaped(what)));
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}
