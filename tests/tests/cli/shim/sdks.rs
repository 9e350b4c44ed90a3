//! Real SDKs with the links in `PATH`. `AZURE_IDENTITY_PYTHON` names a Python with azure-identity; without it these tests say so and
//! check nothing, as `tests/tests/azure_identity.rs` does.

use super::*;

const SCRIPT: &str = "
import json, sys
from azure.identity import AzureCliCredential, AzureDeveloperCliCredential, CredentialUnavailableError
from azure.core.exceptions import ClientAuthenticationError
kind, scope, tenant = sys.argv[1:4]
credential = {'az': AzureCliCredential, 'azd': AzureDeveloperCliCredential}[kind]()
try:
    token = credential.get_token(scope, **({'tenant_id': tenant} if tenant else {}))
    print(json.dumps({'token': token.token, 'expires_on': token.expires_on}))
except CredentialUnavailableError as error:
    print(json.dumps({'unavailable': str(error)}))
except ClientAuthenticationError as error:
    print(json.dumps({'refused': str(error)}))
";

/// The answer of a credential of azure-identity for Python. Empty if it is not installed.
#[expect(clippy::print_stderr, reason = "who runs the tests has to know why these check nothing")]
fn credential(world: &World, kind: &str, tenant: &str) -> Option<Value> {
    let Some(python) = std::env::var_os("AZURE_IDENTITY_PYTHON").filter(|value| !value.is_empty()) else {
        eprintln!("AZURE_IDENTITY_PYTHON names no Python with azure-identity; see `cargo xtask test`");
        return None;
    };
    let output = world.cli.command(python.as_ref()).args(["-c", SCRIPT, kind, VAULT, tenant]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn azure_identity_for_python_takes_the_answers() {
    for kind in ["az", "azd"] {
        let Some(answer) = credential(&World::signed_in(), kind, "") else { return };
        assert_eq!(answer, json!({ "token": access_token(0, VAULT), "expires_on": FAR }), "{kind}");
    }
}

#[test]
fn azure_identity_for_python_names_its_tenant() {
    for kind in ["az", "azd"] {
        let world = World::signed_in();
        let Some(answer) = credential(&world, kind, "fabrikam.com") else { return };
        assert_eq!(answer["unavailable"].as_str().or(answer["refused"].as_str()), None, "{answer}");
        assert_eq!(world.authority.requests()[0].path, "/fabrikam.com/oauth2/v2.0/token", "{kind}");
    }
}

#[test]
fn azure_identity_for_python_goes_on_when_nobody_is_signed_in() {
    for kind in ["az", "azd"] {
        let world = World::signed_in();
        fs::remove_dir_all(world.cli.home().join(".azure")).unwrap();
        let Some(answer) = credential(&world, kind, "") else { return };
        assert!(answer["unavailable"].is_string(), "{kind}: {answer}");
    }
}

#[test]
fn azure_identity_for_python_stops_at_a_refusal() {
    let refusal =
        json!({ "error": "invalid_grant", "error_description": "AADSTS50076: made up", "error_codes": [50076] });
    for kind in ["az", "azd"] {
        let world = World::new(SignIn::new(0, LOCAL), Authority::answering(400, refusal.clone()).unwrap());
        let Some(answer) = credential(&world, kind, "") else { return };
        assert!(answer["refused"].as_str().is_some_and(|text| text.contains("AADSTS50076")), "{kind}: {answer}");
    }
}
