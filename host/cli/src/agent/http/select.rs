//! Selection of the client's profile that serves a request.

use super::Site;
use super::clients::Client;
use super::reply::Refusal;
use super::tokens::ProfileTokens;

/// The name and the tokens of a profile.
pub(super) type Chosen<'a> = (&'a str, &'a ProfileTokens);

/// Selects among the client's profiles that grant the scopes: the only one, else the one that the
/// request's identity names. Any other identity is ignored, because `AZURE_CLIENT_ID` is often set
/// for other reasons.
pub(super) fn select<'a>(
    site: &'a Site,
    client: &'a Client,
    scopes: &[String],
    identities: &[String],
    tenant: Option<&str>,
) -> Result<Chosen<'a>, Refusal> {
    let own = client.granted.profiles.iter().filter_map(|name| {
        let tokens = site.tokens.get(name.as_str())?;
        Some((name.as_str(), tokens))
    });
    let own: Vec<Chosen<'a>> = own.collect();
    let mut fitting = own.clone();
    fitting.retain(|(_, tokens)| tokens.grants(scopes));
    let grants = !fitting.is_empty();
    if let Some(tenant) = tenant {
        fitting.retain(|(_, tokens)| tokens.is_of(tenant));
    }
    let named = fitting.iter().find(|(name, _)| identities.iter().any(|identity| identity == name));
    if let Some(named) = named {
        return Ok(*named);
    }
    match fitting.as_slice() {
        [chosen] => Ok(*chosen),
        [] if grants => {
            let message = "no profile of this client is for that tenant; write it as `tenant` of a profile on the host";
            Err(Refusal::forbidden("tenant", message))
        }
        [] => {
            let names: Vec<_> = own.iter().map(|(name, _)| *name).collect();
            let wanted = scopes.join(" ");
            let message = format!(
                "no profile of this client has the scope {wanted}; it has the profiles {}. Add the scope to a profile of the \
                 policy on the host, or the profile to the client",
                names.join(", ")
            );
            Err(Refusal::forbidden("scope", message))
        }
        several => {
            let names: Vec<_> = several.iter().map(|(name, _)| *name).collect();
            let message = format!(
                "the profiles {} all fit; name one as client_id, or grant the client one of them only",
                names.join(", ")
            );
            Err(Refusal::forbidden("ambiguous", message))
        }
    }
}
