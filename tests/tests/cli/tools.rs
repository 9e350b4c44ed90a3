//! Helpers of git and of container tools, and names for tools that pass no arguments.
#![expect(clippy::unwrap_used, reason = "a home that cannot be made is a failed test")]

use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use shared_token_cache_tests::cli::{ANYTHING, AZURE_CLI, Authority, Cli, Run, program};
use shared_token_cache_tests::proxy::proxy_to;
use shared_token_cache_tests::sign_in::{FAR, LOCAL, PUBLIC, SignIn, VAULT, access_token, document};
use token_endpoint::Reply;

const DEVOPS: &str = "499b84ac-1321-427f-aa17-267ca6975798/.default";
const ACR: &str = "https://containerregistry.azure.net/.default";
const SECRET: &str = "made-up-registry-token";

/// Signed in with the Azure CLI, with links of these names first in `PATH`.
fn world(scope: &str, names: &[&str]) -> Cli {
    let mut cli = Cli::new().unwrap();
    cli.write(AZURE_CLI, &document(&[SignIn::new(0, PUBLIC).access_token(scope)])).unwrap();
    let install = cli.run(&[&["shim", "install", "--dir", "bin"], names].concat()).unwrap();
    assert_eq!(install.code, Some(0), "{install:?}");
    let path = format!("{}:{}", cli.home().join("bin").display(), std::env::var("PATH").unwrap());
    cli.set("PATH", &path);
    cli
}

fn with_input(mut command: Command, input: &str) -> Run {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    Run::try_from(child.wait_with_output().unwrap()).unwrap()
}

/// Real git, with our helper and no other one.
fn git(cli: &Cli, operation: &str, input: &str) -> Run {
    let mut command = cli.command("git".as_ref());
    for (name, value) in [("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_TERMINAL_PROMPT", "0"), ("GIT_ASKPASS", "true")] {
        command.env(name, value);
    }
    command.args(["-c", "credential.helper=stc", "credential", operation]);
    with_input(command, input)
}

fn tool(cli: &Cli, name: &str, operation: &str, input: &str) -> Run {
    let mut command = cli.command(&cli.home().join("bin").join(name));
    command.arg(operation);
    with_input(command, input)
}

fn lines(run: &Run) -> Vec<&str> {
    let mut lines: Vec<_> = run.stdout.lines().filter(|line| !line.is_empty()).collect();
    lines.sort_unstable();
    lines
}

#[test]
fn git_gets_a_bearer_token_where_it_can_keep_one() {
    let cli = world(DEVOPS, &["git-credential-stc"]);
    let token = access_token(0, DEVOPS);
    for host in ["dev.azure.com", "contoso.visualstudio.com"] {
        let run = git(&cli, "fill", &format!("capability[]=authtype\nprotocol=https\nhost={host}\n\n"));
        let mut expected = vec![
            "authtype=Bearer".to_owned(),
            "capability[]=authtype".to_owned(),
            format!("credential={token}"),
            "ephemeral=1".to_owned(),
            format!("host={host}"),
            format!("password_expiry_utc={FAR}"),
            "protocol=https".to_owned(),
        ];
        expected.sort();
        assert_eq!(lines(&run), expected, "{run:?}");
    }
}

#[test]
fn git_gets_a_password_where_it_cannot() {
    let cli = world(DEVOPS, &["git-credential-stc", "ado-auth-helper"]);
    let token = access_token(0, DEVOPS);
    for (more, username) in [("", "token"), ("username=contoso\n", "contoso")] {
        let run = git(&cli, "fill", &format!("protocol=https\nhost=dev.azure.com\n{more}\n"));
        let expected = [
            "host=dev.azure.com".to_owned(),
            format!("password={token}"),
            format!("password_expiry_utc={FAR}"),
            "protocol=https".to_owned(),
            format!("username={username}"),
        ];
        assert_eq!(lines(&run), expected, "{run:?}");
    }
    let run = tool(&cli, "ado-auth-helper", "get", "protocol=https\nhost=dev.azure.com\n\n");
    assert!(run.stdout.contains(&format!("password={token}\n")), "{run:?}");
}

#[test]
fn git_gets_nothing_for_other_hosts_and_stores_nothing() {
    let cli = world(DEVOPS, &["git-credential-stc"]);
    for (protocol, host) in [
        ("https", "github.com"),
        ("http", "dev.azure.com"),
        ("https", "dev.azure.com.evil.example"),
        ("https", "dev.azure.com:8443"),
    ] {
        let input = format!("capability[]=authtype\nprotocol={protocol}\nhost={host}\n\n");
        let run = tool(&cli, "git-credential-stc", "get", &input);
        assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""), "{protocol}://{host}");
    }
    let before = cli.files().unwrap();
    for operation in ["approve", "reject"] {
        let input = "protocol=https\nhost=dev.azure.com\nusername=token\npassword=x\n\n";
        assert_eq!(git(&cli, operation, input).code, Some(0), "{operation}");
    }
    assert_eq!(cli.files().unwrap(), before);
}

#[test]
fn git_is_told_why_there_is_no_token() {
    let cli = world(DEVOPS, &["git-credential-stc"]);
    std::fs::remove_file(cli.home().join(AZURE_CLI)).unwrap();
    let run = tool(&cli, "git-credential-stc", "get", "protocol=https\nhost=dev.azure.com\n\n");
    assert_eq!((run.code, run.stdout.as_str()), (Some(3), ""));
    assert!(run.stderr.starts_with("shared-token-cache: "), "{}", run.stderr);
}

/// A registry behind a proxy, which leads every name to it.
fn registry(cli: &mut Cli, status: u16, body: Value) -> Authority {
    let registry = Authority::start(move |_| Reply::json(status, body.clone())).unwrap();
    let (proxy, _lines) = proxy_to(registry.address()).unwrap();
    cli.set("HTTPS_PROXY", &format!("http://{proxy}"));
    cli.set("SSL_CERT_FILE", &registry.ca_file());
    registry
}

#[test]
fn docker_gets_a_refresh_token_of_the_registry() {
    for server in ["contoso.azurecr.io", "https://contoso.azurecr.io"] {
        let mut cli = world(ACR, &["docker-credential-stc"]);
        let registry = registry(&mut cli, 200, json!({ "refresh_token": SECRET }));
        let run = tool(&cli, "docker-credential-stc", "get", server);
        let expected =
            json!({ "ServerURL": server, "Username": "00000000-0000-0000-0000-000000000000", "Secret": SECRET });
        assert_eq!(run.answer().unwrap(), expected);
        let requests = registry.requests();
        assert_eq!(requests.len(), 1);
        assert_eq!((requests[0].host.as_str(), requests[0].path.as_str()), ("contoso.azurecr.io", "/oauth2/exchange"));
        let mut form = requests[0].form.clone();
        form.sort();
        let expected = [
            ("access_token", access_token(0, ACR)),
            ("grant_type", "access_token".to_owned()),
            ("service", "contoso.azurecr.io".to_owned()),
        ];
        assert_eq!(form, expected.map(|(name, value)| (name.to_owned(), value)));
    }
}

#[test]
fn a_token_goes_to_no_other_registry() {
    let mut cli = world(ACR, &["docker-credential-stc"]);
    let registry = registry(&mut cli, 200, json!({ "refresh_token": SECRET }));
    for server in
        ["index.docker.io", "contoso.azurecr.io.evil.example", "evil.example/.azurecr.io", "contoso.azurecr.io:8443"]
    {
        let run = tool(&cli, "docker-credential-stc", "get", server);
        // By this text container tools go on without a password.
        let expected = (Some(1), "credentials not found in native keychain\n");
        assert_eq!((run.code, run.stdout.as_str()), expected, "{server}");
    }
    assert!(registry.requests().is_empty());
    assert_eq!(tool(&cli, "docker-credential-stc", "list", "").stdout, "{}\n");
    assert_eq!(tool(&cli, "docker-credential-stc", "erase", "contoso.azurecr.io").code, Some(0));
    assert_eq!(tool(&cli, "docker-credential-stc", "store", "{}").code, Some(2));
}

#[test]
fn a_refusal_of_the_registry_is_said_without_its_secrets() {
    let mut cli = world(ACR, &["docker-credential-stc"]);
    let message = format!("made up \u{1b}[2J {}", access_token(0, ACR));
    let refusal = json!({ "errors": [{ "code": "UNAUTHORIZED", "message": message }] });
    let _registry = registry(&mut cli, 401, refusal);
    let run = tool(&cli, "docker-credential-stc", "get", "contoso.azurecr.io");
    assert_eq!((run.code, run.stdout.as_str()), (Some(4), ""));
    assert!(run.stderr.contains("status 401") && run.stderr.contains("UNAUTHORIZED"), "{}", run.stderr);
    assert!(!run.stderr.contains('\u{1b}') && !run.stderr.contains(&access_token(0, ACR)), "{}", run.stderr);
}

#[test]
fn a_name_is_a_preset_or_a_profile() {
    let cli = world(VAULT, &["stc-vault", "stc-mine"]);
    let run = |cli: &Cli, name: &str| {
        Run::try_from(cli.command(&cli.home().join("bin").join(name)).output().unwrap()).unwrap()
    };
    let answer = run(&cli, "stc-vault");
    assert_eq!((answer.code, answer.stdout), (Some(0), format!("{}\n", access_token(0, VAULT))));
    let answer = run(&cli, "stc-mine");
    assert_eq!((answer.code, answer.stdout.as_str()), (Some(2), ""), "without a policy there is no profile");

    let mut cli = world(VAULT, &["stc-vault", "stc-mine"]);
    let profile = |name: &str, scope: &str| {
        format!("[[profiles]]\nname = \"{name}\"\nsource = \"azure-cli\"\nscopes = [\"{scope}\"]\n")
    };
    let grant = "[[caches]]\nsource = \"azure-cli\"\naccess = \"read-write\"\n";
    let policy = format!(
        "authorities = [\"{PUBLIC}\"]\n{ANYTHING}{grant}{}{}",
        profile("mine", VAULT),
        profile("vault", DEVOPS)
    );
    let path = cli.write("policy.toml", &policy).unwrap();
    cli.set("SHARED_TOKEN_CACHE_POLICY", &path);
    assert_eq!(run(&cli, "stc-mine").stdout, format!("{}\n", access_token(0, VAULT)));
    // A profile of the policy, and not the preset of the same name.
    assert_eq!(run(&cli, "stc-vault").stdout, "");
}

#[test]
fn a_program_that_is_called_by_an_unknown_name_is_itself() {
    let cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL)])).unwrap();
    let link = cli.home().join("anything");
    symlink(program().unwrap(), &link).unwrap();
    let output = cli.command(&link).args(["supported"]).output().unwrap();
    assert_eq!(Run::try_from(output).unwrap().code, Some(0));
}

/// Whether a program of others is installed. If it is not, its test prints that and checks nothing.
#[expect(clippy::print_stderr, reason = "who runs the tests has to know why one checks nothing")]
fn is_installed(name: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders).any(|folder| folder.join(name).is_file());
    if !found {
        eprintln!("there is no {name} in PATH");
    }
    found
}

#[test]
fn kubectl_sends_the_token_of_the_exec_credential() {
    if !is_installed("kubectl") {
        return;
    }
    let scope = "6dae42f8-4368-4678-94ff-3960e28e3630/.default";
    for version in ["v1", "v1beta1"] {
        let cli = world(scope, &["az"]);
        let server = Authority::answering(200, json!({ "major": "1", "minor": "32" })).unwrap();
        let user = json!({ "exec": {
            "apiVersion": format!("client.authentication.k8s.io/{version}"),
            "interactiveMode": "Never",
            "command": program().unwrap(),
            "args": ["get-token", "--preset", "aks", "--output", "exec-credential"],
        } });
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{ "name": "c", "cluster": {
                "server": format!("https://{}", server.host()), "certificate-authority": server.ca_file() } }],
            "users": [{ "name": "u", "user": user }],
            "contexts": [{ "name": "c", "context": { "cluster": "c", "user": "u" } }],
        });
        let config = cli.write("kubeconfig", &config.to_string()).unwrap();
        let mut kubectl = cli.command("kubectl".as_ref());
        kubectl.args(["--kubeconfig", &config, "get", "--raw", "/version"]);
        let run = Run::try_from(kubectl.output().unwrap()).unwrap();
        assert_eq!(run.code, Some(0), "{version}: {run:?}");
        let sent = format!("Bearer {}", access_token(0, scope));
        assert_eq!(server.requests()[0].header("authorization"), Some(sent.as_str()), "{version}");
    }
}
