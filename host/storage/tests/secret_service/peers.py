"""Real msal-extensions and azure-identity on a keyring, and libsecret as MSAL.NET and keytar call it.

Run by main.rs, on a bus and with a HOME of the test's own. Every command prints one JSON value per
line. None uses the network: a request ends the command.
"""

import argparse
import base64
import json
import sys

import azure.identity
import gi
import msal_extensions
import requests
from azure.core.pipeline.transport import RequestsTransport
from azure.identity._persistent_cache import _get_persistence

gi.require_version("Secret", "1")
from gi.repository import Secret

CLIENT = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
SCOPE = "https://graph.microsoft.com/.default"
SERVICE = "Microsoft.Developer.IdentityService"
TEXT = Secret.SchemaAttributeType.STRING

DOTNET = Secret.Schema.new("msal.cache", Secret.SchemaFlags.DONT_MATCH_NAME, {"MsalClientID": TEXT, SERVICE: TEXT})
DOTNET_ATTRIBUTES = {"MsalClientID": SERVICE, SERVICE: "1.0.0.0"}
KEYTAR = Secret.Schema.new("org.freedesktop.Secret.Generic", Secret.SchemaFlags.NONE, {"service": TEXT, "account": TEXT})
KEYTAR_ATTRIBUTES = {"service": SERVICE, "account": "MSALCache"}


class NoNetwork(requests.adapters.HTTPAdapter):
    def send(self, request, **kwargs):
        raise AssertionError("nobody expected a request to " + request.url)


def persisted(document):
    """The cache as azure-identity creates it, without its fallback to a plain file."""
    cache = msal_extensions.PersistedTokenCache(_get_persistence(False, "MSALCache", document))
    assert cache.is_encrypted
    return cache


def encoded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def sign_in(args):
    """Caches the answers of an authority to sign-ins."""
    cache = persisted(args.document)
    for number in range(args.number, args.number + args.count):
        uid, utid = "uid-%08d" % number, "utid-%08d" % number
        claims = {"aud": CLIENT, "iss": "issuer", "sub": "subject", "tid": utid, "oid": uid,
                  "preferred_username": "user%d@contoso.com" % number}
        cache.add({
            "client_id": CLIENT,
            "scope": [SCOPE],
            "token_endpoint": "https://login.microsoftonline.com/%s/oauth2/v2.0/token" % utid,
            "grant_type": "authorization_code",
            "response": {
                "access_token": "at-made-up-secret-%d" % number,
                "expires_in": 3600,
                "token_type": "Bearer",
                "refresh_token": "rt-made-up-secret-%d" % number,
                "id_token": "%s.%s.signature" % (encoded({"alg": "RS256"}), encoded(claims)),
                "client_info": encoded({"uid": uid, "utid": utid}),
                "foci": "1",
            },
        })
    yield True


def token(args):
    """The token that azure-identity's SharedTokenCacheCredential finds."""
    session = requests.Session()
    session.mount("https://", NoNetwork())
    document, _, suffix = args.document.rpartition(".")
    credential = azure.identity.SharedTokenCacheCredential(
        args.username,
        cache_persistence_options=azure.identity.TokenCachePersistenceOptions(
            name=document, allow_unencrypted_storage=False),
        transport=RequestsTransport(session=session, session_owner=False),
    )
    yield credential.get_token(SCOPE, enable_cae=suffix == "cae").token


def follow(args):
    """The access tokens in the cache, printed again for each line of input."""
    cache = persisted(args.document)
    while True:
        yield [entry["secret"] for entry in cache.search("AccessToken")]
        if not sys.stdin.readline():
            break


def store(args):
    """Stores a document as .NET or JavaScript does."""
    content = sys.stdin.read()
    if args.as_ == "dotnet":
        content = base64.b64encode(content.encode()).decode()
        yield Secret.password_store_sync(DOTNET, DOTNET_ATTRIBUTES, "default", args.document, content, None)
    else:
        label = SERVICE + "/MSALCache"
        yield Secret.password_store_sync(KEYTAR, KEYTAR_ATTRIBUTES, Secret.COLLECTION_DEFAULT, label, content, None)


def load(args):
    """The document that .NET or JavaScript finds."""
    if args.as_ == "dotnet":
        found = Secret.password_lookup_sync(DOTNET, DOTNET_ATTRIBUTES, None)
        yield base64.b64decode(found, validate=True).decode()
    else:
        yield Secret.password_lookup_sync(KEYTAR, KEYTAR_ATTRIBUTES, None)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["sign-in", "token", "follow", "store", "load"])
    parser.add_argument("--document", default="msal.cache.nocae")
    parser.add_argument("--number", type=int, default=0)
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--username")
    parser.add_argument("--as", dest="as_", choices=["dotnet", "javascript"])
    args = parser.parse_args()
    commands = {"sign-in": sign_in, "token": token, "follow": follow, "store": store, "load": load}
    for answer in commands[args.command](args):
        print(json.dumps(answer), flush=True)


main()
