//! Printing a policy and parsing the text gives an equal policy.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use shared_token_cache_policy::{
    Access, AddressClass, Addresses, AgentSessionUse, AllowedComponent, CacheGrant, CacheName, CoreDumps, Leniency,
    Limits, LogLevel, LogRules, Policy, Profile, Source,
};

fn leniency() -> impl Strategy<Value = Leniency> {
    prop_oneof![Just(Leniency::Refuse), Just(Leniency::Warn)]
}

fn path() -> impl Strategy<Value = String> {
    let root = if cfg!(windows) { "C:\\" } else { "/" };
    ".{0,20}".prop_map(move |rest| format!("{root}{rest}"))
}

fn grant() -> impl Strategy<Value = (Source, CacheGrant)> {
    let source =
        prop_oneof![Just(Source::Shared), Just(Source::AzureCli), path().prop_map(|path| Source::File(path.into()))];
    let access = prop_oneof![Just(Access::Read), Just(Access::ReadWrite)];
    let names = vec("[a-z][a-z.]{0,7}[b-d]", 1..4);
    (source, access, names, leniency(), leniency(), vec(path(), 0..3)).prop_map(
        |(source, access, names, loose_permissions, other_owner, targets)| {
            let names = if matches!(source, Source::File(_)) { Vec::new() } else { names };
            let grant = CacheGrant::new(source.clone(), access)
                .with_loose_permissions(loose_permissions)
                .with_other_owner(other_owner);
            let grant = targets.into_iter().fold(grant, CacheGrant::with_symlink_target);
            let grant = names.iter().map(|name| CacheName::parse(name).unwrap()).fold(grant, CacheGrant::with_name);
            (source, grant)
        },
    )
}

fn limits() -> impl Strategy<Value = Limits> {
    let sizes = (4_usize..=4096, 1_u64..=2048, 16_usize..=65_536, 1_usize..=1024, 1_u64..=256);
    (sizes, 1_u64..=3600, 1_u32..=6000, 1_usize..=64).prop_map(|(sizes, seconds, requests, instances)| {
        let (memory, document, response, answer, component) = sizes;
        let mut limits = Limits::default();
        limits.guest_memory = memory << 20;
        limits.call_time = Duration::from_secs(seconds);
        limits.document_size = document << 20;
        limits.response_size = response << 10;
        limits.requests_per_minute = requests;
        limits.instances = instances;
        limits.answer_size = answer << 20;
        limits.component_size = component << 20;
        limits
    })
}

fn log() -> impl Strategy<Value = LogRules> {
    let level = prop_oneof![Just(LogLevel::Off), Just(LogLevel::Warn), Just(LogLevel::Info), Just(LogLevel::Debug)];
    (level, 0_usize..=100_000, 16_usize..=65_536).prop_map(|(component, lines_per_call, line_bytes)| {
        let mut log = LogRules::default();
        (log.component, log.lines_per_call, log.line_bytes) = (component, lines_per_call, line_bytes);
        log
    })
}

fn addresses() -> impl Strategy<Value = Addresses> {
    let range = (any::<u32>(), 0_u32..=32).prop_map(|(bits, prefix)| {
        let first = Ipv4Addr::from_bits(bits & u32::MAX.checked_shl(32 - prefix).unwrap_or(0));
        format!("{first}/{prefix}").parse().unwrap()
    });
    let single = any::<u128>().prop_map(|bits| Addresses::Range(IpAddr::from(Ipv6Addr::from_bits(bits)).into()));
    prop_oneof![proptest::sample::select(AddressClass::ALL.to_vec()).prop_map(Addresses::Class), range, single]
}

fn texts(pattern: &'static str) -> impl Strategy<Value = Vec<String>> {
    vec(pattern, 0..3)
}

/// Profiles, to be used with a policy that allows all of their values.
fn profiles() -> impl Strategy<Value = Vec<Profile>> {
    let some = |pattern: &'static str| proptest::option::of(pattern);
    let texts = (some("[a-zA-Z'#]{1,9}@[a-z\"ä]{1,5}"), some("[a-zA-Z0-9-]{1,12}"), some("[0-9a-fA-F-]{1,36}"));
    let parts =
        (texts, some("[a-z0-9]{1,9}(:8443)?"), vec("[a-zA-Z.]{1,9}|https://[a-z]{1,9}/[A-Za-z.!'%]{1,5}", 1..3));
    vec(parts, 0..3).prop_map(|all| {
        let profile =
            |(number, ((account, tenant, client), authority, scopes)): (usize, (_, Option<String>, Vec<_>))| {
                let (account, tenant, client): (Option<String>, Option<String>, Option<String>) =
                    (account, tenant, client);
                let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
                let source = if number % 2 == 0 { Source::Shared } else { Source::File("/x".into()) };
                let mut profile = Profile::new(format!("p/{number}").parse().unwrap(), source, &scopes).unwrap();
                if number == 0 {
                    profile = profile.with_cache_name(CacheName::default());
                } else {
                    profile = profile.with_agent_session(AgentSessionUse::Off);
                }
                if let Some(text) = account {
                    profile = profile.with_account(&text).unwrap();
                }
                // Some of these names mean the home tenant, and do not parse.
                profile = tenant.and_then(|text| profile.clone().with_tenant(&text).ok()).unwrap_or(profile);
                if let Some(text) = client {
                    profile = profile.with_client_id(&text).unwrap();
                }
                match authority.and_then(|text| text.parse().ok()) {
                    Some(host) => profile.with_authority(host),
                    None => profile,
                }
            };
        all.into_iter().enumerate().map(profile).collect()
    })
}

/// Adds the profiles to a policy, and allows their values.
fn with(profiles: Vec<Profile>, policy: Policy) -> Policy {
    if profiles.is_empty() {
        return policy;
    }
    let shared = CacheGrant::new(Source::Shared, Access::Read).with_name(CacheName::default());
    let policy = policy
        .allow_cache(shared)
        .allow_cache(CacheGrant::new(Source::File("/x".into()), Access::Read))
        .allow_scope("*".parse().unwrap())
        .allow_tenant("*".parse().unwrap())
        .allow_account("*".parse().unwrap())
        .allow_client("*".parse().unwrap());
    let authorities: Vec<_> = profiles.iter().filter_map(|profile| profile.authority().cloned()).collect();
    let policy = authorities.into_iter().fold(policy, Policy::allow_authority);
    profiles.into_iter().fold(policy, Policy::with_profile)
}

fn policy() -> impl Strategy<Value = Policy> {
    let lists = (
        texts("\\*|[a-z0-9]{1,9}(\\.com)?(:8443)?")
            .prop_map(|hosts| hosts.into_iter().filter_map(|host| host.parse().ok()).collect::<Vec<_>>()),
        texts("\\*|[a-zA-Z.]{1,9}|https://[a-z.]{1,9}/(\\*|[a-z.!'%]{1,5})"),
        texts("\\*|[a-zA-Z0-9-]{1,5}(\\.[a-zA-Z0-9-]{1,5})?"),
        texts("\\*|[a-zA-Z'#\\\\]{1,9}@[a-z\"ä]{1,5}|[a-z0-9-]{1,9}\\.[a-z0-9-]{1,9}"),
        texts("\\*|[0-9a-fA-F-]{1,36}"),
        vec(prop_oneof![Just(AllowedComponent::ANY), any::<[u8; 32]>().prop_map(AllowedComponent::sha256)], 0..3),
    );
    let core_dumps = prop_oneof![Just(CoreDumps::Deny), Just(CoreDumps::Allow)];
    let parts = (lists, vec(grant(), 0..3), vec(addresses(), 0..3), limits(), log(), core_dumps, profiles());
    parts.prop_map(|(lists, grants, addresses, limits, log, core_dumps, profiles)| {
        // Two grants of one cache are a problem in a document.
        let mut sources = Vec::new();
        let mut grants = grants;
        grants.retain(|grant: &(Source, CacheGrant)| {
            let is_new = !sources.contains(&grant.0);
            sources.push(grant.0.clone());
            is_new
        });
        let grants: Vec<_> = grants.into_iter().map(|(_, grant)| grant).collect();
        let (hosts, scopes, tenants, accounts, clients, components) = lists;
        let policy = Policy::default().with_limits(limits).with_log(log).with_core_dumps(core_dumps);
        let policy = hosts.into_iter().fold(policy, Policy::allow_authority);
        let policy = scopes.iter().map(|text| text.parse().unwrap()).fold(policy, Policy::allow_scope);
        let policy = tenants.iter().map(|text| text.parse().unwrap()).fold(policy, Policy::allow_tenant);
        let policy = accounts.iter().map(|text| text.parse().unwrap()).fold(policy, Policy::allow_account);
        let policy = clients.iter().map(|text| text.parse().unwrap()).fold(policy, Policy::allow_client);
        let policy = addresses.into_iter().fold(policy, Policy::allow_addresses);
        let policy = components.into_iter().fold(policy, Policy::allow_component);
        with(profiles, grants.into_iter().fold(policy, Policy::allow_cache))
    })
}

proptest! {
    #[test]
    fn a_policy_reads_back_as_it_was_printed(policy in policy()) {
        let text = policy.to_toml();
        prop_assert_eq!(Policy::from_toml(&text).map_err(|error| format!("{error}\n{text}")).unwrap(), policy);
    }

    #[test]
    fn no_text_breaks_the_parser_and_each_problem_has_a_position_in_it(text in "(?s).{0,200}") {
        if let Err(error) = Policy::from_toml(&text) {
            let lines = text.split('\n').count();
            prop_assert!(!error.problems().is_empty());
            for problem in error.problems() {
                prop_assert!((1..=lines).contains(&problem.line) && problem.column >= 1, "{}", problem);
                let line = text.split('\n').nth(problem.line - 1).unwrap_or_default();
                prop_assert!(problem.column <= line.chars().count() + 1, "{}", problem);
            }
        }
    }
}

#[test]
fn the_policy_of_the_current_user_reads_back() {
    let policy = Policy::for_current_user(CacheName::default());
    // The addresses of Microsoft's clouds are not part of the document.
    assert_eq!(Policy::from_toml(&policy.to_toml()).unwrap().to_toml(), policy.to_toml());
    assert_eq!(Policy::from_toml(&Policy::default().to_toml()).unwrap(), Policy::default());
}

#[test]
fn a_value_that_a_document_cannot_express_is_printed_as_the_closest_one() {
    let mut limits = Limits::default();
    limits.call_time = Duration::from_millis(200);
    limits.guest_memory = (5 << 20) + 1;
    let policy = Policy::default()
        .with_limits(limits)
        .allow_cache(CacheGrant::new(Source::Shared, Access::Read))
        .allow_cache(CacheGrant::new(Source::File("/x".into()), Access::Read).with_name(CacheName::default()));
    let mut limits = Limits::default();
    limits.call_time = Duration::from_secs(1);
    limits.guest_memory = 5 << 20;
    let close =
        Policy::default().with_limits(limits).allow_cache(CacheGrant::new(Source::File("/x".into()), Access::Read));
    assert_eq!(Policy::from_toml(&policy.to_toml()).unwrap(), close);
}
