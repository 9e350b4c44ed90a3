use std::process::ExitCode;

use shared_token_cache::SharedTokenCacheCredential;
use shared_token_cache::policy::{AllowedClient, AllowedComponent, Policy};

use super::arguments::Supported;
use super::credential;
use super::output::{Failure, print};

/// Prints `true` or `false`. The exit code is 0 for `true`, else 3, as for an unavailable
/// credential.
pub(super) async fn run(arguments: Supported) -> Result<ExitCode, Failure> {
    // The call sends and reads nothing, so the policy allows only the component that the user
    // names.
    let policy = Policy::default().allow_client(AllowedClient::ANY).allow_component(AllowedComponent::ANY);
    let mut builder = SharedTokenCacheCredential::builder().policy(policy);
    builder = credential::component(builder, arguments.component)?;
    let supported = builder.build()?.component_supported().await?;
    print(if supported { "true" } else { "false" })?;
    Ok(if supported { ExitCode::SUCCESS } else { ExitCode::from(3) })
}
