use std::process::Command;

use crate::cache::{Cache, Change, Layout, Parts};

const LOAD: &str = r#"
import json, msal, pathlib, sys, types

base = "https://login.microsoftonline.com/organizations"
discovery = json.dumps({"token_endpoint": base + "/oauth2/v2.0/token", "authorization_endpoint": base + "/authorize", "issuer": base})

class Offline:
    def get(self, *args, **kwargs): return types.SimpleNamespace(status_code=200, text=discovery, headers={})
    def post(self, *args, **kwargs): raise ConnectionError("no network in a test")
    def close(self): pass

count = 0
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
    cache = msal.SerializableTokenCache()
    cache.deserialize(path.read_bytes().decode("utf-8"))
    for kind in ["AccessToken", "RefreshToken", "IdToken", "Account", "AppMetadata"]:
        entries = list(cache.search(kind))
        if kind.endswith("Token"):
            assert all(isinstance(entry["secret"], str) and entry["secret"] for entry in entries), path
    tokens = {entry["secret"] for entry in cache.search("RefreshToken")}
    assert len(tokens) == 2, (path, tokens)
    accounts = {entry["home_account_id"] for entry in cache.search("Account")}
    assert accounts == {"uid-0.utid-0", "uid-1.utid-1"}, path
    new = list(cache.search("AccessToken", target=["https://vault.azure.net/.default"], query={
        "home_account_id": "uid-0.utid-0", "environment": "login.microsoftonline.com", "client_id": "client", "realm": "organizations"}))
    assert len(new) == ("at" in path.stem.split("-")), (path, new)
    assert all(int(entry["expires_on"]) > int(entry["cached_at"]) for entry in new), path
    if new:
        app = msal.PublicClientApplication("client", authority=base, instance_discovery=False, token_cache=cache, http_client=Offline())
        [account] = app.get_accounts("user0@contoso.com")
        answer = app.acquire_token_silent(["https://vault.azure.net/.default"], account=account)
        assert answer["access_token"] == "hunter-at-new", (path, answer)
    cache.serialize()
    count += 1
print(count)
"#;

/// `MSAL_PYTHON` names a Python with MSAL; `cargo xtask test` sets it.
#[test]
#[allow(clippy::print_stderr, reason = "who runs the tests has to know what was skipped")]
fn msal_for_python_loads_every_document_that_is_written() {
    let folder = std::env::temp_dir().join(format!("written-caches-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut count = 0;
    for (name, layout) in [("compact", Layout::COMPACT), ("msal", Layout::MSAL), ("tabs", Layout::TABS)] {
        for present in 0..8 {
            let cache = Cache::new(Parts { layout, present: [0, 1, 2].map(|bit| present >> bit & 1 == 1) });
            for changes in 0_u32..32 {
                let chosen: Vec<Change> = (0..)
                    .zip(Change::ALL)
                    .filter(|(bit, _)| changes >> bit & 1 == 1)
                    .map(|(_, change)| change)
                    .collect();
                let written = cache.open(&cache.changed(&chosen).0).unwrap();
                let new = if chosen.contains(&Change::PutAccessToken) { "-at" } else { "" };
                std::fs::write(folder.join(format!("{name}-{present}-{changes}{new}.json")), written).unwrap();
                count += 1;
            }
        }
    }
    let Some(python) = std::env::var_os("MSAL_PYTHON").filter(|python| !python.is_empty()) else {
        eprintln!("{count} documents were not loaded with MSAL: MSAL_PYTHON names no Python that has it");
        return std::fs::remove_dir_all(&folder).unwrap();
    };
    let output = Command::new(python).arg("-c").arg(LOAD).arg(&folder).output().unwrap();
    assert!(output.status.success(), "{}: {}", folder.display(), String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), count.to_string());
    std::fs::remove_dir_all(&folder).unwrap();
}
