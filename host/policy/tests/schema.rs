//! The JSON schema agrees with the parser on fields, ranges and values.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

use std::collections::BTreeSet;

use regex_lite::Regex;
use serde_json::{Map, Value};
use shared_token_cache_policy::Policy;
use toml::de::{DeTable, DeValue};

fn schema() -> Value {
    serde_json::from_str(Policy::json_schema()).unwrap()
}

/// The fields of a table, from the parser's error for an unknown field.
fn fields_of(table: &str) -> BTreeSet<String> {
    let error = Policy::from_toml(&format!("{table}\nno-such-field = 1\n")).unwrap_err();
    let problem = error.problems().iter().find(|problem| problem.field.ends_with("no-such-field")).unwrap();
    problem.instead.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn properties(schema: &Value) -> BTreeSet<String> {
    schema["properties"].as_object().unwrap().keys().cloned().collect()
}

#[test]
fn parser_and_schema_have_the_same_fields() {
    let schema = schema();
    assert_eq!(fields_of(""), properties(&schema));
    for list in ["caches", "profiles"] {
        assert_eq!(fields_of(&format!("[[{list}]]")), properties(&schema["properties"][list]["items"]), "{list}");
    }
    let tables = schema["properties"].as_object().unwrap().iter().filter(|(_, field)| field["type"] == "object");
    let tables: Vec<_> = tables.collect();
    assert!(tables.len() >= 3);
    for (name, table) in tables {
        assert_eq!(fields_of(&format!("[{name}]")), properties(table), "{name}");
    }
}

#[test]
fn parser_and_schema_have_the_same_ranges_and_defaults() {
    let defaults = to_json(&Policy::default().to_toml());
    for (table, fields) in schema()["properties"].as_object().unwrap() {
        for (field, range) in fields["properties"].as_object().into_iter().flatten() {
            assert_eq!(defaults[table][field], range["default"], "{table}.{field}");
            let taken = |value: i64| Policy::from_toml(&format!("{table}.{field} = {value}")).is_ok();
            if let (Some(least), Some(most)) = (range["minimum"].as_i64(), range["maximum"].as_i64()) {
                assert!(taken(least) && taken(most), "{table}.{field}");
                assert!(!taken(least - 1) && !taken(most + 1), "{table}.{field}");
            }
        }
    }
}

#[test]
fn a_document_is_valid_exactly_when_it_parses() {
    let schema = schema();
    let cache = |rest: &str| format!("[[caches]]\naccess = \"read\"\n{rest}");
    let list = |field: &str, items: &[&str]| -> Vec<String> {
        items.iter().map(|item| format!("{field} = [{}]", Value::from(*item))).collect()
    };
    let mut documents = vec![
        String::new(),
        "scopes = []".into(),
        "scope = []".into(),
        "scopes = \"*\"".into(),
        "scopes = [1]".into(),
        "limits = 1".into(),
        "limits.call-seconds = \"1\"".into(),
        "limits.call-seconds = 1.5".into(),
        "limits.call-seconds = 1".into(),
        "log.component = \"trace\"".into(),
        "log.component = \"info\"".into(),
        "log.component = 1".into(),
        "process.core-dumps = \"deny\"".into(),
        "process.core-dumps = true".into(),
        cache("source = \"shared\"\nnames = [\"msal.cache\"]"),
        cache("source = \"shared\""),
        cache("source = \"shared\"\nnames = []"),
        cache("source = \"azure-cli\"\nnames = [\".x\"]"),
        cache("source = \"azure-cli\""),
        cache("source = \"azure-cli\"\nnames = []"),
        cache("source = \"file:/x\""),
        cache("source = \"file:/x\"\nnames = []"),
        cache("source = \"file:/x\"\nnames = [\"x\"]"),
        cache("source = \"file:\""),
        cache("source = \"keyring\"\nnames = [\"x\"]"),
        cache("names = [\"x\"]"),
        cache(
            "source = \"file:/x\"\nother-owner = \"warn\"\nloose-permissions = \"refuse\"\nsymlink-targets = [\"/y\"]",
        ),
        cache("source = \"file:/x\"\nother-owner = \"any\""),
        cache("source = \"file:/x\"\nowner = \"any\""),
        "[[caches]]\nsource = \"file:/x\"\n".into(),
        "[[caches]]\nsource = \"file:/x\"\naccess = \"write\"".into(),
        "caches = {}".into(),
    ];
    documents.extend(list(
        "scopes",
        &[
            "*",
            "a",
            "User.Read",
            "https://x/.default",
            "https://x/*",
            "https://x//*",
            "api://x/y/*",
            "a/*",
            "",
            " ",
            "a b",
            "**",
            "a*",
            "/*",
            "https://*",
            "https:///*",
            "a/b/*",
            "https://x/a*",
            "https://u@x/*",
            "ä",
            "a\"",
            "a\\",
        ],
    ));
    documents
        .extend(list("tenants", &["*", "contoso.com", "a-b", "", "a b", "*.com", "common", "organizations", "a/b"]));
    documents.extend(list(
        "accounts",
        &["*", "a@b.c", "a.b", "a#b@c", "", "a", "@", "a@", "@b", "*@b", "a.b.c", "a b@c", "a."],
    ));
    documents.extend(list("client-ids", &["*", "04b0-7795", "", "a b", "https://x"]));
    documents.extend(list(
        "component-sha256",
        &["*", &"0aF".repeat(22)[..64], &"0".repeat(63), &"0".repeat(65), &"g".repeat(64), ""],
    ));
    documents.extend(list(
        "authorities",
        &["login.contoso.com", "localhost:8443", "https://x.y/", "", "*", "*.x", "http://x", "x/y", "u@x", "x."],
    ));
    documents.extend(list(
        "network.addresses",
        &[
            "private",
            "10.0.0.0/8",
            "127.0.0.1",
            "::1",
            "fd00::/8",
            "::ffff:10.0.0.1",
            "",
            "*",
            "intranet",
            "10.0.0",
            "x::1",
            "::/",
        ],
    ));
    // A schema cannot check a profile's values against the rest of the document, so the rest allows
    // all of them.
    let profile = |rest: &str| {
        let caches = ["shared", "azure-cli"].map(|source| {
            format!("[[caches]]\nsource = \"{source}\"\nnames = [\"msal.cache\", \"x\"]\naccess = \"read\"\n")
        });
        let file = "[[caches]]\nsource = \"file:/x\"\naccess = \"read\"\n";
        let any = "scopes = [\"*\"]\ntenants = [\"*\"]\naccounts = [\"*\"]\nclient-ids = [\"*\"]\nauthorities = [\"localhost:8443\"]\n";
        format!("{any}{}{file}[[profiles]]\n{rest}", caches.concat())
    };
    let named = |rest: &str| profile(&format!("name = \"a\"\nsource = \"shared\"\nscopes = [\"a\"]\n{rest}"));
    documents.extend([
        "profiles = {}".into(),
        "profiles = []".into(),
        named(""),
        named("x = 1"),
        named("agent-session = \"pass\""),
        named("agent-session = \"off\""),
        named("agent-session = \"Off\""),
        named("agent-session = true"),
        profile("source = \"shared\"\nscopes = [\"a\"]"),
        profile("name = \"a\"\nscopes = [\"a\"]"),
        profile("name = \"a\"\nsource = \"shared\""),
        profile("name = \"a\"\nsource = \"shared\"\nscopes = []"),
        profile("name = \"a\"\nsource = \"file:/x\"\nscopes = [\"a\"]"),
        profile("name = \"a\"\nsource = \"file:/x\"\ncache-name = \"x\"\nscopes = [\"a\"]"),
        profile("name = \"a\"\nsource = \"file:\"\nscopes = [\"a\"]"),
    ]);
    for (field, values) in [
        ("account", &["a@b.c", "a#b@c", "*", "a.b", "a", "", "a b@c"] as &[&str]),
        ("tenant", &["contoso.com", "*", "common", "a b", ""]),
        ("client-id", &["04b0-7795", "*", "a b", ""]),
        ("cache-name", &["x", "msal.cache", ".x", "a/b", ""]),
        ("authority", &["localhost:8443", "https://localhost:8443/", "*", "u@localhost:8443", ""]),
    ] {
        documents.extend(values.iter().map(|value| named(&format!("{field} = \"{value}\""))));
    }
    for name in ["entra/graph", "a.b_c-D", "", "a b", "a=b", &"x".repeat(128), &"x".repeat(129)] {
        documents.push(profile(&format!("name = \"{name}\"\nsource = \"azure-cli\"\nscopes = [\"a\"]")));
    }
    for scope in ["a", "https://x/.default", "User.Read", "*", "https://x/*", "a b", ""] {
        documents.push(profile(&format!("name = \"a\"\nsource = \"shared\"\nscopes = [\"{scope}\"]")));
    }
    let (mut good, mut bad) = (0, 0);
    for document in documents {
        let parses = Policy::from_toml(&document);
        let valid = validate(&schema, &to_json(&document));
        assert_eq!(valid, parses.is_ok(), "{document}\n{parses:?}");
        *(if valid { &mut good } else { &mut bad }) += 1;
    }
    assert!(good > 25 && bad > 50, "{good} {bad}");
}

/// Implements the keywords of JSON Schema that the schema uses. Other keywords panic, so that none
/// is ignored.
fn validate(schema: &Value, value: &Value) -> bool {
    let holds = |keyword: &str| schema.get(keyword).is_some_and(|schema| validate(schema, value));
    schema.as_object().unwrap().iter().all(|(keyword, rule)| match keyword.as_str() {
        "$schema" | "title" | "description" | "default" | "then" | "else" => true,
        "type" => match rule.as_str().unwrap() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "integer" => value.is_i64(),
            other => unreachable!("the type {other}"),
        },
        "enum" => rule.as_array().unwrap().contains(value),
        "not" => !validate(rule, value),
        "pattern" => value.as_str().is_none_or(|text| Regex::new(rule.as_str().unwrap()).unwrap().is_match(text)),
        "minimum" => value.as_i64().is_none_or(|number| number >= rule.as_i64().unwrap()),
        "maximum" => value.as_i64().is_none_or(|number| number <= rule.as_i64().unwrap()),
        "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= rule.as_u64().unwrap()),
        "maxItems" => value.as_array().is_none_or(|items| items.len() as u64 <= rule.as_u64().unwrap()),
        "items" => value.as_array().is_none_or(|items| items.iter().all(|item| validate(rule, item))),
        "required" => value.as_object().is_none_or(|members| {
            rule.as_array().unwrap().iter().all(|name| members.contains_key(name.as_str().unwrap()))
        }),
        "properties" => value.as_object().is_none_or(|members| {
            let rules = rule.as_object().unwrap();
            members.iter().all(|(name, value)| rules.get(name).is_none_or(|rule| validate(rule, value)))
        }),
        "additionalProperties" => {
            value.as_object().is_none_or(|members| members.keys().all(|name| schema["properties"].get(name).is_some()))
        }
        "if" => {
            if validate(rule, value) {
                holds("then")
            } else {
                holds("else")
            }
        }
        other => unreachable!("the keyword {other}"),
    })
}

fn to_json(document: &str) -> Value {
    let table = DeTable::parse(document).unwrap().into_inner();
    json(DeValue::Table(table))
}

fn json(value: DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::from(text.into_owned()),
        DeValue::Integer(number) => Value::from(number.as_str().parse::<i64>().unwrap()),
        DeValue::Float(number) => Value::from(number.as_str().parse::<f64>().unwrap()),
        DeValue::Boolean(value) => Value::from(value),
        DeValue::Datetime(date) => Value::from(date.to_string()),
        DeValue::Array(items) => items.into_iter().map(|item| json(item.into_inner())).collect(),
        DeValue::Table(table) => {
            let members =
                table.into_iter().map(|(name, value)| (name.into_inner().into_owned(), json(value.into_inner())));
            Value::Object(members.collect::<Map<_, _>>())
        }
    }
}
