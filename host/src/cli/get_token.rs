use std::process::ExitCode;

use serde_json::json;
use shared_token_cache::{Builder, TokenRequestOptions, TransportOptions};

use super::arguments::{GetToken, TokenForm};
use super::credential::{self, with};
use super::output::{Failure, print};

pub(super) async fn run(arguments: GetToken) -> Result<ExitCode, Failure> {
    let mut transport = TransportOptions::default();
    transport.ca_file = arguments.ca_file;
    let mut builder = credential::builder(arguments.sign_in)?.transport(transport);
    builder = with(builder, arguments.username, Builder::username);
    builder = with(builder, arguments.tenant_id, Builder::tenant_id);
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
    let served = builder.build()?.get_token_with(&arguments.scopes, request).await?;
    let token = &served.access_token;
    let line = match arguments.output {
        TokenForm::Json => json!({
            "token": token.token.expose(),
            "expires_on": token.expires_on,
            "refresh_on": token.refresh_on,
            "token_type": token.token_type,
            "source": served.source.to_string(),
        })
        .to_string(),
        TokenForm::Token => token.token.expose().to_owned(),
        TokenForm::Header => format!("Authorization: {} {}", token.token_type, token.token.expose()),
    };
    print(&line)?;
    Ok(ExitCode::SUCCESS)
}
