//! `shim install` and `shim remove`.

use super::*;

fn links(cli: &Cli) -> Vec<String> {
    let folder = cli.home().join("bin");
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn links_are_made_and_removed() {
    let cli = Cli::new().unwrap();
    let run = cli.run(&["shim", "install", "--dir", "bin"]).unwrap();
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.contains("export PATH="), "{}", run.stdout);
    assert_eq!(links(&cli), ["az", "azd"]);
    let names = ["az", "stc-arm", "git-credential-stc", "docker-credential-stc"];
    assert_eq!(cli.run(&[&["shim", "install", "--dir", "bin"], &names[..]].concat()).unwrap().code, Some(0));
    assert_eq!(links(&cli), ["az", "azd", "docker-credential-stc", "git-credential-stc", "stc-arm"]);
    cli.write("bin/other", "x").unwrap();
    symlink("/bin/sh", cli.home().join("bin/ado-auth-helper")).unwrap();
    assert_eq!(cli.run(&["shim", "remove", "--dir", "bin"]).unwrap().code, Some(0));
    assert_eq!(links(&cli), ["ado-auth-helper", "other"]);
}

#[test]
fn files_of_others_stay() {
    for foreign in ["file", "link", "folder", "dangling"] {
        let cli = Cli::new().unwrap();
        let path = cli.home().join("bin/azd");
        cli.write("bin/keep", "").unwrap();
        match foreign {
            "file" => drop(cli.write("bin/azd", "mine").unwrap()),
            "link" => symlink("/bin/sh", &path).unwrap(),
            "folder" => fs::create_dir(&path).unwrap(),
            _ => symlink("/no/such", &path).unwrap(),
        }
        let run = cli.run(&["shim", "install", "--dir", "bin"]).unwrap();
        assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{foreign}");
        assert!(run.stderr.contains("bin/azd") && run.stderr.contains("another file"), "{}", run.stderr);
        assert_eq!(links(&cli), ["azd", "keep"], "{foreign}: all or none");
    }
}

#[test]
fn only_names_that_mean_something_are_linked() {
    for name in ["sh", "stc-", "../az", "stc-../x", "shared-token-cache"] {
        let cli = Cli::new().unwrap();
        assert_eq!(cli.run(&["shim", "install", "--dir", "bin", name]).unwrap().code, Some(2), "{name}");
        assert!(cli.files().unwrap().is_empty());
    }
    let cli = Cli::new().unwrap();
    assert_eq!(cli.run(&["shim", "remove", "--dir", "none"]).unwrap().code, Some(1));
}

#[test]
fn a_name_may_be_given_twice_and_links_of_a_moved_program_are_replaced_and_removed() {
    let cli = Cli::new().unwrap();
    assert_eq!(cli.run(&["shim", "install", "--dir", "bin", "az", "az"]).unwrap().code, Some(0));
    assert_eq!(links(&cli), ["az"]);
    for name in ["azd", "stc-arm"] {
        symlink("/no/such/shared-token-cache", cli.home().join("bin").join(name)).unwrap();
    }
    assert_eq!(cli.run(&["shim", "install", "--dir", "bin", "azd"]).unwrap().code, Some(0));
    assert!(cli.home().join("bin/azd").exists(), "the link leads to this program");
    assert_eq!(cli.run(&["shim", "remove", "--dir", "bin"]).unwrap().code, Some(0));
    assert!(links(&cli).is_empty());
}
