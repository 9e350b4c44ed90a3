//! `[[profiles]]`.

use super::fields::{Fields, Places, Value};
use super::print::Printer;
use crate::{AgentSessionUse, CacheName, Denied, InvalidValue, Policy, Profile, ProfileName, Source, profile};

/// A profile with its positions, for problems that are found once the whole policy is read.
pub(super) struct Placed<'p, 'i> {
    profile: Profile,
    places: Places<'p, 'i>,
}

pub(super) fn read<'p, 'i>(root: &mut Fields<'p, 'i>) -> Vec<Placed<'p, 'i>> {
    root.list("profiles").into_iter().filter_map(Value::into_table).filter_map(placed).collect()
}

/// Adds the profiles. Reports duplicate names, and requests that the policy does not allow.
pub(super) fn add(placed: Vec<Placed<'_, '_>>, policy: &mut Policy) {
    for Placed { profile, places } in placed {
        if policy.profile(profile.name().as_str()).is_some() {
            places.problem("name", "another profile has this name", "choose a name of its own");
        }
        for (field, denied) in refused(policy, &profile) {
            let what = format!("the policy does not allow {}", denied.what());
            places.problem(field, &what, denied.hint());
        }
        policy.profiles.push(profile);
    }
}

pub(super) fn print(profiles: &[Profile], to: &mut Printer) {
    for profile in profiles {
        to.item("profiles");
        to.text("name", profile.name());
        to.text("source", profile.source());
        let texts = [("account", profile.account()), ("tenant", profile.tenant()), ("client-id", profile.client_id())];
        for (name, text) in texts {
            if let Some(text) = text {
                to.text(name, text);
            }
        }
        if let Some(name) = profile.cache_name() {
            to.text("cache-name", name);
        }
        if let Some(authority) = profile.authority() {
            to.text("authority", authority);
        }
        if profile.agent_session() != AgentSessionUse::default() {
            to.text("agent-session", profile.agent_session());
        }
        to.texts("scopes", profile.scopes());
    }
}

fn placed<'p, 'i>(mut fields: Fields<'p, 'i>) -> Option<Placed<'p, 'i>> {
    let name = fields.required("name", "write for example `name = \"entra/graph\"`", str::parse::<ProfileName>);
    let source = fields.required("source", "choose `shared`, `azure-cli` or `file:PATH`", super::caches::source);
    let account = fields.parse("account", profile::account);
    let tenant = fields.parse("tenant", profile::tenant);
    let client_id = fields.parse("client-id", profile::client_id);
    let cache_name = fields.parse("cache-name", CacheName::parse);
    let authority = fields.parse("authority", str::parse);
    let agent_session = fields.parse("agent-session", str::parse::<AgentSessionUse>);
    let scopes = fields.take("scopes");
    let scopes_at = scopes.as_ref().map(Value::at);
    let listed = scopes.map(Value::into_list).unwrap_or_default();
    let count = listed.len();
    let scopes: Vec<_> = listed.into_iter().filter_map(|scope| scope.parse(profile::scope)).collect();
    // A scope that does not parse is a problem of its own.
    if scopes.len() == count
        && let Err(InvalidValue { what, instead }) = profile::check_scopes(&scopes)
    {
        fields.problem("scopes", scopes_at, &what, &instead);
    }
    if matches!(source, Some(Source::File(_))) && cache_name.is_some() {
        fields.problem("cache-name", None, "a file is used for every cache name", "leave it out");
    }
    let places = fields.finish();

    let mut profile = Profile::with_scopes(name?, source?, scopes);
    (profile.account, profile.tenant, profile.client_id) = (account, tenant, client_id);
    (profile.cache_name, profile.authority) = (cache_name, authority);
    profile.agent_session = agent_session.unwrap_or_default();
    Some(Placed { profile, places })
}

/// The values of a profile that the policy denies for every sign-in.
fn refused(policy: &Policy, profile: &Profile) -> Vec<(&'static str, Denied)> {
    let document = profile.cache_name().cloned().unwrap_or_default().document(false);
    let mut refused = vec![
        ("source", policy.grant(profile.source(), &document).err()),
        ("tenant", profile.tenant().and_then(|tenant| policy.check_tenant_name(tenant).err())),
        ("client-id", profile.client_id().and_then(|client| policy.check_client(client).err())),
        ("account", profile.account().and_then(|account| policy.check_username(account).err())),
        ("authority", profile.authority().and_then(|host| policy.check_authority(host).err())),
    ];
    let one_by_one = profile.scopes().iter().filter_map(|scope| policy.check_listed(scope).err());
    refused.extend(one_by_one.map(|denied| ("scopes", Some(denied))));
    refused.into_iter().filter_map(|(field, denied)| Some((field, denied?))).collect()
}
