use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;
use shared_token_cache::policy::bare_resource;
use shared_token_cache::{AuditFile, Builder, Served, TokenRequestOptions, TransportOptions, write_json};
use shared_token_cache_storage::FilesInUse;
use zeroize::Zeroizing;

use super::arguments::{GetToken, TokenForm};
use super::credential::{self, with};
use super::filters::Filters;
use super::in_use;
use super::output::{Failure, print_secret};

pub(super) async fn run(arguments: GetToken) -> Result<ExitCode, Failure> {
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
    let filters = Filters::of(&arguments);
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
    };
    let hint = arguments.scopes.iter().find_map(|scope| {
        let resource = bare_resource(scope)?;
        Some(format!("{scope} is a resource without a permission; try `--scope {resource}/.default`"))
    });
    let served = builder.build()?.get_token_with(&arguments.scopes, request).await;
    let served = served.map_err(|error| Failure::from(filters.name_in(error)).with_hint(hint))?;
    print_secret(&line(&served, arguments.output)?)?;
    Ok(ExitCode::SUCCESS)
}

/// Opened before a token is asked for: one that cannot be accounted for is not handed out.
fn audit(path: &Path, used: &FilesInUse) -> Result<AuditFile, Failure> {
    check_audit(path, used)?;
    AuditFile::open(path).map_err(|error| no_audit(path, &error))
}

/// Refuses an audit file that is another file of the command. A line would damage it, and it may be empty or not exist yet.
pub(super) fn check_audit(path: &Path, used: &FilesInUse) -> Result<(), Failure> {
    match used.purpose(path) {
        Some(purpose) => Err(no_audit(path, &format!("it is {purpose}; choose another path"))),
        None => Ok(()),
    }
}

pub(super) fn no_audit(path: &Path, why: &dyn std::fmt::Display) -> Failure {
    Failure::invalid(format!("the audit file {} can't be opened, so no token is asked for: {why}", path.display()))
}

/// The object of `--output strings`. What there is no value for is left out.
#[derive(Serialize)]
struct Strings<'a> {
    expires_on: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_on: Option<String>,
    source: &'a str,
    token: &'a str,
    token_type: &'a str,
}

/// The object of `--output json`.
#[derive(Serialize)]
struct Printed<'a> {
    expires_on: u64,
    refresh_on: Option<u64>,
    source: &'a str,
    token: &'a str,
    token_type: &'a str,
}

/// The line, wiped when dropped.
fn line(served: &Served, form: TokenForm) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let access_token = &served.access_token;
    let (token, source) = (access_token.token.expose(), served.source.to_string());
    // A character of the token takes six bytes at most. There is room for all: a buffer that moves leaves a copy behind.
    let mut line = Zeroizing::new(Vec::with_capacity(6 * (token.len() + source.len()) + 256));
    match form {
        TokenForm::Json => {
            let (expires_on, refresh_on) = (access_token.expires_on, access_token.refresh_on);
            let printed =
                Printed { expires_on, refresh_on, source: &source, token, token_type: &access_token.token_type };
            write_json(&mut *line, &printed).map_err(Failure::other)?;
        }
        TokenForm::Strings => {
            let expires_on = access_token.expires_on.to_string();
            let refresh_on = access_token.refresh_on.map(|time| time.to_string());
            let printed =
                Strings { expires_on, refresh_on, source: &source, token, token_type: &access_token.token_type };
            write_json(&mut *line, &printed).map_err(Failure::other)?;
        }
        TokenForm::Token => line.extend_from_slice(token.as_bytes()),
        TokenForm::Header => {
            line.extend_from_slice(format!("Authorization: {} ", access_token.token_type).as_bytes());
            line.extend_from_slice(token.as_bytes());
        }
    }
    line.push(b'\n');
    Ok(line)
}
