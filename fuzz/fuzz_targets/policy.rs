//! Any policy document: it says what is wrong with it, or it grants what it names and nothing else.

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
            // A field that nobody knows never passes for one that somebody enforces.
            for unknown in ["x-unknown = 1", "limits.x-unknown = 1", "caches = [{x-unknown = 1}]"] {
                assert!(Policy::from_toml(&format!("{unknown}\n{text}")).is_err());
            }
        }
    }
});

/// There is a problem, and each is said, with a place that is in the document.
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

/// What a cache may be called: never a path.
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

fn tables<'a>(table: &'a Table, name: &str) -> impl Iterator<Item = &'a Table> {
    table.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table)
}

fn strings<'a>(table: &'a Table, name: &str) -> impl Iterator<Item = &'a str> {
    table.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}
