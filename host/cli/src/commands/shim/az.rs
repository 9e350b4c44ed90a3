//! Supported command lines of the Azure CLI.

use serde_json::{Value, json};

use super::Asks;
use super::answer::{Resource, Shape, TokenAnswer};
use super::options::{Given, Known, Takes};
use crate::commands::arguments;

const TOKEN: [Known; 8] = [
    Known { names: &["--resource"], takes: Takes::One },
    Known { names: &["--scope"], takes: Takes::Several },
    Known { names: &["--resource-type"], takes: Takes::One },
    Known { names: &["--tenant", "-t"], takes: Takes::One },
    Known { names: &["--subscription", "-s", "--name", "-n"], takes: Takes::One },
    Known { names: &["--output", "-o"], takes: Takes::One },
    Known { names: &["--query"], takes: Takes::One },
    Known { names: &["--only-show-errors"], takes: Takes::Nothing },
];

const ACCOUNT: [Known; 4] = [
    Known { names: &["--subscription", "-s", "--name", "-n"], takes: Takes::One },
    Known { names: &["--output", "-o"], takes: Takes::One },
    Known { names: &["--query"], takes: Takes::One },
    Known { names: &["--only-show-errors"], takes: Takes::Nothing },
];

/// The values of `--resource-type`.
const KINDS: [&str; 7] = ["oss-rdbms", "arm", "aad-graph", "ms-graph", "media", "data-lake", "batch"];

/// The output format of an answer.
#[derive(Debug)]
pub(super) struct Print {
    /// Whether a string is printed without quotes.
    pub(super) tsv: bool,
    /// The one field to print.
    pub(super) field: Option<String>,
    /// The requested subscription.
    pub(super) subscription: Option<String>,
}

impl Print {
    /// `None` for a format that only the Azure CLI itself supports.
    fn of(given: &Given<'_>) -> Option<Self> {
        let environment = std::env::var("AZURE_CORE_OUTPUT").ok();
        let output = given.one("--output").or(environment.as_deref()).unwrap_or("json");
        let tsv = match output {
            "json" => false,
            "tsv" => true,
            _ => return None,
        };
        let field = given.one("--query").map(str::to_owned);
        let is_name = |field: &String| field.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        // As tab-separated values, a whole object has an order that only the Azure CLI defines.
        let is_known = field.as_ref().map_or(!tsv, is_name);
        is_known.then(|| Self { tsv, field, subscription: given.one("--subscription").map(str::to_owned) })
    }

    /// The line for an object. A missing field is null, as in JMESPath.
    pub(super) fn line(&self, object: &Value) -> Option<String> {
        let shown = match &self.field {
            Some(field) => object.get(field).unwrap_or(&Value::Null),
            None => object,
        };
        match shown {
            Value::String(text) if self.tsv => Some(text.clone()),
            Value::Null if self.tsv => Some(String::new()),
            Value::Number(_) | Value::Bool(_) => Some(shown.to_string()),
            Value::Array(_) | Value::Object(_) if self.tsv => None,
            _ => serde_json::to_string_pretty(shown).ok(),
        }
    }
}

pub(super) fn parse(words: &[&str]) -> Asks {
    match words {
        ["account", "get-access-token", rest @ ..] => token(rest).unwrap_or(Asks::Other),
        ["account", "show", rest @ ..] => printed(rest, &ACCOUNT).map_or(Asks::Other, Asks::Account),
        ["version", rest @ ..] => printed(rest, &ACCOUNT).map_or(Asks::Other, Asks::Version),
        _ => Asks::Other,
    }
}

/// The version for Terraform, which asks for it first. Used if no Azure CLI is installed.
pub(super) fn version() -> Value {
    json!({ "azure-cli": "2.91.0", "azure-cli-core": "2.91.0", "extensions": {} })
}

fn printed(words: &[&str], known: &[Known]) -> Option<Print> {
    Print::of(&Given::parse(words, known)?)
}

fn token(words: &[&str]) -> Option<Asks> {
    let given = Given::parse(words, &TOKEN)?;
    let print = Print::of(&given)?;
    let shape = match (&print.field, print.tsv) {
        (None, _) => Shape::Az,
        (Some(field), tsv) if field == "accessToken" => Shape::Field { tsv },
        (Some(_), _) => return None,
    };
    let (scopes, resource, kind) = (given.all("--scope"), given.one("--resource"), given.one("--resource-type"));
    let ways = [!scopes.is_empty(), resource.is_some(), kind.is_some()].into_iter().filter(|way| *way).count();
    if ways > 1 {
        return Some(Asks::Wrong("Only one of --scope, --resource and --resource-type may be given.".into()));
    }
    let tenant = given.one("--tenant").map(str::to_owned);
    if tenant.is_some() && print.subscription.is_some() {
        return Some(Asks::Wrong("Please specify only one of subscription and tenant, not both".into()));
    }
    if resource.is_some_and(|resource| arguments::resource(resource).is_err()) {
        return Some(Asks::Wrong("The resource is one text without white space.".into()));
    }
    let resource = match (resource, kind) {
        (Some(resource), _) => Resource::Named(resource.to_owned()),
        (None, Some(kind)) => Resource::Kind(KINDS.into_iter().find(|known| *known == kind)?),
        (None, None) if scopes.is_empty() => Resource::Kind("arm"),
        (None, None) => Resource::Scopes(scopes),
    };
    Some(Asks::Token(TokenAnswer { resource, tenant, subscription: print.subscription, claims: None, shape }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(line: &str) -> Asks {
        parse(&line.split(' ').collect::<Vec<_>>())
    }

    #[test]
    fn the_command_line_of_every_known_caller_is_supported() {
        for line in [
            "account get-access-token",
            "account get-access-token --output json --resource https://vault.azure.net --tenant contoso.com",
            "account get-access-token --output json --resource https://vault.azure.net --subscription a",
            "account get-access-token -o json --scope https://vault.azure.net/.default --tenant contoso.com",
            "account get-access-token --query accessToken -o tsv",
            "account get-access-token --scope https://vault.azure.net/.default --tenant t -o=json",
            "account get-access-token --resource-type ms-graph --query accessToken --only-show-errors",
        ] {
            assert!(matches!(asks(line), Asks::Token(_)), "{line}");
        }
        assert!(matches!(asks("account show -o=json"), Asks::Account(_)));
        assert!(matches!(asks("version -o=json"), Asks::Version(_)));
    }

    #[test]
    fn other_command_lines_are_left_to_the_azure_cli() {
        for line in [
            "login",
            "account list",
            "account get-access-token --help",
            "account get-access-token --output table",
            "account get-access-token --output tsv",
            "account get-access-token --query [accessToken,tenant]",
            "account get-access-token --query expiresOn",
            "account get-access-token --resource-type nonsense",
            "account get-access-token --debug",
            "account show -o yaml",
            "rest --uri x",
            "",
        ] {
            assert!(matches!(asks(line), Asks::Other), "{line}");
        }
    }

    #[test]
    fn options_that_exclude_each_other_are_refused() {
        for line in [
            "account get-access-token --resource a --scope b",
            "account get-access-token --resource a --resource-type arm",
            "account get-access-token --tenant a --subscription b",
        ] {
            assert!(matches!(asks(line), Asks::Wrong(_)), "{line}");
        }
    }
}
