//! Prints the token that a credential of azure_identity gets: `CREDENTIAL SCOPE`.
//!
//! The output is a JSON object with `token` and `expires_on`, or with `error`.

use std::error::Error;
use std::sync::Arc;

use azure_core::credentials::TokenCredential;
use azure_identity::{AzureCliCredential, AzureDeveloperCliCredential, ManagedIdentityCredential};
use serde_json::json;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [credential, scope] = arguments.as_slice() else { return Err("usage: CREDENTIAL SCOPE".into()) };
    let credential: Arc<dyn TokenCredential> = match credential.as_str() {
        "managed" => ManagedIdentityCredential::new(None)?,
        "az" => AzureCliCredential::new(None)?,
        "azd" => AzureDeveloperCliCredential::new(None)?,
        other => return Err(format!("there is no credential {other}").into()),
    };
    let answer = match credential.get_token(&[scope], None).await {
        Ok(token) => json!({ "token": token.token.secret(), "expires_on": token.expires_on.unix_timestamp() }),
        Err(error) => json!({ "error": error.to_string() }),
    };
    println!("{answer}");
    Ok(())
}
