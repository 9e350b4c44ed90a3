//! The help of the command as a whole: subcommands by task, and examples.

use clap::{ColorChoice, Command, CommandFactory as _};

use super::arguments::{Arguments, Color};

/// The subcommands, grouped by the reader's task.
const TASKS: &[(&str, &[&str])] = &[
    ("Get a token", &["get-token"]),
    ("Serve other programs", &["run", "serve", "shim", "git-credential", "docker-credential"]),
    ("Look at this machine", &["accounts", "doctor", "supported"]),
    ("Write a policy", &["policy"]),
    ("Learn", &["demo", "help"]),
];

const EXAMPLES: &str = "\
Examples:
  Why is there no token?
    shared-token-cache doctor
  A token for Azure Resource Manager, as a header for curl
    shared-token-cache get-token --scope https://management.azure.com/.default --output header
  One of several accounts
    shared-token-cache accounts
    shared-token-cache get-token --scope https://vault.azure.net/.default --username user0@contoso.com
  Tokens for the Azure clients of a program
    shared-token-cache run --scope https://vault.azure.net/.default -- python app.py
  A token file for another process, kept fresh
    shared-token-cache serve --policy policy.toml --token-file vault=/run/user/1000/vault/token

docs/cli.md describes every subcommand, and docs/troubleshooting.md every error.";

/// The command line's definition, with the help text.
pub(super) fn command(color: Color) -> Command {
    let mut command = Arguments::command();
    command.build();
    let list: String = TASKS.iter().map(|(task, names)| group(&command, task, names)).collect();
    let template =
        format!("{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{list}Options:\n{{options}}{{after-help}}");
    let color = match color {
        Color::Auto => ColorChoice::Auto,
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    };
    Arguments::command().help_template(template).after_help(EXAMPLES).color(color)
}

/// The subcommands of a task, each with the first sentence of its description.
fn group(command: &Command, task: &str, names: &[&str]) -> String {
    let mut text = format!("{task}:\n");
    for name in names {
        let about = command.find_subcommand(name).and_then(Command::get_about).map(ToString::to_string);
        let about = about.unwrap_or_default();
        let sentence = about.split(". ").next().unwrap_or_default();
        text.push_str(&format!("  {name:20}{sentence}\n"));
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_subcommand_belongs_to_a_task() {
        let mut command = Arguments::command();
        command.build();
        let visible = command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set());
        let visible: BTreeSet<_> = visible.map(|subcommand| subcommand.get_name().to_owned()).collect();
        let listed: BTreeSet<_> = TASKS.iter().flat_map(|(_, names)| *names).map(|name| (*name).to_owned()).collect();
        assert_eq!(listed, visible);
    }
}
