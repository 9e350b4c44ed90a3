"""Loads every document of a folder with MSAL for Python, as another tool would that shares the cache."""

import pathlib
import sys

import msal

count = 0
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
    cache = msal.SerializableTokenCache()
    cache.deserialize(path.read_bytes().decode("utf-8"))
    kinds = {kind: list(cache.search(kind)) for kind in ["AccessToken", "RefreshToken", "IdToken", "Account", "AppMetadata"]}
    for kind in ["AccessToken", "RefreshToken", "IdToken"]:
        assert all(isinstance(entry["secret"], str) and entry["secret"] for entry in kinds[kind]), path
    assert len(kinds["RefreshToken"]) == 2, (path, kinds["RefreshToken"])
    assert [account["username"] for account in kinds["Account"]] == ["user0@contoso.com"], path
    app = msal.PublicClientApplication("04b07795-8ddb-461a-bbee-02f9e1bf7b46", instance_discovery=False, token_cache=cache)
    assert isinstance(app.get_accounts(), list), path
    cache.serialize()
    count += 1
print(count)
