//! The program called as `az`, `azd` and the helpers of codespaces, by the command lines that their callers are known to use.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a world that cannot be made is a failed test")]

mod broker;
mod links;
mod sdks;

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use shared_token_cache_tests::cli::{AZURE_CLI, Authority, Cli, Run, program};
use shared_token_cache_tests::sign_in::{
    FAR, LOCAL, SignIn, VAULT, access_token, document, new_access_token, refresh_token, tenant, token_reply, username,
};
use token_endpoint::Reply;

const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000001";
const GUEST: &str = "00000000-0000-0000-0000-000000000002";
const ARM: &str = "https://management.core.windows.net//.default";

/// A home in which the Azure CLI is signed in, and a folder of links that comes first in `PATH`.
struct World {
    cli: Cli,
    authority: Authority,
}

impl World {
    fn new(sign_in: SignIn, authority: Authority) -> Self {
        let mut cli = Cli::new().unwrap();
        cli.write(AZURE_CLI, &document(&[sign_in])).unwrap();
        let user = json!({ "name": username(0), "type": "user" });
        let robot = json!({ "name": "robot", "type": "servicePrincipal" });
        let profile = json!({ "subscriptions": [
            { "id": SUBSCRIPTION, "name": "Contoso", "tenantId": tenant(0), "user": user, "isDefault": true,
              "environmentName": "AzureCloud", "homeTenantId": tenant(0), "state": "Enabled" },
            { "id": GUEST, "name": "Guest of Fabrikam", "tenantId": "fabrikam.com", "user": user, "isDefault": false,
              "environmentName": "AzureCloud" },
            { "id": "3", "name": "Robot", "tenantId": tenant(0), "user": robot, "isDefault": false },
        ] });
        // With the byte order mark that the Azure CLI writes.
        cli.write(".azure/azureProfile.json", &format!("\u{feff}{profile}")).unwrap();
        cli.set("AZURE_AUTHORITY_HOST", &authority.host());
        cli.set("SSL_CERT_FILE", &authority.ca_file());
        let names = ["az", "azd", "azure-auth-helper", "ado-auth-helper"];
        let install = cli.run(&[&["shim", "install", "--dir", "bin"], &names[..]].concat()).unwrap();
        assert_eq!(install.code, Some(0), "{install:?}");
        let world = Self { cli, authority };
        world.path(&["bin"])
    }

    /// Signed in, with tokens for Key Vault and Azure Resource Manager.
    fn signed_in() -> Self {
        let sign_in = SignIn::new(0, LOCAL).access_token(VAULT).access_token(ARM);
        Self::new(sign_in, Authority::answering(200, token_reply(0)).unwrap())
    }

    /// These folders of the home, and those of the system in which no tool of Azure is.
    fn path(mut self, folders: &[&str]) -> Self {
        let folders: Vec<_> = folders.iter().map(|folder| self.cli.home().join(folder)).collect();
        let path = std::env::join_paths(folders.iter().cloned().chain(["/bin".into()])).unwrap();
        self.cli.set("PATH", path.to_str().unwrap());
        self
    }

    /// Runs a command line as a shell would, from the folder that the SDKs use.
    fn run(&self, line: &str) -> Run {
        let output = self.cli.command("/bin/sh".as_ref()).args(["-c", line]).current_dir("/bin").output().unwrap();
        Run::try_from(output).unwrap()
    }

    fn answer(&self, line: &str) -> Value {
        self.run(line).answer().unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    /// A program that prints its name and its arguments.
    fn real(&self, path: &str) -> PathBuf {
        let script = format!("#!/bin/sh\necho real {path} \"$@\"\nexit 7\n");
        let file = self.cli.write(path, &script).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        file.into()
    }
}

#[test]
fn every_sdk_gets_the_fields_that_it_reads() {
    let world = World::signed_in();
    for line in [
        // Python, JavaScript.
        "az account get-access-token --output json --resource https://vault.azure.net",
        "AZURE_CORE_NO_COLOR=true az account get-access-token --output json --resource https://vault.azure.net --subscription contoso",
        // Rust.
        "az account get-access-token -o json --scope https://vault.azure.net/.default",
        // .NET, Java, Go.
        "az account get-access-token --output json --scope https://vault.azure.net/.default",
        "az account get-access-token --only-show-errors -o json --resource=https://vault.azure.net",
    ] {
        let date = Command::new("date").args(["-d", &format!("@{FAR}"), "+%F %T.000000"]).output().unwrap();
        let expected = json!({
            "accessToken": access_token(0, VAULT),
            "expiresOn": String::from_utf8(date.stdout).unwrap().trim(),
            "expires_on": FAR,
            "subscription": SUBSCRIPTION,
            "tenant": tenant(0),
            "tokenType": "Bearer",
        });
        assert_eq!(world.answer(line), expected, "{line}");
    }
    assert!(world.authority.requests().is_empty());
}

#[test]
fn a_tenant_is_asked_and_the_answer_names_it_without_a_subscription() {
    let world = World::signed_in();
    let answer = world
        .answer("az account get-access-token --output json --resource https://vault.azure.net --tenant fabrikam.com");
    assert_eq!(answer["accessToken"], new_access_token(0).as_str());
    assert_eq!((&answer["tenant"], answer.get("subscription")), (&json!("fabrikam.com"), None));
    assert_eq!(world.authority.requests()[0].path, "/fabrikam.com/oauth2/v2.0/token");
}

#[test]
fn a_subscription_says_account_and_tenant() {
    for name in [GUEST, "'guest of fabrikam'"] {
        let world = World::signed_in();
        let line = format!("az account get-access-token --resource https://vault.azure.net --subscription {name}");
        let answer = world.answer(&line);
        assert_eq!((&answer["tenant"], &answer["subscription"]), (&json!("fabrikam.com"), &json!(GUEST)));
        assert_eq!(world.authority.requests()[0].path, "/fabrikam.com/oauth2/v2.0/token");
    }
    let run = World::signed_in().run("az account get-access-token --subscription none");
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert!(run.stderr.contains("'none' not found"), "{}", run.stderr);
}

#[test]
fn scripts_get_a_bare_token() {
    let world = World::signed_in();
    let (vault, arm) = (access_token(0, VAULT), access_token(0, ARM));
    for (line, expected) in [
        ("az account get-access-token --query accessToken -o tsv", &arm),
        ("az account get-access-token --resource-type arm --query accessToken -o tsv", &arm),
        ("az account get-access-token --resource https://vault.azure.net --query accessToken --output tsv", &vault),
        ("ado-auth-helper get-access-token https://vault.azure.net/.default", &vault),
        ("azure-auth-helper get-access-token https://vault.azure.net/.default", &vault),
        ("azd auth token --scope https://vault.azure.net/.default", &vault),
    ] {
        let run = world.run(line);
        assert_eq!(
            (run.code, run.stdout.as_str(), run.stderr.as_str()),
            (Some(0), &*format!("{expected}\n"), ""),
            "{line}"
        );
    }
    let run = world.run("az account get-access-token --query accessToken -o json");
    assert_eq!(run.stdout, format!("\"{arm}\"\n"));
    assert!(world.authority.requests().is_empty());
}

#[test]
fn resource_types_are_those_of_the_cloud() {
    for (kind, scope) in [
        ("ms-graph", "https://graph.microsoft.com//.default"),
        ("aad-graph", "https://graph.windows.net//.default"),
        ("batch", "https://batch.core.windows.net//.default"),
        ("data-lake", "https://datalake.azure.net//.default"),
        ("media", "https://rest.media.azure.net/.default"),
        ("oss-rdbms", "https://ossrdbms-aad.database.windows.net/.default"),
    ] {
        let world = World::signed_in();
        world.answer(&format!("az account get-access-token --resource-type {kind}"));
        assert_eq!(world.authority.requests()[0].field("scope"), Some(scope), "{kind}");
    }
}

#[test]
fn terraform_gets_what_it_asks_in_turn() {
    let world = World::signed_in();
    let version = world.answer("az version -o=json");
    assert!(version["azure-cli"].as_str().unwrap().starts_with("2."), "{version}");
    let account = world.answer("az account show -o=json");
    assert_eq!((&account["id"], &account["tenantId"]), (&json!(SUBSCRIPTION), &json!(tenant(0))));
    let line = format!("az account get-access-token --scope {VAULT} --tenant {} -o=json", tenant(0));
    assert_eq!(world.answer(&line)["accessToken"], access_token(0, VAULT).as_str());
    assert_eq!(world.run("az account show --query id -o tsv").stdout, format!("{SUBSCRIPTION}\n"));
    assert_eq!(world.run("az account show --query tenantId").stdout, format!("\"{}\"\n", tenant(0)));
}

#[test]
fn the_azure_developer_cli_answers_with_its_two_fields() {
    let world = World::signed_in();
    let answer = world.answer("azd auth token --output json --no-prompt --scope https://vault.azure.net/.default");
    assert_eq!(answer, json!({ "token": access_token(0, VAULT), "expiresOn": "2100-01-01T00:00:00Z" }));

    // `{"access_token":{"nbf":{"essential":true}}}`
    let claims = "eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZX19fQ==";
    let line =
        "azd auth token --output json --no-prompt --scope https://vault.azure.net/.default --tenant-id fabrikam.com";
    world.answer(&format!("{line} --claims {claims}"));
    let request = &world.authority.requests()[0];
    assert_eq!(request.path, "/fabrikam.com/oauth2/v2.0/token");
    assert_eq!(request.field("claims"), Some(r#"{"access_token":{"nbf":{"essential":true}}}"#));
}

#[test]
fn who_is_not_signed_in_is_told_in_the_words_that_sdks_know() {
    for file in [".azure/azureProfile.json", AZURE_CLI] {
        let world = World::signed_in();
        fs::remove_file(world.cli.home().join(file)).unwrap();
        for (line, words) in [
            ("az account get-access-token --output json --resource https://vault.azure.net", "az login"),
            (
                "azd auth token --output json --no-prompt --scope a/.default",
                "not logged in, run `azd auth login` to login",
            ),
        ] {
            let run = world.run(line);
            assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{line}");
            assert!(run.stderr.contains(words) && !run.stderr.contains("AADSTS"), "{file}: {}", run.stderr);
        }
    }
}

#[test]
fn a_refusal_of_the_authority_keeps_its_code() {
    let refusal =
        json!({ "error": "invalid_grant", "error_description": "AADSTS50076: made up", "error_codes": [50076] });
    let world = World::new(SignIn::new(0, LOCAL), Authority::answering(400, refusal).unwrap());
    for line in ["az account get-access-token", "azd auth token --output json --no-prompt --scope a/.default"] {
        let run = world.run(line);
        assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{line}");
        assert!(run.stderr.contains("AADSTS50076") && !run.stderr.contains(&refresh_token(0)), "{}", run.stderr);
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let world = World::signed_in();
    for line in [
        "az account get-access-token --resource a --scope b",
        "az account get-access-token --tenant a --subscription b",
        "azd auth token --claims not-base64",
    ] {
        let run = world.run(line);
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{line}");
    }
}

#[test]
fn an_authority_that_hangs_is_given_up_before_the_sdks_give_up() {
    let authority = Authority::start(|_| Reply::json(200, token_reply(0)).after(Duration::from_secs(60))).unwrap();
    let world = World::new(SignIn::new(0, LOCAL), authority);
    let start = Instant::now();
    let run = world.run("az account get-access-token");
    let took = start.elapsed();
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{run:?}");
    assert!(took > Duration::from_secs(8) && took < Duration::from_millis(9_900), "{took:?}");
}

#[test]
fn a_policy_of_the_environment_holds() {
    let mut world = World::signed_in();
    let policy = format!(
        "authorities = [\"{}\"]\nscopes = [\"https://graph.microsoft.com/*\"]\ntenants = [\"*\"]\naccounts = [\"*\"]\n\
         client-ids = [\"*\"]\nnetwork.addresses = [\"loopback\"]\n[[caches]]\nsource = \"azure-cli\"\naccess = \"read-write\"\n",
        world.authority.host()
    );
    let path = world.cli.write("policy.toml", &policy).unwrap();
    world.cli.set("SHARED_TOKEN_CACHE_POLICY", &path);
    let run = world.run("az account get-access-token --resource https://vault.azure.net");
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{run:?}");
    assert!(run.stderr.contains("scope"), "{}", run.stderr);
    assert!(world.authority.requests().is_empty());
}

#[test]
fn everything_else_is_the_next_program_s() {
    let world = World::signed_in().path(&["bin", "real"]);
    world.real("real/az");
    for line in [
        "group list --output table",
        "account list",
        "account get-access-token --output table",
        "account get-access-token --query 'expiresOn'",
        "account get-access-token --subscription robot",
        "version",
        "login",
        "",
    ] {
        let run = world.run(&format!("az {line}"));
        let expected = format!("real real/az {}", line.replace('\'', ""));
        assert_eq!((run.code, run.stdout.trim_end()), (Some(7), expected.trim_end()), "{line}");
    }
    let run = world.run("azd up");
    assert_eq!((run.code, run.stdout.as_str()), (Some(127), ""));
    // JavaScript detects a missing tool by this text.
    assert!(run.stderr.contains("azd: ") && run.stderr.contains("not found"), "{}", run.stderr);
}

#[test]
fn links_and_copies_of_the_program_do_not_call_each_other() -> io::Result<()> {
    let world = World::signed_in().path(&["bin", "again", "copy", "bin", "real"]);
    let own = program()?;
    for folder in ["again", "copy"] {
        fs::create_dir(world.cli.home().join(folder))?;
    }
    symlink(&own, world.cli.home().join("again/az"))?;
    fs::copy(&own, world.cli.home().join("copy/az"))?;
    world.real("real/az");
    assert_eq!(world.run("az group list").stdout, "real real/az group list\n");
    // Called by its path, the copy finds the links before the real one.
    let output = world.cli.command(&world.cli.home().join("copy/az")).args(["group", "list"]).output()?;
    assert_eq!(Run::try_from(output)?.stdout, "real real/az group list\n");

    let world = world.path(&["bin", "again", "copy"]);
    assert_eq!(world.run("az group list").code, Some(127));
    Ok(())
}

#[test]
fn an_empty_entry_of_path_is_the_current_folder() {
    // A trailing colon is one. The program in the current folder must not be searched in PATH again.
    let world = World::signed_in();
    world.real("real/az");
    let bin = world.cli.home().join("bin");
    let mut command = world.cli.command(&bin.join("az"));
    command.args(["group", "list"]).current_dir(world.cli.home().join("real"));
    command.env("PATH", format!("{}:", bin.display()));
    let run = Run::try_from(command.output().unwrap()).unwrap();
    assert_eq!((run.code, run.stdout.contains("group list")), (Some(7), true), "{run:?}");
}

#[test]
fn subscriptions_are_those_of_the_active_cloud() {
    let mut world = World::signed_in();
    assert_eq!(world.run("az account show").code, Some(0));
    world.cli.write(".azure/config", "[cloud]\nname = AzureUSGovernment\n").unwrap();
    let run = world.run("az account get-access-token");
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert!(run.stderr.contains("az login"), "{run:?}");
    world.cli.set("AZURE_CLOUD_NAME", "AzureCloud");
    assert_eq!(world.run("az account show").code, Some(0), "the variable outweighs the file");
}
