//! Supported command lines of the Azure Developer CLI, and of the helpers of codespaces.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Asks;
use super::answer::{Resource, Shape, TokenAnswer};
use super::options::{Given, Known, Takes};
use crate::commands::called::Tool;
use crate::commands::presets::Preset;

const TOKEN: [Known; 5] = [
    Known { names: &["--output", "-o"], takes: Takes::One },
    Known { names: &["--no-prompt"], takes: Takes::Nothing },
    Known { names: &["--scope"], takes: Takes::One },
    Known { names: &["--tenant-id"], takes: Takes::One },
    Known { names: &["--claims"], takes: Takes::One },
];

pub(super) fn parse(words: &[&str]) -> Asks {
    match words {
        ["auth", "token", rest @ ..] => token(rest).unwrap_or(Asks::Other),
        _ => Asks::Other,
    }
}

fn token(words: &[&str]) -> Option<Asks> {
    let given = Given::parse(words, &TOKEN)?;
    let shape = match given.one("--output") {
        Some("json") => Shape::Azd,
        None | Some("none") => Shape::Bare,
        Some(_) => return None,
    };
    let claims = match given.one("--claims") {
        None => None,
        Some(text) => match STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok()) {
            Some(claims) => Some(claims),
            None => return Some(Asks::Wrong("the value of --claims is not base64".into())),
        },
    };
    let scopes = given.all("--scope");
    let resource = if scopes.is_empty() {
        // azd's default scope, which has two slashes.
        Resource::Scopes(vec!["https://management.azure.com//.default".into()])
    } else {
        Resource::Scopes(scopes)
    };
    let tenant = given.one("--tenant-id").map(str::to_owned);
    Some(Asks::Token(TokenAnswer { resource, tenant, subscription: None, claims, shape }))
}

/// `get-access-token [SCOPE …]`.
pub(super) fn parse_helper(tool: Tool, words: &[&str]) -> Asks {
    let ["get-access-token", scopes @ ..] = words else { return Asks::Other };
    if scopes.iter().any(|scope| scope.starts_with('-')) {
        return Asks::Other;
    }
    let preset = if tool == Tool::AdoAuthHelper { Preset::Devops } else { Preset::Arm };
    let scopes = if scopes.is_empty() { &[preset.scope()][..] } else { scopes };
    let resource = Resource::Scopes(scopes.iter().map(|scope| (*scope).to_owned()).collect());
    Asks::Token(TokenAnswer { resource, tenant: None, subscription: None, claims: None, shape: Shape::Bare })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_come_in_base64() {
        let line = ["auth", "token", "--output", "json", "--no-prompt", "--scope", "a/.default", "--claims", "e30="];
        let Asks::Token(wanted) = parse(&line) else { panic!("a token is asked for") };
        assert_eq!(wanted.claims.as_deref(), Some("{}"));
        assert!(matches!(parse(&["auth", "token", "--claims", "{}"]), Asks::Wrong(_)));
        assert!(matches!(parse(&["auth", "login"]), Asks::Other));
        assert!(matches!(parse(&["auth", "token", "--output", "table"]), Asks::Other));
    }

    #[test]
    fn helpers_take_scopes_or_have_a_default() {
        let scopes = |tool, words: &[&str]| match parse_helper(tool, words) {
            Asks::Token(TokenAnswer { resource: Resource::Scopes(scopes), .. }) => scopes,
            _ => Vec::new(),
        };
        assert_eq!(scopes(Tool::AdoAuthHelper, &["get-access-token"]), [Preset::Devops.scope()]);
        assert_eq!(scopes(Tool::AzureAuthHelper, &["get-access-token"]), [Preset::Arm.scope()]);
        assert_eq!(scopes(Tool::AzureAuthHelper, &["get-access-token", "a"]), ["a"]);
        assert!(scopes(Tool::AzureAuthHelper, &["get-access-token", "--help"]).is_empty());
        assert!(scopes(Tool::AdoAuthHelper, &["login"]).is_empty());
    }
}
