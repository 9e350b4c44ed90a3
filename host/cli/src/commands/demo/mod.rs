//! `shared-token-cache demo`: a tour in two minutes, without an account, a network or the user's
//! files.

mod narrator;
mod sign_in;

use std::process::ExitCode;

use shared_token_cache::policy::{CacheName, Policy, Source};
use shared_token_cache::{Builder, Error, Places, SharedTokenCacheCredential, TransportOptions};
use shared_token_cache_entra::cloud::DEFAULT_HOST;
use token_endpoint::TokenEndpoint;

use super::arguments::Demo;
use super::output::{Failure, print};
use narrator::Narrator;
use sign_in::{Home, USER0, USER1};

const VAULT: &str = "https://vault.azure.net/.default";
const GRAPH: &str = "https://graph.microsoft.com/.default";

pub(super) async fn run(arguments: Demo) -> Result<ExitCode, Failure> {
    if let Some(folder) = arguments.home {
        let cache = sign_in::make_home(&folder).map_err(|error| {
            Failure::invalid(format!("cannot create the demo's home in {}: {error}", folder.display()))
        })?;
        print(&format!("{USER0} is signed in: {}", cache.display()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let show = Narrator::start();
    let home = Home::new().map_err(Failure::other)?;
    let endpoint = TokenEndpoint::start(sign_in::respond).await.map_err(Failure::other)?;
    let ca_file = home.write_ca(endpoint.ca_pem()).map_err(Failure::other)?;

    show.title("Access tokens from a sign-in that stays where it is");
    show.text("A developer is signed in on this machine. A sandboxed component is to get access tokens from that sign-in. It has \
               no files, no network and no environment of its own: all it can do is ask its host, and the host asks the policy. \
               Whatever crosses that border is shown like this:");
    show.border_sample();
    show.text(
        "Everything here is made up and temporary: the home folder, the accounts, the tokens. The authority \
               login.microsoftonline.com is played by a server on this machine.",
    );

    let mut transport = TransportOptions::default();
    transport.ca_file = Some(ca_file);
    transport.proxy_from_env = false;
    transport.resolve = vec![(DEFAULT_HOST.into(), endpoint.address())];
    let builder = || {
        SharedTokenCacheCredential::builder()
            .policy(Policy::for_current_user(CacheName::default()))
            .places(Places::below(home.path()))
            .sources([Source::Shared])
            .transport(transport.clone())
    };
    let credential = builder().build()?;

    show.step("Is there a shared token cache on this platform?");
    show.text("`supported` asks the host and reads nothing.");
    let supported = credential.component_supported().await?;
    show.result(&format!("supported: {supported}"));

    show.step("A token that is already there");
    show.text(&format!(
        "{USER0} has used Key Vault today, so its access token is in the cache. Getting it takes one read and no \
                        network."
    ));
    let token = credential.get_token(&[VAULT]).await?;
    show.token(&token);

    show.step("A token that is not there yet");
    show.text(
        "There is none for Microsoft Graph. The component redeems the refresh token, and puts the new access token and \
               the new refresh token into the cache, where the other tools find them.",
    );
    show.cache("before", &home.summary().map_err(Failure::other)?);
    let token = credential.get_token(&[GRAPH]).await?;
    show.cache("after", &home.summary().map_err(Failure::other)?);
    show.token(&token);
    show.text("Asked again, the component finds it, and looks at the file only to see that it has not changed.");
    credential.get_token(&[GRAPH]).await?;
    show.result(&format!("still {} request to the authority", endpoint.requests().len()));

    show.step("Two accounts: which one?");
    show.text(&format!(
        "Now {USER1} signs in too, with some other tool. The component notices the new file. It does not guess."
    ));
    home.sign_in_user1().map_err(Failure::other)?;
    ambiguous(&show, &credential).await?;
    show.text("A username, a tenant, or both resolve it:");
    let chosen = builder().username(USER1).build()?;
    let token = chosen.get_token(&[VAULT]).await?;
    show.result(&format!("the token of {USER1}:"));
    show.token(&token);

    show.step("What the policy does not grant");
    show.text(
        "This credential names an authority of its own. The component asks the host to post the refresh token \
               there; the host refuses, and nothing is sent.",
    );
    home.sign_in_elsewhere().map_err(Failure::other)?;
    denied(&show, builder().authority("login.contoso.com")).await?;
    show.text("Nor can it read any cache but the one that was granted:");
    let other = shared_token_cache::CachePersistenceOptions {
        name: Some("other.cache".into()),
        allow_unencrypted_storage: true,
    };
    denied(&show, builder().cache_persistence_options(other)).await?;

    show.step("Closing");
    show.text(
        "`close` drops what is in memory and idle connections. The credential can be used again: it reads the \
               cache anew.",
    );
    chosen.close().await?;
    chosen.get_token(&[VAULT]).await?;
    show.result("done");

    show.text(
        "Next: `shared-token-cache get-token --scope https://management.azure.com/.default` with your own sign-in, for \
               example after `az login`. README.md shows how programs, proxies and other hosts use it.",
    );
    Ok(ExitCode::SUCCESS)
}

async fn ambiguous(show: &Narrator, credential: &SharedTokenCacheCredential) -> Result<(), Failure> {
    match credential.get_token(&[VAULT]).await {
        Err(error @ Error::CredentialUnavailable(_)) => show.error(&error),
        Err(error) => return Err(error.into()),
        Ok(_) => return Err(Failure::other(anyhow::anyhow!("two accounts, and one of them was used"))),
    }
    Ok(())
}

async fn denied(show: &Narrator, builder: Builder) -> Result<(), Failure> {
    match builder.build()?.get_token(&[GRAPH]).await {
        Err(error @ (Error::Denied(_) | Error::CredentialUnavailable(_))) => show.error(&error),
        Err(error) => return Err(error.into()),
        Ok(_) => return Err(Failure::other(anyhow::anyhow!("the policy allowed something"))),
    }
    Ok(())
}
