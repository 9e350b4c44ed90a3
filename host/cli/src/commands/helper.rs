//! Tokens for credential helpers.

use super::arguments::{GetToken, Helper, TokenForm};
use super::ask::Ask;
use super::broker::Broker;
use super::called::VALIDITY_VARIABLE;
use super::filters;
use super::forms::Token;
use super::get_token;
use super::output::Failure;
use super::presets::Preset;
use super::validity::{self, Validity};

/// A token for a preset: from the broker if the environment has one and the command line names no
/// sign-in, else from a cache.
pub(super) async fn token(with: Helper, preset: Preset) -> Result<Token, Failure> {
    let validity = Validity::from_env(VALIDITY_VARIABLE)?;
    let names_a_sign_in = ["--source", "--policy"].into_iter().any(filters::is_given) || with.sign_in.policy.is_some();
    if let Some(broker) = Broker::from_env().filter(|_| !names_a_sign_in) {
        let scopes = vec![preset.scope().to_owned()];
        let ask = Ask { scopes, tenant: with.request_tenant, claims: None, signed_in: None };
        return broker.token(&ask, validity).await;
    }
    let arguments = GetToken {
        scopes: Vec::new(),
        resource: None,
        preset: Some(preset),
        profile: None,
        username: with.username,
        tenant_id: None,
        authentication_record: None,
        sign_in: with.sign_in,
        claims: None,
        request_tenant: with.request_tenant,
        additionally_allowed_tenants: Vec::new(),
        enable_cae: false,
        min_validity: Some(validity),
        ca_file: with.ca_file,
        audit: with.audit,
        output: TokenForm::Token,
        variable: None,
    };
    let asked_at = validity::now();
    let token = Token::from(get_token::obtain(arguments).await?);
    validity.check(token.expires_on, asked_at)?;
    Ok(token)
}
