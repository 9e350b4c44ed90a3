//! The Markdown files: links have targets, every kind of error has a section, command lines are
//! valid, and docs/cli.md contains the program's help.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use shared_token_cache_tests::cli::{Cli, program};

/// The text before a subcommand's help in docs/cli.md; the subcommand's name and a block of code
/// follow.
const HELP: &str = "<!-- help: ";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The project's Markdown files below a folder: none that is built or installed.
fn pages(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
            pages(&path, found);
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
}

/// The text without blocks of code, which contain no links.
fn prose(page: &Path) -> String {
    let text = fs::read_to_string(page).unwrap();
    let parts = text.split("\n```").step_by(2);
    parts.flat_map(str::lines).filter(|line| !line.starts_with("    ")).map(|line| format!("{line}\n")).collect()
}

/// GitHub's anchor of a heading.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|character| character.is_alphanumeric() || " -_".contains(*character));
    kept.map(|character| if character == ' ' { '-' } else { character }).collect()
}

fn anchors(page: &Path) -> BTreeSet<String> {
    prose(page).lines().filter(|line| line.starts_with('#')).map(anchor).collect()
}

fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut found = Vec::new();
    pages(&root(), &mut found);
    let mut broken = Vec::new();
    let mut checked = 0;
    for page in &found {
        for link in links(&prose(page)).filter(|link| !link.contains("://")) {
            checked += 1;
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            let there = target.exists() && (heading.is_empty() || anchors(&target).contains(heading));
            if !there {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(checked > 20, "only {checked} links were found");
}

/// The names of the cases of a variant or an enum of the contract.
fn cases(kind: &str) -> Vec<String> {
    let contract = fs::read_to_string(root().join("wit/credential.wit")).unwrap();
    let (_, rest) = contract.split_once(&format!("{kind} {{")).unwrap();
    let body = rest.split_once('}').unwrap().0;
    let names = body.lines().map(str::trim).filter(|line| !line.starts_with("//") && !line.is_empty());
    names.map(|line| line.trim_end_matches(',').split('(').next().unwrap().to_owned()).collect()
}

#[test]
fn every_kind_and_reason_of_an_error_has_a_section() {
    let sections = anchors(&root().join("docs/troubleshooting.md"));
    let mut expected: BTreeSet<String> = ["troubleshooting", "limit", "plugin", "other"].map(str::to_owned).into();
    for kind in ["variant error", "enum unavailable-reason", "enum authentication-failure-reason"] {
        expected.extend(cases(kind));
    }
    assert!(expected.len() > 15, "{expected:?}");
    assert_eq!(sections, expected);
}

/// Runs the program at a width independent of the terminal.
fn run(arguments: &[&str]) -> Output {
    let cli = Cli::new().unwrap();
    cli.command(&program().unwrap()).args(arguments).env("COLUMNS", "100").output().unwrap()
}

/// The help of a subcommand, without white space at the ends of lines.
fn help(subcommand: &str) -> String {
    let arguments: Vec<&str> = subcommand.split_whitespace().chain(["--help"]).collect();
    let output = run(&arguments);
    assert!(output.status.success(), "{subcommand}: {output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// The subcommands that a help lists, and their own.
fn subcommands(parent: &str) -> BTreeSet<String> {
    let text = help(parent);
    // The program's own help lists them by task, in front of the options.
    let list = match (parent, text.split_once("Commands:\n"), text.split_once("\nOptions:\n")) {
        ("", _, Some((tasks, _))) => tasks,
        (_, Some((_, list)), _) => list.split("\n\n").next().unwrap(),
        _ => return BTreeSet::new(),
    };
    let lines = list.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = lines.map(|line| line.split_whitespace().next().unwrap());
    let mut found = BTreeSet::new();
    for name in names.filter(|name| *name != "help") {
        let name = format!("{parent} {name}").trim_start().to_owned();
        found.extend(subcommands(&name));
        found.insert(name);
    }
    found
}

#[test]
fn the_page_of_the_command_line_shows_the_help_of_every_subcommand() {
    let page = root().join("docs/cli.md");
    let text = fs::read_to_string(&page).unwrap();
    let (start, rest) = text.split_once(HELP).unwrap();
    let (mut expected, mut shown) = (start.to_owned(), BTreeSet::new());
    for part in rest.split(HELP) {
        let (name, block) = part.split_once(" -->\n```text\n").unwrap();
        // The line break is for a new section, whose block is empty.
        let block = format!("\n{block}");
        let (_, behind) = block.split_once("\n```\n").unwrap();
        expected += &format!("{HELP}{name} -->\n```text\n{}```\n{behind}", help(name));
        shown.insert(name.to_owned());
    }
    assert_eq!(shown, subcommands(""), "docs/cli.md needs a section with `{HELP}NAME -->` for each subcommand");

    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&page, expected).unwrap();
        return;
    }
    let differs = text.lines().zip(expected.lines()).position(|(is, should_be)| is != should_be);
    let line = differs.map_or_else(|| "its end".to_owned(), |line| format!("line {}", line + 1));
    assert!(
        text == expected,
        "docs/cli.md differs from `--help` at {line}; run this test with UPDATE_DOCS=1 to rewrite it"
    );
}

/// The lines in a page's blocks of shell commands, with continued lines joined.
fn shell_lines(page: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap();
    let blocks = text.split("\n```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("sh\n"));
    blocks.flat_map(|block| block.replace("\\\n", " ").lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// The arguments of this program in a shell line, up to the end of the command; `None` if the line
/// runs another program.
fn arguments(line: &str) -> Option<Vec<&str>> {
    let (before, rest) = line.split_once("shared-token-cache ")?;
    let is_run = before.is_empty() || before.ends_with("$(") || before.ends_with('/') || before.contains('=');
    let own = rest.split(['|', '>', '<', '&', ';', '#', ')']).next().unwrap();
    // The arguments after `--` are the command of `run`.
    let words = own.split_whitespace().take_while(|word| *word != "--");
    is_run.then(|| words.map(|word| word.trim_matches(['"', '\''])).collect())
}

#[test]
fn every_command_line_of_the_documentation_is_one_that_the_program_takes() {
    let mut found = vec![root().join("README.md")];
    pages(&root().join("docs"), &mut found);
    let (mut wrong, mut checked) = (Vec::new(), BTreeSet::new());
    for page in &found {
        for line in shell_lines(page) {
            let Some(mut words) = arguments(&line) else { continue };
            // Up to its help flag, clap checks the subcommand, each option and each value.
            words.push("--help");
            let output = run(&words);
            let known = String::from_utf8(output.stdout).unwrap();
            let is_known = |option: &&&str| known.contains(option.split('=').next().unwrap());
            let hidden = words.iter().filter(|word| word.starts_with("--")).find(|option| !is_known(option));
            if !output.status.success() {
                wrong.push(format!("{}: {line}: {}", page.display(), String::from_utf8_lossy(&output.stderr)));
            } else if let Some(option) = hidden {
                wrong.push(format!("{}: {line}: the help has no {option}", page.display()));
            }
            checked.insert(words.first().copied().unwrap_or_default().to_owned());
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let every: BTreeSet<String> = subcommands("").into_iter().filter(|name| !name.contains(' ')).collect();
    assert_eq!(checked, every, "each subcommand has an example");
}
