//! The program under the name of another tool, such as `az`. It answers token requests and passes
//! other command lines to the next program of that name in `PATH`.

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

/// The request of another tool's command line.
enum Asks {
    /// A token.
    Token(answer::TokenAnswer),
    /// The subscription in use.
    Account(az::Print),
    /// The version of the tool.
    Version(az::Print),
    /// An invalid request, with the tool's message.
    Wrong(String),
    /// A request for another program.
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
        // Before any other action, so that the next program gets an unchanged process.
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
