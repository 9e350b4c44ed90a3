//! Invalid command lines, exit code 2; and `--component`.

use std::fs;
use std::path::Path;

use shared_token_cache_tests::cli::{Cli, program};
use shared_token_cache_tests::sign_in::{LOCAL, PUBLIC, SignIn, VAULT, access_token, document};

fn signed_in() -> std::io::Result<Cli> {
    Cli::with_shared(&document(&[SignIn::new(0, PUBLIC).access_token(VAULT)]))
}

#[test]
fn a_command_line_that_makes_no_sense_is_refused() {
    let cli = signed_in().unwrap();
    for arguments in [
        &[][..],
        &["get-tokens"],
        &["get-token"],
        &["get-token", "--scope"],
        &["get-token", VAULT],
        &["get-token", "--scope", VAULT, "--no-such-flag"],
        &["get-token", "--scope", VAULT, "--output", "yaml"],
        &["get-token", "--scope", VAULT, "--source", "keyring"],
        &["get-token", "--scope", VAULT, "--source", "file:"],
        &["get-token", "--scope", VAULT, "--username", "a", "--username", "b"],
        &["accounts", "--output", "token"],
        &["accounts", "--scope", VAULT],
        &["supported", "--source", "shared"],
    ] {
        let run = cli.run(arguments).unwrap();
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(!run.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn values_that_make_no_sense_are_refused_as_json() {
    let cli = signed_in().unwrap();
    for (arguments, part) in [
        (&["--scope", ""][..], "no scope"),
        (&["--scope", "a\"b"], "a scope"),
        (&["--scope", VAULT, "--claims", "nonsense"], "claims"),
        (&["--scope", VAULT, "--claims", "[]"], "claims"),
        (&["--scope", VAULT, "--tenant-id", "contoso com"], "tenant"),
        (&["--scope", VAULT, "--request-tenant", "contoso/com"], "tenant"),
        (&["--scope", VAULT, "--authority", "http://login.contoso.com"], "authority"),
        (&["--scope", VAULT, "--authority", "*.contoso.com"], "authority"),
        (&["--scope", VAULT, "--cache-name", "../cache"], "cache"),
    ] {
        let run = cli.run(&[&["get-token"][..], arguments].concat()).unwrap();
        let error = run.error(2).unwrap();
        assert_eq!(error["kind"], "invalid-argument", "{arguments:?}");
        assert!(error["reason"].is_null() && error["oauth"].is_null());
        assert!(error["message"].as_str().unwrap().contains(part), "{arguments:?}: {error}");
    }
}

#[test]
fn an_authority_of_the_environment_that_makes_no_sense_is_refused_by_its_variable() {
    let mut cli = signed_in().unwrap();
    cli.set("AZURE_AUTHORITY_HOST", "http://login.contoso.com");
    let error = cli.run(&["get-token", "--scope", VAULT]).unwrap().error(2).unwrap();
    assert!(error["message"].as_str().unwrap().contains("AZURE_AUTHORITY_HOST"), "{error}");
}

#[test]
fn a_ca_file_that_is_not_there_or_holds_none_is_an_invalid_argument() {
    let cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL)])).unwrap();
    let garbage = cli.write("garbage.pem", "no certificate").unwrap();
    let missing = cli.home().join("missing.pem").display().to_string();
    for path in [missing, garbage] {
        // The port is closed: the file is refused before anything is sent.
        let arguments = ["get-token", "--scope", VAULT, "--authority", "localhost:9", "--ca-file", &path];
        let error = cli.run(&arguments).unwrap().error(2).unwrap();
        assert_eq!(error["kind"], "invalid-argument");
        assert!(error["message"].as_str().unwrap().contains(&path), "{error}");
    }
}

#[test]
fn help_and_version_are_printed() {
    let cli = Cli::new().unwrap();
    for (arguments, part) in [
        (&["--help"][..], "get-token"),
        (&["get-token", "--help"], "--scope"),
        (&["accounts", "--help"], "--source"),
        (&["supported", "--help"], "--component"),
        (&["--version"], "shared-token-cache 0."),
    ] {
        let run = cli.run(arguments).unwrap();
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{arguments:?}");
        assert!(run.stdout.contains(part), "{arguments:?}: {}", run.stdout);
    }
}

#[test]
fn the_component_of_the_build_can_be_named_in_place_of_the_built_in_one() {
    let component = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/component/shared-token-cache.wasm");
    let component = component.display().to_string();
    let cli = signed_in().unwrap();
    let run = cli.run(&["get-token", "--scope", VAULT, "--component", &component]).unwrap();
    assert_eq!(run.answer().unwrap()["token"], access_token(0, VAULT).as_str());
    let run = cli.run(&["supported", "--component", &component]).unwrap();
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), "true\n"));
}

#[test]
fn a_component_is_compiled_in_a_process_that_has_nothing_of_the_command() {
    let component = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/component/shared-token-cache.wasm");
    let cli = Cli::new().unwrap();
    let compile = |component: &Path| {
        let mut command = cli.command(&program().unwrap());
        command.arg("compile-component").stdin(fs::File::open(component).unwrap()).output().unwrap()
    };
    let output = compile(&component);
    assert!(output.status.success() && output.stdout.starts_with(b"\x7fELF"), "{:?}", output.status);
    let text = tempfile::NamedTempFile::new().unwrap();
    let output = compile(text.path());
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), &b""[..]));
}

#[test]
fn a_component_of_another_world_is_said_to_be_of_another_world_before_it_is_compiled() {
    let component = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/component/hostile/import_wasi.wasm");
    let run = Cli::new().unwrap().run(&["supported", "--component", &component.display().to_string()]).unwrap();
    assert_eq!(run.code, Some(2));
    assert!(
        run.stderr.contains("it imports wasi:cli/environment@0.2.0, which the host does not provide"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_file_that_is_no_component_is_an_invalid_argument() {
    let cli = signed_in().unwrap();
    let garbage = cli.write("garbage.wasm", "this is no component").unwrap();
    let module = cli.write("module.wasm", "\0asm\u{1}\0\0\0").unwrap();
    let missing = cli.home().join("missing.wasm").display().to_string();
    for path in [garbage, module, missing] {
        let error = cli.run(&["get-token", "--scope", VAULT, "--component", &path]).unwrap().error(2).unwrap();
        assert_eq!(error["kind"], "invalid-argument");
        assert!(error["message"].as_str().unwrap().contains(&path), "{error}");
        assert_eq!(cli.run(&["supported", "--component", &path]).unwrap().code, Some(2));
    }
}
