//! The command line.

mod accounts;
mod arguments;
mod ask;
mod broker;
mod called;
mod compile;
mod core_dumps;
mod credential;
mod demo;
mod docker;
mod doctor;
mod filters;
mod forms;
mod get_token;
mod git;
mod help;
mod helper;
mod in_use;
mod log;
mod output;
mod policy;
mod presets;
mod run;
mod serve;
mod shim;
mod supported;
mod terminal;
mod validity;

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory as _, FromArgMatches as _};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use arguments::{Arguments, Color, Command, ErrorForm};
use called::{Called, called};
use output::Failure;
use shared_token_cache::escaped;

/// The filter of log lines on stderr: `debug`, or for example `shared_token_cache::border=debug`.
const LOG_VARIABLE: &str = "SHARED_TOKEN_CACHE_LOG";

/// The threads of an agent's event loop. The second one works while the first is blocked.
const AGENT_THREADS: usize = 2;

/// The time limit for file operations that are still running when the command ends.
const LAST_WORK: Duration = Duration::from_secs(1);

pub(crate) fn main() -> ExitCode {
    let arguments = match called() {
        Called::As(tool, arguments) => return shim::run(tool, arguments),
        Called::Ours(arguments) => arguments,
    };
    // Before any secret is in this process.
    core_dumps::deny();
    let color = Color::asked_for(&arguments);
    terminal::choose(color);
    let arguments = match parse(arguments.iter().cloned(), color) {
        Ok(arguments) => arguments,
        Err(error) => return not_understood(error, &arguments, color),
    };
    let form = arguments.command.error_form();
    match run(arguments.command) {
        Ok(code) => code,
        Err(failure) => output::report(&failure, form),
    }
}

fn run(command: Command) -> Result<ExitCode, Failure> {
    if matches!(command, Command::CompileComponent) {
        return compile::run();
    }
    let mut runtime = match &command {
        // A file system that blocks under one profile must not delay another.
        Command::Serve(_) | Command::Run(_) => tokio::runtime::Builder::new_multi_thread(),
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    let runtime = runtime.worker_threads(AGENT_THREADS).enable_all().build().map_err(Failure::other)?;
    match &command {
        Command::Demo(_) | Command::CompileComponent => {}
        // An agent reports only to its log.
        Command::Serve(_) => log_to_stderr("shared_token_cache=info,shared_token_cache::audit=warn", true),
        // The terminal belongs to the command that runs.
        Command::Run(_) => log_to_stderr("shared_token_cache=warn", true),
        _ => log_to_stderr("shared_token_cache=warn", false),
    }
    let outcome = runtime.block_on(async {
        match command {
            Command::GetToken(arguments) => get_token::run(*arguments).await,
            Command::Accounts(arguments) => accounts::run(*arguments).await,
            Command::Doctor(arguments) => doctor::run(*arguments).await,
            Command::Policy(command) => policy::run(command),
            Command::Supported(arguments) => supported::run(arguments).await,
            Command::Serve(arguments) => serve::run(*arguments).await,
            Command::Run(arguments) => run::run(*arguments).await,
            Command::GitCredential(arguments) => git::run(*arguments).await,
            Command::DockerCredential(arguments) => docker::run(*arguments).await,
            Command::Shim(arguments) => shim::manage(&arguments),
            Command::Demo(arguments) => demo::run(arguments).await,
            Command::CompileComponent => compile::run(),
        }
    });
    // Leaves blocked file operations behind; dropping the runtime would wait for them.
    runtime.shutdown_timeout(LAST_WORK);
    outcome
}

fn parse(arguments: impl Iterator<Item = OsString>, color: Color) -> Result<Arguments, clap::Error> {
    Arguments::from_arg_matches(&help::command(color).try_get_matches_from(arguments)?)
}

/// Prints a parse error as clap does, or as JSON if requested. Help and version exit with 0.
fn not_understood(error: clap::Error, arguments: &[OsString], color: Color) -> ExitCode {
    if error.use_stderr() && ErrorForm::asked_for(arguments.iter().cloned()) == ErrorForm::Json {
        let text = error.render().to_string();
        let text = text.trim().trim_start_matches("error: ");
        return output::report(&Failure::invalid(text.to_owned()), ErrorForm::Json);
    }
    let code = ExitCode::from(if error.use_stderr() { 2 } else { 0 });
    output::usage(&shown(error, arguments, color));
    code
}

/// The error with its quotes of the command line escaped, because their line breaks would look like
/// clap's own. clap quotes a value in several places, so the escaped command line is parsed again.
fn shown(error: clap::Error, arguments: &[OsString], color: Color) -> clap::Error {
    let is_plain = |argument: &OsString| {
        let text = argument.to_string_lossy();
        escaped(&text) == text
    };
    if arguments.iter().all(is_plain) {
        return error;
    }
    let plain = arguments.iter().map(|argument| match is_plain(argument) {
        true => argument.clone(),
        false => escaped(&argument.to_string_lossy()).into_owned().into(),
    });
    match parse(plain, color) {
        Err(error) => error,
        // The escaped command line parses, so the hidden character itself was the error.
        Ok(_) => Arguments::command().error(error.kind(), escaped(error.render().to_string().trim())),
    }
}

fn log_to_stderr(default: &str, is_shared: bool) {
    let shows_progress = !is_shared && terminal::shows_progress();
    let default = if shows_progress { format!("{default},{}=debug", log::RETRY) } else { default.to_owned() };
    let wanted = std::env::var(LOG_VARIABLE).unwrap_or(default);
    let targets = wanted.parse::<Targets>().unwrap_or_else(|error| {
        complain(&format!("cannot parse {LOG_VARIABLE}={wanted:?} ({error}); warnings are shown"));
        Targets::new().with_target("shared_token_cache", tracing::Level::WARN)
    });
    let lines = log::Lines { shows_progress };
    let lines = tracing_subscriber::fmt::layer().with_writer(anstream::stderr).event_format(lines);
    tracing_subscriber::registry().with(lines).with(targets).init();
}

/// Writes a line to stderr. Line breaks and other hidden characters in it are escaped.
fn complain(line: &str) {
    complain_in(&terminal::Line::new(line));
}

/// Writes a line in parts to stderr, behind the program's name.
fn complain_in(line: &terminal::Line) {
    terminal::end_progress();
    // A closed stderr cannot be reported.
    drop(writeln!(anstream::stderr(), "shared-token-cache: {}", line.as_str()));
}
