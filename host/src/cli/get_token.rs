use std::process::ExitCode;

use serde_json::json;
use shared_token_cache::TokenRequestOptions;

use super::arguments::{GetToken, TokenForm};
use super::credential::credential;
use super::output::{Failure, print};

pub(super) async fn run(arguments: GetToken) -> Result<ExitCode, Failure> {
    let request = TokenRequestOptions {
        claims: arguments.claims,
        tenant_id: arguments.request_tenant,
        enable_cae: arguments.enable_cae,
    };
    let credential = credential(arguments.credential)?;
    let served = credential.get_token_with(&arguments.scopes, request).await?;
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
