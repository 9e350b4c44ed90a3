//! Requests a token of the signed-in user, within the grants of `policy.toml`.

#![allow(clippy::print_stdout, reason = "this is what the program is for")]

use shared_token_cache::SharedTokenCacheCredential;
use shared_token_cache::policy::Policy;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let policy = Policy::from_toml(include_str!("policy.toml"))?;
    let credential = SharedTokenCacheCredential::builder().policy(policy).build()?;
    let token = credential.get_token(&["https://vault.azure.net/.default"]).await?;
    println!("a token that serves until {} (seconds since 1970)", token.expires_on);
    Ok(())
}
