//! The name by which the program is called. It selects a function for callers that pass none of
//! this program's arguments.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::ValueEnum as _;

use super::presets::Preset;

/// The variable with the policy for calls under another name, in place of the built-in one.
pub(super) const POLICY_VARIABLE: &str = "SHARED_TOKEN_CACHE_POLICY";

/// The variable with the least remaining lifetime of tokens for calls under another name, such as
/// `50m`.
pub(super) const VALIDITY_VARIABLE: &str = "SHARED_TOKEN_CACHE_MIN_VALIDITY";

/// The program's own name.
const NAME: &str = "shared-token-cache";

/// The prefix of a preset's or profile's name.
const PREFIX: &str = "stc-";

/// Tools that the program can replace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    /// The Azure CLI.
    Az,
    /// The Azure Developer CLI.
    Azd,
    /// The helper of a codespace for any scope, and the one for Azure DevOps.
    AzureAuthHelper,
    AdoAuthHelper,
}

impl Tool {
    pub(super) const ALL: [Self; 4] = [Self::Az, Self::Azd, Self::AzureAuthHelper, Self::AdoAuthHelper];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Az => "az",
            Self::Azd => "azd",
            Self::AzureAuthHelper => "azure-auth-helper",
            Self::AdoAuthHelper => "ado-auth-helper",
        }
    }
}

/// The meaning of a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Called {
    /// The arguments are this program's own command line.
    Ours(Vec<OsString>),
    /// The arguments are another tool's command line.
    As(Tool, Vec<OsString>),
}

/// Whether the program can be called by this name.
pub(super) fn is_a_name(name: &str) -> bool {
    let is_free = |rest: &str| {
        !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    Tool::ALL.iter().any(|tool| tool.name() == name)
        || ["git-credential-stc", "docker-credential-stc"].contains(&name)
        || name.strip_prefix(PREFIX).is_some_and(is_free)
}

/// Whether the program is called by the name of a preset or a profile.
pub(super) fn is_by_link() -> bool {
    let path = std::env::args_os().next();
    let name = path.as_deref().map(Path::new).and_then(Path::file_name).and_then(OsStr::to_str);
    name.is_some_and(|name| name.starts_with(PREFIX))
}

/// Reads the name and the arguments of this process.
pub(super) fn called() -> Called {
    let environment = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    of(std::env::args_os().collect(), environment)
}

fn of(arguments: Vec<OsString>, environment: impl Fn(&str) -> Option<OsString>) -> Called {
    let path = arguments.first().map(Path::new);
    let stem = if cfg!(windows) { path.and_then(Path::file_stem) } else { path.and_then(Path::file_name) };
    let name = stem.and_then(OsStr::to_str).unwrap_or_default();
    let rest = || arguments.iter().skip(1).cloned();
    if let Some(tool) = Tool::ALL.into_iter().find(|tool| tool.name() == name) {
        // git calls the helper of Azure DevOps as a credential helper.
        let is_git = |operation: &OsString| ["get", "store", "erase"].iter().any(|name| operation == name);
        if tool == Tool::AdoAuthHelper && arguments.get(1).is_some_and(is_git) {
            return ours(&["git-credential"], policy(&environment), rest());
        }
        return Called::As(tool, rest().collect());
    }
    match name {
        "git-credential-stc" => ours(&["git-credential"], policy(&environment), rest()),
        "docker-credential-stc" => ours(&["docker-credential"], policy(&environment), rest()),
        _ => match name.strip_prefix(PREFIX) {
            Some(wanted) => bare_token(wanted, &environment, rest()),
            None => Called::Ours(arguments),
        },
    }
}

/// The command line for the bare token of a profile of the environment's policy, or of a preset
/// without a policy.
fn bare_token(
    wanted: &str,
    environment: &impl Fn(&str) -> Option<OsString>,
    rest: impl Iterator<Item = OsString>,
) -> Called {
    let by_profile = environment(POLICY_VARIABLE).is_some();
    let is_preset = Preset::from_str(wanted, false).is_ok();
    let kind = if by_profile || !is_preset { "--profile" } else { "--preset" };
    let validity = environment(VALIDITY_VARIABLE).map(|validity| ["--min-validity".into(), validity]);
    let more = policy(environment).chain(validity.into_iter().flatten());
    ours(&["get-token", kind, wanted, "--output", "token"], more, rest)
}

fn policy(environment: &impl Fn(&str) -> Option<OsString>) -> impl Iterator<Item = OsString> {
    environment(POLICY_VARIABLE).map(|path| ["--policy".into(), path]).into_iter().flatten()
}

fn ours(first: &[&str], more: impl Iterator<Item = OsString>, rest: impl Iterator<Item = OsString>) -> Called {
    Called::Ours([NAME].iter().chain(first).map(OsString::from).chain(more).chain(rest).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_selects_the_function() {
        let none: fn(&str) -> Option<OsString> = |_| None;
        let set: fn(&str) -> Option<OsString> =
            |name| Some(if name == POLICY_VARIABLE { "p.toml" } else { "50m" }.into());
        for (arguments, environment, expected) in [
            ("/usr/bin/shared-token-cache accounts", none, "/usr/bin/shared-token-cache accounts"),
            ("stc-arm", none, "shared-token-cache get-token --preset arm --output token"),
            (
                "/opt/stc-arm",
                set,
                "shared-token-cache get-token --profile arm --output token --policy p.toml --min-validity 50m",
            ),
            ("stc-mine", none, "shared-token-cache get-token --profile mine --output token"),
            ("git-credential-stc get", set, "shared-token-cache git-credential --policy p.toml get"),
            ("ado-auth-helper get", none, "shared-token-cache git-credential get"),
            ("docker-credential-stc get", none, "shared-token-cache docker-credential get"),
        ] {
            let split = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
            assert_eq!(of(split(arguments), environment), Called::Ours(split(expected)), "{arguments}");
        }
        for tool in Tool::ALL {
            let arguments = vec![format!("/opt/bin/{}", tool.name()).into(), "x".into()];
            assert_eq!(of(arguments, none), Called::As(tool, vec!["x".into()]));
        }
    }

    #[test]
    fn a_link_needs_a_supported_name() {
        for name in [
            "az",
            "azd",
            "azure-auth-helper",
            "ado-auth-helper",
            "git-credential-stc",
            "docker-credential-stc",
            "stc-arm",
        ] {
            assert!(is_a_name(name), "{name}");
        }
        for name in ["", "sh", "stc-", "stc-../x", "../az", "az/", "stc-a b", "shared-token-cache"] {
            assert!(!is_a_name(name), "{name}");
        }
    }
}
