//! The program called by the name of another tool, such as `az`. It answers what asks for tokens; the rest is the next program's of that
//! name in `PATH`.

mod answer;
mod az;
mod azd;
mod cloud;
mod install;
mod next;
mod options;
mod signed_in;

use std::ffi::OsString;
use std::process::ExitCode;

use super::called::Tool;
use super::core_dumps;
pub(super) use install::run as manage;

/// What a command line of another tool asks for.
enum Asks {
    /// A token.
    Token(answer::TokenAnswer),
    /// The subscription in use.
    Account(az::Print),
    /// Which version the tool has.
    Version(az::Print),
    /// Something that makes no sense, with the tool's words for it.
    Wrong(String),
    /// Something that is another program's business.
    Other,
}

/// Answers in the tool's place.
pub(super) fn run(tool: Tool, arguments: Vec<OsString>) -> ExitCode {
    let words: Option<Vec<_>> = arguments.iter().map(|argument| argument.to_str()).collect();
    let asks = match (tool, &words) {
        (_, None) => Asks::Other,
        (Tool::Az, Some(words)) => az::parse(words),
        (Tool::Azd, Some(words)) => azd::parse(words),
        (Tool::AzureAuthHelper | Tool::AdoAuthHelper, Some(words)) => azd::parse_helper(tool, words),
    };
    match asks {
        // Before anything else, so that the next program finds this process as it was.
        Asks::Other => next::run(tool, &arguments),
        Asks::Version(_) if next::find(tool).is_some() => next::run(tool, &arguments),
        Asks::Version(print) => answer::printed(tool, print.line(&az::version())),
        Asks::Wrong(what) => answer::wrong(&what),
        Asks::Account(print) => answer::account(tool, &print, &arguments),
        Asks::Token(wanted) => {
            core_dumps::deny();
            answer::token(tool, &wanted, &arguments)
        }
    }
}
