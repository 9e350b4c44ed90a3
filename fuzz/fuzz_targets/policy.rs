//! Any policy document: it has reported problems, or it grants what it names and nothing else.

#![no_main]

use libfuzzer_sys::fuzz_target;
use shared_token_cache_policy::{Policy, PolicyError, Source};
use toml::{Table, Value};

fuzz_target!(|text: &str| {
    match Policy::from_toml(text) {
        Err(error) => each_problem_has_its_place(text, &error),
        Ok(policy) => {
            let document: Table = toml::from_str(text).unwrap();
            grants_the_caches_that_it_names(&policy, &document);
            grants_the_authorities_that_it_names(&policy, &document);
            allows_what_it_names(&policy, &document);
            serves_no_profile_that_asks_for_too_much(&policy);
            assert_eq!(Policy::from_toml(&policy.to_toml()).unwrap(), policy, "the printed policy is the policy in force");
            // An unknown field is always a problem, so it can't pass for one that is enforced.
            for unknown in ["x-unknown = 1", "limits.x-unknown = 1", "caches = [{x-unknown = 1}]"] {
                assert!(Policy::from_toml(&format!("{unknown}\n{text}")).is_err());
            }
        }
    }
});

/// There are problems, each with a place in the document.
fn each_problem_has_its_place(text: &str, error: &PolicyError) {
    assert!(!error.problems().is_empty());
    let lines: Vec<&str> = text.split('\n').collect();
    for problem in error.problems() {
        assert!(!problem.what.trim().is_empty());
        assert!(error.to_string().contains(&problem.to_string()));
        let line = lines.get(problem.line - 1).unwrap();
        assert!((1..=line.chars().count() + 1).contains(&problem.column), "{problem}");
    }
}

fn grants_the_caches_that_it_names(policy: &Policy, document: &Table) {
    let named: Vec<(&str, Vec<&str>)> = tables(document, "caches")
        .map(|cache| (cache["source"].as_str().unwrap(), strings(cache, "names").collect()))
        .collect();
    let sources = named.iter().map(|(source, _)| *source).chain(["shared", "azure-cli", "file:/nowhere", "file:/"]);
    let names = named.iter().flat_map(|(_, names)| names.iter().copied()).chain(["msal.cache", "nowhere", "..", ""]);
    let names: Vec<&str> = names.collect();
    for source in sources {
        let source: Source = source.parse().unwrap();
        for name in &names {
            let granted = named.iter().any(|(other, names)| {
                let same = other.parse::<Source>().unwrap() == source;
                same && (names.contains(name) || (names.is_empty() && is_name(name)))
            });
            assert_eq!(policy.grant(&source, &format!("{name}.nocae")).is_ok(), granted, "{source} {name}");
            assert_eq!(policy.grant(&source, &format!("{name}.cae")).is_ok(), granted, "{source} {name}");
            assert!(policy.grant(&source, name).is_err() || name.ends_with("cae"), "{source} {name}");
        }
    }
}

/// A cache's name is never a path.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.')
}

fn grants_the_authorities_that_it_names(policy: &Policy, document: &Table) {
    let named: Vec<String> = strings(document, "authorities").map(bare).collect();
    let endpoint = |host: &str| policy.token_endpoint(&format!("https://{host}/contoso.com/oauth2/v2.0/token")).is_ok();
    for host in &named {
        assert!(endpoint(host), "{host}");
        let (name, port) = host.split_once(':').unwrap_or((host, "443"));
        for other in [
            format!("{name}."),
            format!("x{host}"),
            format!("{name}.evil.example"),
            format!("{name}@evil.example"),
            format!("evil@{host}"),
            format!("{name}:1{port}"),
            format!("{name}:{port}0"),
            format!("{name}%2e"),
            name.to_ascii_uppercase(),
        ] {
            assert_eq!(endpoint(&other), named.contains(&other), "{other}");
        }
        for url in [
            format!("http://{host}/contoso.com/oauth2/v2.0/token"),
            format!("https://{host}/contoso.com/oauth2/v2.0/token?"),
            format!("https://{host}/contoso.com/oauth2/v2.0/token/"),
            format!("https://{host}/contoso.com/oauth2/v2.0/devicecode"),
            format!("https://{host}/../oauth2/v2.0/token"),
            format!("https://{host}//oauth2/v2.0/token"),
        ] {
            assert!(policy.token_endpoint(&url).is_err(), "{url}");
        }
    }
    for host in ["login.microsoftonline.com", "evil.example", "localhost", "127.0.0.1", "169.254.169.254", "[::1]", ""]
    {
        assert_eq!(endpoint(host), named.iter().any(|named| named == host), "{host}");
    }
}

/// `https://Login.Contoso.com:443/` is `login.contoso.com`.
fn bare(authority: &str) -> String {
    let authority = authority.to_ascii_lowercase();
    let bare = authority.strip_prefix("https://").unwrap_or(&authority).trim_end_matches([' ', '/']);
    match bare.split_once(':') {
        Some((host, port)) => match port.parse() {
            Ok(443) | Err(_) => host.to_owned(),
            Ok::<u16, _>(port) => format!("{host}:{port}"),
        },
        None => bare.to_owned(),
    }
}

/// Scopes, tenants, accounts, clients and components: each is allowed under its own name, ignoring
/// case, and under no other.
fn allows_what_it_names(policy: &Policy, document: &Table) {
    let list = |name| strings(document, name).map(str::to_ascii_lowercase).collect::<Vec<_>>();
    let lists = ["scopes", "tenants", "accounts", "client-ids", "component-sha256"].map(list);
    let probes: Vec<String> =
        lists.iter().flatten().flat_map(|name| variants(name)).chain(variants("no-such-name")).collect();
    let [scopes, tenants, accounts, clients, components] = &lists;
    let any = |list: &[String]| list.iter().any(|name| name == "*");
    let named = |list: &[String], probe: &str| any(list) || list.contains(&probe.to_ascii_lowercase());
    for probe in &probes {
        // A rule for a whole resource is not a scope itself.
        let exact = any(scopes) || (named(scopes, probe) && !probe.ends_with('*'));
        let scope = exact || scopes.iter().any(|scope| is_of_resource(probe, scope));
        // A scope of OpenID Connect is allowed beside others, unless a rule allows the whole
        // resource.
        let last = probe.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let identity =
            ["openid", "profile", "email", "address", "phone", "offline_access"].contains(&&*last);
        let whole = any(scopes) || scopes.iter().any(|scope| is_of_resource(probe, scope));
        assert_eq!(policy.check_scopes(&[probe]).is_ok(), scope && (whole || !identity), "{probe}");
        assert_eq!(policy.check_tenant(probe, Some("no-such-tenant")).is_ok(), named(tenants, probe), "{probe}");
        assert_eq!(policy.check_tenant("common", Some(probe)).is_ok(), named(tenants, probe), "{probe}");
        assert_eq!(policy.check_client(probe).is_ok(), named(clients, probe), "{probe}");
        // A username never parses as an id, nor an id as a username.
        let (as_username, as_id) = if probe.contains('@') { (true, false) } else { (false, true) };
        let account = |allowed: bool| any(accounts) || (allowed && named(accounts, probe));
        assert_eq!(policy.check_account(probe, "").is_ok(), account(as_username), "{probe}");
        assert_eq!(policy.check_account("", probe).is_ok(), account(as_id), "{probe}");
    }
    for component in components.iter().filter_map(|text| hash(text)).chain([[0; 32]]) {
        let mut another = component;
        another[31] ^= 1;
        for hash in [component, another] {
            let text: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(policy.check_component(&hash).is_ok(), named(components, &text), "{text}");
        }
    }
}

/// A profile's request is allowed, and a policy narrowed to it allows no more than before.
fn serves_no_profile_that_asks_for_too_much(policy: &Policy) {
    for profile in policy.profiles() {
        let narrow = policy.narrowed_to(profile);
        let scopes = profile.scopes();
        assert!(policy.check_scopes(scopes).is_ok() && narrow.check_scopes(scopes).is_ok(), "{scopes:?}");
        for scope in ["https://graph.microsoft.com/.default", "no-such-name", "*", ""] {
            assert!(narrow.check_scopes(&[scope]).is_err() || policy.check_scopes(&[scope]).is_ok(), "{scope}");
        }
        let document = format!("{}.nocae", profile.cache_name().cloned().unwrap_or_default());
        for source in [profile.source(), &Source::Shared, &Source::AzureCli] {
            let granted = narrow.grant(source, &document).is_ok();
            assert_eq!(granted, source == profile.source() && policy.grant(source, &document).is_ok(), "{source}");
        }
        assert_eq!(policy.profile(profile.name().as_str()), Some(profile), "each has a name of its own");
        assert_eq!(narrow.profiles(), [profile.clone()]);
    }
}

/// A name and similar names.
fn variants(name: &str) -> Vec<String> {
    let shorter: String = name.chars().skip(1).collect();
    let resource = name.trim_end_matches('*');
    let changed = [format!("{name}x"), format!("x{name}"), format!("{name}."), format!("{name}/")];
    let of_resource = [format!("{resource}.default"), format!("{resource}a/b"), format!("{resource}%2e")];
    [name.to_owned(), name.to_ascii_uppercase(), shorter, resource.to_owned()]
        .into_iter()
        .chain(changed)
        .chain(of_resource)
        .collect()
}

/// Whether `rule` is for a whole resource, and `scope` is that resource with a permission.
fn is_of_resource(scope: &str, rule: &str) -> bool {
    let permission = rule.strip_suffix("/*").and_then(|resource| {
        let (start, rest) = scope.split_at_checked(resource.len())?;
        start.eq_ignore_ascii_case(resource).then(|| rest.strip_prefix('/')).flatten()
    });
    let legal = |text: &str| text.chars().all(|it| it.is_ascii_alphanumeric() || ['.', '-', '_'].contains(&it));
    permission.is_some_and(|permission| !permission.is_empty() && legal(permission))
}

fn hash(text: &str) -> Option<[u8; 32]> {
    let byte = |at: usize| u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok();
    let bytes: Vec<u8> = (0..32).map_while(byte).collect();
    bytes.try_into().ok()
}

fn tables<'a>(table: &'a Table, name: &str) -> impl Iterator<Item = &'a Table> {
    table.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table)
}

fn strings<'a>(table: &'a Table, name: &str) -> impl Iterator<Item = &'a str> {
    table.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}
