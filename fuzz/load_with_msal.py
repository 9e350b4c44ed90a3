"""Loads every document of a folder with MSAL for Python, as another tool would."""

import pathlib
import sys

import msal

count = 0
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
    cache = msal.SerializableTokenCache()
    cache.deserialize(path.read_bytes().decode("utf-8"))
    # A time before every expiry, so that a search removes no expired token.
    kinds = {
        kind: list(cache.search(kind, now=0))
        for kind in ["AccessToken", "RefreshToken", "IdToken", "Account", "AppMetadata"]
    }
    for kind in ["AccessToken", "RefreshToken", "IdToken"]:
        assert all(isinstance(entry["secret"], str) and entry["secret"] for entry in kinds[kind]), path
    assert len(kinds["RefreshToken"]) == 2, (path, kinds["RefreshToken"])
    assert [account["username"] for account in kinds["Account"]] == ["user0@contoso.com"], path
    cache.serialize()
    count += 1
print(count)
