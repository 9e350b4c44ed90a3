use std::path::Path;
use std::process::ExitCode;

use shared_token_cache::policy::{Policy, ProfileName, bare_resource};
use shared_token_cache::{AuditFile, Builder, IssuedToken, TokenRequestOptions, TransportOptions};
use shared_token_cache_storage::FilesInUse;

use super::arguments::{GetToken, TokenForm};
use super::ask::Ask;
use super::broker::Broker;
use super::credential::{self, with};
use super::filters::{self, Filters};
use super::forms::{self, Besides, Token};
use super::output::{Failure, print_secret};
use super::{called, in_use, presets, validity};

pub(super) async fn run(arguments: GetToken) -> Result<ExitCode, Failure> {
    if let Some(name) = &arguments.variable {
        forms::check_variable(name)?;
        if arguments.output != TokenForm::Env {
            return Err(Failure::invalid("--variable is for `--output env` only"));
        }
    }
    let (form, variable, tenant) = (
        arguments.output,
        arguments.variable.clone(),
        arguments.request_tenant.clone().or(arguments.tenant_id.clone()),
    );
    let validity = arguments.min_validity.unwrap_or_default();
    let asked_at = validity::now();
    let token = match (Broker::from_env(), arguments.preset) {
        // A link has no options, so in a sandbox the broker is the only sign-in that can be meant.
        (Some(broker), Some(preset)) if called::is_by_link() => {
            let scopes = vec![preset.scope().to_owned()];
            broker.token(&Ask { scopes, tenant: tenant.clone(), claims: None, signed_in: None }, validity).await?
        }
        _ => Token::from(obtain(arguments).await?),
    };
    validity.check(token.expires_on, asked_at)?;
    let besides = Besides { tenant: tenant.as_deref(), variable: variable.as_deref(), ..Besides::default() };
    print_secret(&forms::line(&token, form, &besides)?)?;
    Ok(ExitCode::SUCCESS)
}

/// Obtains the token of the arguments.
pub(super) async fn obtain(arguments: GetToken) -> Result<IssuedToken, Failure> {
    let policy = credential::policy(&arguments.sign_in)?;
    let used = in_use::of(
        &policy,
        [
            ("the policy", arguments.sign_in.policy.as_deref()),
            ("the component", arguments.sign_in.component.as_deref()),
            ("the CA file", arguments.ca_file.as_deref()),
            ("the authentication record", arguments.authentication_record.as_deref()),
        ],
    );
    let audit = arguments.audit.as_deref().map(|path| audit(path, &used)).transpose()?;
    if let Some(name) = &arguments.profile {
        return of_profile(&policy, name, &arguments, audit).await;
    }
    let (filters, validity) = (Filters::of(&arguments), arguments.min_validity.unwrap_or_default());
    let scopes = scopes(&arguments);
    let mut transport = TransportOptions::default();
    transport.ca_file = arguments.ca_file;
    let mut builder = credential::under(policy, arguments.sign_in)?.transport(transport);
    builder = with(builder, arguments.username, Builder::username);
    builder = with(builder, arguments.tenant_id, Builder::tenant_id);
    if let Some(audit) = audit {
        builder = builder.audit(audit);
    }
    if let Some(path) = &arguments.authentication_record {
        builder = builder.authentication_record(credential::record(path)?);
    }
    for tenant in arguments.additionally_allowed_tenants {
        builder = builder.additionally_allowed_tenant(tenant);
    }
    let request = TokenRequestOptions {
        claims: arguments.claims,
        tenant_id: arguments.request_tenant,
        enable_cae: arguments.enable_cae,
        ..validity.request()
    };
    let hint = scopes.iter().find_map(|scope| {
        let resource = bare_resource(scope)?;
        Some(format!("{scope} is a resource without a permission; try `--scope {resource}/.default`"))
    });
    let served = builder.build()?.get_token_with(&scopes, request).await;
    served.map_err(|error| Failure::from(filters.name_in(error)).with_hint(hint))
}

/// The scopes of `--scope`, `--resource` or `--preset`.
fn scopes(arguments: &GetToken) -> Vec<String> {
    let resource = arguments.resource.as_deref().map(presets::scope_of);
    let preset = arguments.preset.map(|preset| preset.scope().to_owned());
    arguments.scopes.iter().cloned().chain(resource).chain(preset).collect()
}

/// The token of a profile. The policy sets all options, so the command line can set none.
async fn of_profile(
    policy: &Policy,
    name: &ProfileName,
    arguments: &GetToken,
    audit: Option<AuditFile>,
) -> Result<IssuedToken, Failure> {
    if let Some(flag) = ["--username", "--tenant-id"].into_iter().find(|flag| filters::is_given(flag)) {
        return Err(Failure::invalid_with_hint(format!("{flag} has no effect with --profile"), "set it in the policy"));
    }
    let profile = policy.profile(name.as_str()).ok_or_else(|| {
        let names: Vec<_> = policy.profiles().iter().map(|profile| profile.name().as_str()).collect();
        Failure::invalid(format!("the policy has no profile {name}; its profiles: {}", names.join(", ")))
    })?;
    let mut builder =
        credential::for_profile(policy, profile, arguments.sign_in.authority.as_deref(), arguments.ca_file.as_deref())?;
    builder = credential::component(builder, arguments.sign_in.component.clone())?;
    if let Some(audit) = audit {
        builder = builder.audit(audit);
    }
    let validity = arguments.min_validity.unwrap_or_default();
    let request = TokenRequestOptions { tenant_id: profile.tenant().map(str::to_owned), ..validity.request() };
    Ok(builder.build()?.get_token_with(profile.scopes(), request).await?)
}

/// Opens the audit file before the token is requested: without an audit line, no token is issued.
fn audit(path: &Path, used: &FilesInUse) -> Result<AuditFile, Failure> {
    check_audit(path, used)?;
    AuditFile::open(path).map_err(|error| no_audit(path, &error))
}

/// Refuses an audit file that the command uses for another purpose. Such a file may be empty or not
/// exist yet.
pub(super) fn check_audit(path: &Path, used: &FilesInUse) -> Result<(), Failure> {
    match used.purpose(path) {
        Some(purpose) => Err(no_audit(path, &format!("it is {purpose}; choose another path"))),
        None => Ok(()),
    }
}

pub(super) fn no_audit(path: &Path, why: &dyn std::fmt::Display) -> Failure {
    Failure::invalid(format!("cannot open the audit file {}, so no token is requested: {why}", path.display()))
}
