//! Output formats of a token, each for the programs that parse it.

mod kubernetes;

use serde::Serialize;
use shared_token_cache::{AccessToken, IssuedToken, Secret, escaped, write_json};
use zeroize::Zeroizing;

use super::arguments::TokenForm;
use super::output::Failure;
use crate::times;

/// The default variable of `--output env`.
pub(super) const VARIABLE: &str = "AZURE_ACCESS_TOKEN";

/// Fields of some formats besides the token.
#[derive(Debug, Default)]
pub(super) struct Besides<'a> {
    /// The tenant of the request.
    pub(super) tenant: Option<&'a str>,
    /// The subscription of that tenant.
    pub(super) subscription: Option<&'a str>,
    /// The variable of [`TokenForm::Env`].
    pub(super) variable: Option<&'a str>,
}

/// A token from any origin.
pub(super) struct Token {
    pub(super) token: Secret,
    pub(super) expires_on: u64,
    pub(super) refresh_on: Option<u64>,
    pub(super) token_type: String,
    /// The name of the source.
    pub(super) source: String,
}

impl From<IssuedToken> for Token {
    fn from(served: IssuedToken) -> Self {
        let source = served.source.to_string();
        let AccessToken { token, expires_on, refresh_on, token_type, .. } = served.access_token;
        Self { token, expires_on, refresh_on, token_type, source }
    }
}

/// The object of `--output strings`. Fields without a value are left out.
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

/// The output of `az account get-access-token`.
#[derive(Serialize)]
struct Az<'a> {
    #[serde(rename = "accessToken")]
    token: &'a str,
    #[serde(rename = "expiresOn")]
    local_expiry: &'a str,
    expires_on: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    subscription: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<&'a str>,
    #[serde(rename = "tokenType")]
    token_type: &'a str,
}

/// The output of `azd auth token --output json`.
#[derive(Serialize)]
struct Azd<'a> {
    token: &'a str,
    #[serde(rename = "expiresOn")]
    expires_on: &'a str,
}

/// The output for a token, zeroized when dropped.
pub(super) fn line(token: &Token, form: TokenForm, besides: &Besides<'_>) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let Token { token, expires_on, refresh_on, token_type, source } = token;
    let (token, expires_on, refresh_on) = (token.expose(), *expires_on, *refresh_on);
    // A character takes six bytes at most in JSON. The capacity holds everything: a reallocation
    // would leave a copy behind.
    let longest: usize = [besides.tenant, besides.subscription].into_iter().flatten().map(str::len).sum();
    let mut line = Zeroizing::new(Vec::with_capacity(6 * (token.len() + source.len() + longest) + 512));
    match form {
        TokenForm::Json => {
            write_json(&mut *line, &Printed { expires_on, refresh_on, source, token, token_type })
                .map_err(Failure::other)?;
        }
        TokenForm::Strings => {
            let (expires_on, refresh_on) = (expires_on.to_string(), refresh_on.map(|time| time.to_string()));
            write_json(&mut *line, &Strings { expires_on, refresh_on, source, token, token_type })
                .map_err(Failure::other)?;
        }
        TokenForm::Token => line.extend_from_slice(token.as_bytes()),
        TokenForm::Quoted => write_json(&mut *line, &token).map_err(Failure::other)?,
        TokenForm::Header => {
            line.extend_from_slice(format!("Authorization: {token_type} ").as_bytes());
            line.extend_from_slice(token.as_bytes());
        }
        TokenForm::Az => {
            let (tenant, subscription) = (besides.tenant, besides.subscription);
            let local_expiry = &times::local(expires_on);
            indented(&mut line, &Az { token, local_expiry, expires_on, subscription, tenant, token_type })?;
        }
        TokenForm::Azd => indented(&mut line, &Azd { token, expires_on: &times::utc(expires_on) })?,
        TokenForm::ExecCredential => {
            let info = std::env::var(kubernetes::VARIABLE).ok();
            kubernetes::write(&mut line, info.as_deref(), token, &times::utc(expires_on))?;
        }
        TokenForm::Env => {
            check_token(token)?;
            line.extend_from_slice(format!("{}=", besides.variable.unwrap_or(VARIABLE)).as_bytes());
            line.extend_from_slice(token.as_bytes());
        }
    }
    line.push(b'\n');
    Ok(line)
}

/// Pretty-printed, with a space after each colon: SDKs search for this text to remove the token
/// from error messages.
fn indented(line: &mut Zeroizing<Vec<u8>>, value: &impl Serialize) -> Result<(), Failure> {
    serde_json::to_writer_pretty(&mut **line, value).map_err(Failure::other)
}

/// Checks that shells and `docker run --env-file` accept the name.
pub(super) fn check_variable(name: &str) -> Result<(), Failure> {
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    if name.starts_with(is_letter) && name.chars().all(|c| is_letter(c) || c.is_ascii_digit()) {
        return Ok(());
    }
    Err(Failure::invalid(format!("--variable {:?}: a variable's name has letters, digits and `_`", escaped(name))))
}

/// Refuses characters outside of RFC 6750, section 2.1: an environment file has no quotes, and a
/// shell would interpret them.
fn check_token(token: &str) -> Result<(), Failure> {
    if token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)) {
        return Ok(());
    }
    let what = "the token has characters that a shell would act on, so it is not printed as a variable";
    Err(Failure::other(anyhow::anyhow!(what)).with_hint(Some("use `--output token`".to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_a_line_that_a_shell_accepts() {
        for name in ["PGPASSWORD", "_x1"] {
            assert!(check_variable(name).is_ok(), "{name}");
        }
        for name in ["", "1A", "A-B", "A=B", "A B", "A\n", "Ä"] {
            assert!(check_variable(name).is_err(), "{name}");
        }
        assert!(check_token("eyJ0.eyJh-_.x~+/=").is_ok());
        for token in ["a b", "a;b", "$(id)", "a'b", "a\nb", "`"] {
            assert!(check_token(token).is_err(), "{token}");
        }
    }
}
