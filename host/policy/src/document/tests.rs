use std::path::PathBuf;
use std::time::Duration;

use super::parse;
use crate::{
    Access, AddressClass, Addresses, AgentSessionUse, CacheGrant, CacheName, Leniency, Limits, Policy, Profile, Source,
};

#[test]
fn every_field_is_read() {
    let policy = parse(
        r#"
        authorities = ["login.microsoftonline.com", "localhost:8443"]

        [[caches]]
        source = "shared"
        names = ["msal.cache", "other"]
        access = "read-write"
        loose-permissions = "refuse"
        other-owner = "warn"
        symlink-targets = ["/mnt/caches/other.cae"]

        [[caches]]
        source = "file:/var/cache/tokens.json"
        access = "read"

        [limits]
        guest-memory-mib = 64
        call-seconds = 5
        document-mib = 8
        response-kib = 32
        requests-per-minute = 7
        instances = 2
        answer-mib = 3
        component-mib = 5

        [network]
        addresses = ["loopback", "10.1.0.0/16", "127.0.0.1"]
        "#,
    )
    .unwrap();
    let expected = Policy::default()
        .allow_cache(
            CacheGrant::new(Source::Shared, Access::ReadWrite)
                .with_name(CacheName::default())
                .with_name(CacheName::parse("other").unwrap())
                .with_loose_permissions(Leniency::Refuse)
                .with_other_owner(Leniency::Warn)
                .with_symlink_target(PathBuf::from("/mnt/caches/other.cae")),
        )
        .allow_cache(CacheGrant::new(Source::File("/var/cache/tokens.json".into()), Access::Read))
        .allow_authority("login.microsoftonline.com".parse().unwrap())
        .allow_authority("localhost:8443".parse().unwrap())
        .allow_addresses(Addresses::Class(AddressClass::Loopback))
        .allow_addresses("10.1.0.0/16".parse().unwrap())
        .allow_addresses("127.0.0.1".parse().unwrap())
        .with_limits(Limits {
            guest_memory: 64 << 20,
            call_time: Duration::from_secs(5),
            document_size: 8 << 20,
            response_size: 32 << 10,
            requests_per_minute: 7,
            instances: 2,
            answer_size: 3 << 20,
            component_size: 5 << 20,
        });
    assert_eq!(policy, expected);
}

#[test]
fn an_empty_document_grants_nothing() {
    assert_eq!(parse("").unwrap(), Policy::default());
}

#[test]
fn a_grant_of_the_azure_cli_needs_no_name_and_one_of_the_shared_cache_does() {
    let grant = |rest: &str| parse(&format!("[[caches]]\naccess = \"read\"\n{rest}"));
    let whole = grant("source = \"azure-cli\"").unwrap();
    assert!(whole.grant(&Source::AzureCli, "any.nocae").is_ok());
    assert_eq!(parse(&whole.to_toml()).unwrap(), whole);
    let named = grant("source = \"azure-cli\"\nnames = [\"msal.cache\"]").unwrap();
    assert!(named.grant(&Source::AzureCli, "any.nocae").is_err());
    assert_eq!(parse(&named.to_toml()).unwrap(), named);
    for rest in ["source = \"shared\"", "source = \"azure-cli\"\nnames = []"] {
        assert!(grant(rest).unwrap_err().to_string().contains("names no cache"), "{rest}");
    }
}

#[test]
fn all_problems_are_reported_at_once_with_their_positions() {
    let error = parse(
        r#"authorities = ["https://*.example", "login.contoso.com/x", 7]
scope = ["*"]

[[caches]]
source = "keyring"
names = ["../etc"]
acess = "read"

[[caches]]
source = "file:relative.json"
access = "write"
symlink-targets = "/x"

[[caches]]
source = "shared"
access = "read"
loose-permissions = "ignore"
other-owner = true
symlink-targets = ["elsewhere", "/there"]

[[caches]]
source = "file:/x"
access = "read"
names = ["msal.cache"]

[limits]
call-seconds = 0
document-mib = "8"

[network]
addresses = ["intranet", "10.1.2.3/8", "10.0.0.0/8"]
adresses = []
"#,
    )
    .unwrap_err();
    let places: Vec<_> =
        error.problems().iter().map(|problem| (problem.line, problem.column, problem.field.as_str())).collect();
    assert_eq!(
        places,
        [
            (1, 16, "authorities[0]"),
            (1, 37, "authorities[1]"),
            (1, 60, "authorities[2]"),
            (2, 1, "scope"),
            (4, 1, "caches[0].access"),
            (5, 10, "caches[0].source"),
            (6, 10, "caches[0].names[0]"),
            (7, 1, "caches[0].acess"),
            (10, 10, "caches[1].source"),
            (11, 10, "caches[1].access"),
            (12, 19, "caches[1].symlink-targets"),
            (14, 1, "caches[2].names"),
            (17, 21, "caches[2].loose-permissions"),
            (18, 15, "caches[2].other-owner"),
            (19, 20, "caches[2].symlink-targets[0]"),
            (24, 9, "caches[3].names"),
            (27, 16, "limits.call-seconds"),
            (28, 16, "limits.document-mib"),
            (31, 14, "network.addresses[0]"),
            (31, 26, "network.addresses[1]"),
            (32, 1, "network.adresses"),
        ],
        "{error:#?}"
    );
}

#[test]
fn a_problem_says_what_is_wrong_and_what_to_write_instead() {
    let first = |text: &str| parse(text).unwrap_err().problems()[0].to_string();
    for (text, message) in [
        (
            "[limits]\nseconds = 7",
            "2:1: `limits.seconds`: is not a field of the policy; choose among `guest-memory-mib`, `call-seconds`, \
             `document-mib`, `response-kib`, `requests-per-minute`, `instances`, `answer-mib`, `component-mib`",
        ),
        ("limits = 7", "1:10: `limits`: is a whole number, and not a table; write its fields below `[limits]`"),
        ("authorities = {}", "1:15: `authorities`: is a table, and not a list; write it in square brackets"),
        ("authorities = [1]", "1:16: `authorities[0]`: is a whole number, and not a text; write it in quotes"),
        (
            "[limits]\ncall-seconds = -1",
            "2:16: `limits.call-seconds`: -1 is not between 1 and 3600; write a whole number between 1 and 3600",
        ),
        (
            "[limits]\ncall-seconds = 1.5",
            "2:16: `limits.call-seconds`: is a fraction, and not a whole number; write a whole number between 1 and 3600",
        ),
        (
            "[[caches]]\naccess = \"read\"",
            "1:1: `caches[0].source`: is missing; choose `shared`, `azure-cli` or `file:PATH`",
        ),
    ] {
        assert_eq!(first(text), message);
    }
    let error = parse("[limits]\ncall-seconds = 0\n").unwrap_err();
    assert!(error.to_string().starts_with("cannot use the policy: 2:16: `limits.call-seconds`: "), "{error}");
}

#[test]
fn limits_are_accepted_within_their_ranges_only() {
    for (name, least, most) in [
        ("guest-memory-mib", 4, 4096),
        ("call-seconds", 1, 3600),
        ("document-mib", 1, 2048),
        ("response-kib", 16, 65_536),
        ("requests-per-minute", 1, 6000),
        ("instances", 1, 64),
        ("answer-mib", 1, 1024),
        ("component-mib", 1, 256),
    ] {
        let taken = |value: u64| parse(&format!("limits.{name} = {value}")).is_ok();
        assert!(taken(least) && taken(most), "{name}");
        assert!(!taken(least - 1) && !taken(most + 1), "{name}");
    }
}

#[test]
fn a_document_that_is_not_toml_is_reported_with_positions() {
    let error = parse("authorities = [\n\n[limits\ncall-seconds = 'x\n").unwrap_err();
    assert!(error.problems().len() > 1, "{error:#?}");
    assert!(error.problems().iter().all(|problem| problem.field.is_empty() && !problem.what.is_empty()), "{error:#?}");
    let lines: Vec<_> = error.problems().iter().map(|problem| problem.line).collect();
    assert!(lines.is_sorted() && lines.contains(&4), "{error:#?}");
    let error = parse("\"ä\" = [").unwrap_err();
    assert_eq!((error.problems()[0].line, error.problems()[0].column), (1, 8), "{error:#?}");
}

/// A policy with two profiles; the test writes the second one.
fn with_profile(rest: &str) -> String {
    format!(
        r#"authorities = ["login.contoso.com"]
scopes = ["https://graph.microsoft.com/*"]
tenants = ["contoso.com"]
accounts = ["user0@contoso.com"]
client-ids = ["client-0"]

[[caches]]
source = "shared"
names = ["msal.cache", "other"]
access = "read"

[[profiles]]
name = "first"
source = "shared"
scopes = ["https://graph.microsoft.com/.default"]

[[profiles]]
{rest}
"#
    )
}

#[test]
fn two_grants_of_one_cache_are_a_problem() {
    let grant = |source: &str, names: &str, access: &str| {
        let names = if names.is_empty() { String::new() } else { format!("names = [{names}]\n") };
        format!("[[caches]]\nsource = \"{source}\"\n{names}access = \"{access}\"\n")
    };
    for (one, other, twice) in [
        (grant("azure-cli", "", "read"), grant("azure-cli", "", "read-write"), true),
        (grant("azure-cli", "", "read"), grant("azure-cli", "\"msal.cache\"", "read"), true),
        (grant("shared", "\"a\", \"b\"", "read"), grant("shared", "\"b\"", "read-write"), true),
        (grant("file:/x", "", "read"), grant("file:/x", "", "read-write"), true),
        (grant("file:/x", "", "read"), grant("file:/y", "", "read-write"), false),
        (grant("shared", "\"a\"", "read"), grant("shared", "\"b\"", "read-write"), false),
        (grant("shared", "\"a\"", "read"), grant("azure-cli", "\"a\"", "read-write"), false),
    ] {
        let result = parse(&format!("{one}{other}"));
        assert_eq!(result.is_err(), twice, "{one}{other}");
        if let Err(error) = result {
            let [problem] = error.problems() else { panic!("{error}") };
            assert_eq!(problem.field, "caches[1].source");
            assert!(problem.what.contains("caches[0]"), "{problem}");
        }
    }
}

#[test]
fn a_file_name_is_not_a_cache_name() {
    for suffix in ["cae", "nocae"] {
        let text = format!("[[caches]]\nsource = \"shared\"\nnames = [\"msal.cache.{suffix}\"]\naccess = \"read\"\n");
        let another = "[[caches]]\nsource = \"shared\"\nnames = [\"other\"]\naccess = \"read\"\n";
        let error = parse(&format!("{text}{another}").replace("shared", "azure-cli")).unwrap_err();
        let [problem] = error.problems() else { panic!("{error}") };
        assert!(problem.to_string().contains("write \"msal.cache\""), "{problem}");
    }
}

#[test]
fn a_denial_names_what_to_write() {
    let text = "[[caches]]\nsource = \"azure-cli\"\nnames = [\"foo\"]\naccess = \"read\"\n";
    let denied = parse(text).unwrap().grant(&Source::AzureCli, "msal.cache.nocae").unwrap_err();
    assert_eq!(denied.hint(), "add \"msal.cache\" to its `names` under `[[caches]]`");
    assert!(parse(&text.replace("foo", "msal.cache")).unwrap().grant(&Source::AzureCli, "msal.cache.nocae").is_ok());
    let denied = parse("").unwrap().grant(&Source::Shared, "msal.cache.nocae").unwrap_err();
    assert_eq!(denied.hint(), "grant it under `[[caches]]`, with `names = [\"msal.cache\"]`");
}

#[test]
fn a_doubt_has_a_position_and_is_not_a_problem() {
    let text = "scopes = [\"https://vault.azure.net/.default\",\n  \"https://vault.azure.net\"]\n";
    assert!(parse(text).is_ok());
    let doubts = super::doubts(text);
    let [doubt] = &doubts[..] else { panic!("{doubts:?}") };
    assert_eq!((doubt.line, doubt.column, doubt.field.as_str()), (2, 3, "scopes[1]"));
}

#[test]
fn a_profile_is_read_with_every_field() {
    let policy = parse(&with_profile(
        r#"name = "entra/graph"
        source = "shared"
        cache-name = "other"
        account = "user0@contoso.com"
        tenant = "contoso.com"
        authority = "login.contoso.com"
        client-id = "client-0"
        agent-session = "off"
        scopes = ["https://graph.microsoft.com/User.Read", "https://graph.microsoft.com/Mail.Read"]"#,
    ))
    .unwrap();
    let scopes = ["https://graph.microsoft.com/User.Read", "https://graph.microsoft.com/Mail.Read"];
    let expected = Profile::new("entra/graph".parse().unwrap(), Source::Shared, &scopes)
        .unwrap()
        .with_cache_name(CacheName::parse("other").unwrap())
        .with_authority("login.contoso.com".parse().unwrap())
        .with_agent_session(AgentSessionUse::Off);
    let expected = expected.with_account("user0@contoso.com").unwrap().with_tenant("contoso.com").unwrap();
    assert_eq!(policy.profile("entra/graph"), Some(&expected.with_client_id("client-0").unwrap()));
    assert_eq!(policy.profiles().len(), 2);
    assert_eq!(policy.profiles()[0].agent_session(), AgentSessionUse::Pass, "the default");
    assert_eq!(parse(&policy.to_toml()).unwrap(), policy);
}

#[test]
fn a_value_of_a_profile_that_the_policy_denies_is_a_problem_at_its_position() {
    let good = "name = \"second\"\nsource = \"shared\"\nscopes = [\"https://graph.microsoft.com/.default\"]\n";
    assert!(parse(&with_profile(good)).is_ok());
    for (rest, line, field, part) in [
        ("account = \"user1@contoso.com\"", 21, "account", "list it under `accounts`"),
        ("tenant = \"fabrikam.com\"", 21, "tenant", "list it under `tenants`"),
        ("client-id = \"client-1\"", 21, "client-id", "list it under `client-ids`"),
        ("authority = \"login.fabrikam.com\"", 21, "authority", "list it under `authorities`"),
        ("cache-name = \"third\"", 19, "source", "add \"third\" to its `names` under `[[caches]]`"),
    ] {
        let error = parse(&with_profile(&format!("{good}{rest}"))).unwrap_err();
        let [problem] = error.problems() else { panic!("{error}") };
        assert_eq!((problem.line, problem.field.as_str()), (line, &*format!("profiles[1].{field}")), "{rest}");
        assert!(problem.to_string().contains(part), "{problem}");
    }
    for (text, fields) in [
        (good.replace("second", "first"), &["profiles[1].name"] as &[&str]),
        (good.replace("graph.microsoft.com", "vault.azure.net"), &["profiles[1].scopes"]),
        (good.replace("shared", "azure-cli"), &["profiles[1].source"]),
        (good.replace("shared", "file:x"), &["profiles[1].source"]),
        (good.replace("https://graph.microsoft.com/.default", "openid"), &["profiles[1].scopes", "profiles[1].scopes"]),
        ("scopes = [\"*\"]".into(), &["profiles[1].name", "profiles[1].source", "profiles[1].scopes[0]"]),
        ("name = \"a b\"\nsource = \"shared\"".into(), &["profiles[1].scopes", "profiles[1].name"]),
    ] {
        let error = parse(&with_profile(&text)).unwrap_err();
        let found: Vec<_> = error.problems().iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(found, fields, "{text}");
    }
}
