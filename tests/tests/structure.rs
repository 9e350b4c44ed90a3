//! The order of the crates' modules, and copies of words for programs in other languages.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Crates whose modules have no circular dependencies.
const CRATES: [&str; 6] = ["entra", "guest/core", "guest/wasi-adapter", "host/credential", "host/policy", "host/vault"];

/// Copies of `entra/words.json` in folders that are used outside of this repository, where a
/// symbolic link would be broken.
const COPIES: [&str; 2] = ["examples/node/words.json", "examples/python/shared_token_cache/words.json"];

/// The start of a file's tests.
const TESTS: [&str; 2] = ["#[cfg(test)]\nmod tests {", "#[cfg(test)]\npub(crate) mod tests {"];

/// The modules that a module uses, each with the file of the use.
type Uses = BTreeMap<String, BTreeMap<String, PathBuf>>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned()
}

#[test]
fn programs_in_other_languages_have_the_words_of_this_version() {
    let words = fs::read_to_string(root().join("entra/words.json")).unwrap();
    for copy in COPIES {
        let copied = fs::read_to_string(root().join(copy)).unwrap();
        assert!(copied == words, "{copy} differs from entra/words.json; copy that over it");
    }
}

#[test]
fn no_module_depends_on_itself_by_way_of_others() {
    for name in CRATES {
        let uses = uses_of(&root().join(name).join("src")).unwrap();
        assert!(uses.values().any(|used| !used.is_empty()), "{name}: no module uses another, so nothing was read");
        if let Some(circle) = circle(&uses) {
            let steps: Vec<_> = circle
                .iter()
                .zip(circle.iter().cycle().skip(1))
                .map(|(module, used)| format!("{module} uses {used} ({})", uses[module][used].display()))
                .collect();
            panic!("{name} has a circle of modules: {}", steps.join(", "));
        }
    }
}

#[test]
fn the_layers_of_the_library_are_in_order() {
    let uses = uses_of(&root().join("host/credential/src")).unwrap();
    let layers = ["credential", "sandbox", "audit", "transport", "options"];
    assert!(uses["credential"].contains_key("sandbox"));
    for (upper, lower) in [(0, 1), (1, 2), (1, 3), (1, 4)] {
        let (upper, lower) = (layers[upper], layers[lower]);
        assert!(uses[upper].contains_key(lower), "{upper} uses {lower}");
        assert!(
            !reachable(&uses, lower).contains(upper),
            "{lower} must not use {upper}, by way of other modules either"
        );
    }
}

#[test]
fn a_circle_is_found_through_groups_and_names_of_the_crate() {
    let names = BTreeMap::from([("Policy".to_owned(), "rules".to_owned())]);
    let modules: BTreeSet<String> = ["a", "b", "c", "rules"].map(str::to_owned).into();
    let text = "use crate::{b::{X, Y}, Policy};\nfn f() { crate::c::g() }\n// crate::none\n#[cfg(test)]\nmod tests { use crate::a; }";
    let used: BTreeSet<String> = used_in(text, &modules, &names).into_iter().collect();
    assert_eq!(used, ["b", "c", "rules"].map(str::to_owned).into());

    let uses = |pairs: &[(&str, &str)]| {
        let mut uses = Uses::new();
        for (module, used) in pairs {
            uses.entry((*used).to_owned()).or_default();
            uses.entry((*module).to_owned()).or_default().insert((*used).to_owned(), PathBuf::new());
        }
        uses
    };
    assert_eq!(circle(&uses(&[("a", "b"), ("b", "c"), ("a", "c")])), None);
    assert_eq!(circle(&uses(&[("a", "b"), ("b", "c"), ("c", "b")])), Some(vec!["b".to_owned(), "c".to_owned()]));
}

/// The uses among the top-level modules of a crate.
fn uses_of(src: &Path) -> io::Result<Uses> {
    let lib = fs::read_to_string(src.join("lib.rs"))?;
    let entries = fs::read_dir(src)?.collect::<io::Result<Vec<_>>>()?;
    let stems = entries.iter().filter_map(|entry| Some(entry.path().file_stem()?.to_string_lossy().into_owned()));
    let modules: BTreeSet<String> = stems.filter(|name| !["lib", "tests"].contains(&name.as_str())).collect();
    let names = reexported(&lib, &modules);
    let mut uses: Uses = modules.iter().map(|module| (module.clone(), BTreeMap::new())).collect();
    for (module, used) in &mut uses {
        let top = [src.join(format!("{module}.rs")), src.join(module.as_str()).join("mod.rs")];
        let mut files: Vec<PathBuf> = top.iter().take(1).filter(|file| file.is_file()).cloned().collect();
        collect(&src.join(module), &mut files)?;
        for file in files.into_iter().filter(|file| !is_of_tests(file.strip_prefix(src).unwrap_or(file))) {
            let text = fs::read_to_string(&file)?;
            // In a top-level module, `super` is the crate.
            let text = if top.contains(&file) { text.replace("super::", "crate::") } else { text };
            for other in used_in(&text, &modules, &names).into_iter().filter(|other| other != module) {
                used.entry(other).or_insert_with(|| file.clone());
            }
        }
    }
    Ok(uses)
}

/// All files below a folder, if there is one.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { collect(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

fn is_of_tests(file: &Path) -> bool {
    file.components().any(|part| ["tests", "tests.rs", "properties.rs"].iter().any(|name| part.as_os_str() == *name))
}

/// The names that the crate's root re-exports from its modules: `pub use module::{A, B};`.
fn reexported(lib: &str, modules: &BTreeSet<String>) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for statement in lib.split("pub use ").skip(1) {
        let statement = statement.split(';').next().unwrap_or_default();
        let Some((module, rest)) = statement.split_once("::").filter(|(module, _)| modules.contains(*module)) else {
            continue;
        };
        names.extend(words(rest).map(|name| (name.to_owned(), module.to_owned())));
    }
    names
}

/// The modules that a file names after `crate::`, without its tests and comments.
fn used_in(text: &str, modules: &BTreeSet<String>, names: &BTreeMap<String, String>) -> Vec<String> {
    let code = TESTS.iter().fold(text, |code, tests| code.split(tests).next().unwrap_or_default());
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code: String = lines.flat_map(|line| [line, "\n"]).collect();
    let mut used = Vec::new();
    for path in code.split("crate::").skip(1) {
        for first in first_segments(path) {
            let module = names.get(first).map_or(first, String::as_str);
            if modules.contains(module) {
                used.push(module.to_owned());
            }
        }
    }
    used
}

/// The first segments of a path, or of each path of a group.
fn first_segments(path: &str) -> Vec<&str> {
    let Some(group) = path.strip_prefix('{') else { return words(path).take(1).collect() };
    let (mut depth, mut from, mut paths) = (0, 0, Vec::new());
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => {
                paths.push(&group[from..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                paths.push(&group[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    paths.into_iter().filter_map(|path| words(path).next()).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_alphanumeric() && character != '_').filter(|word| !word.is_empty())
}

/// Modules in a circle: each uses the next, and the last uses the first.
fn circle(uses: &Uses) -> Option<Vec<String>> {
    uses.keys().find_map(|module| way(uses, module, module, &mut BTreeSet::new()))
}

/// The path from `from` to `to`.
fn way(uses: &Uses, from: &str, to: &str, seen: &mut BTreeSet<String>) -> Option<Vec<String>> {
    for used in uses[from].keys() {
        let rest = if used == to {
            Some(Vec::new())
        } else if seen.insert(used.clone()) {
            way(uses, used, to, seen)
        } else {
            None
        };
        if let Some(rest) = rest {
            return Some([vec![from.to_owned()], rest].concat());
        }
    }
    None
}

fn reachable<'a>(uses: &'a Uses, from: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&str> = uses[from].keys().map(String::as_str).collect();
    while let Some(module) = open.pop() {
        if reached.insert(module) {
            open.extend(uses[module].keys().map(String::as_str));
        }
    }
    reached
}
