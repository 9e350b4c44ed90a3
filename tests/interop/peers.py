"""Real MSAL and azure-identity, as far as the tests need them.

Run by tests/tests/azure_identity.rs and tests/tests/keyring, with HOME set to a folder of the test's
own. Every command prints one JSON object. No command uses the network: `Answers` responds to each
expected request, and another request ends the command.
"""

import argparse
import base64
import io
import json
import urllib.parse
from pathlib import Path

import azure.identity
import msal
import msal_extensions
import requests
import urllib3
from azure.core.pipeline.transport import RequestsTransport
from azure.identity._persistent_cache import _get_persistence

WORDS = json.loads((Path(__file__).parents[2] / "entra/words.json").read_text(encoding="utf-8"))
AZURE_CLI_CLIENT = WORDS["azure_cli_client"]


class Answers(requests.adapters.HTTPAdapter):
    """A fake transport: maps URLs to responses, and records posted forms."""

    def __init__(self, answers):
        super().__init__()
        self.answers = answers
        self.posted = []

    def send(self, request, **kwargs):
        if request.method == "POST":
            self.posted.append({"url": request.url, "form": dict(urllib.parse.parse_qsl(request.body))})
        if request.url not in self.answers:
            raise AssertionError("nobody expected a request to " + request.url)
        body = io.BytesIO(json.dumps(self.answers[request.url]).encode())
        headers = {"Content-Type": "application/json"}
        return self.build_response(request, urllib3.HTTPResponse(body, headers, status=200, preload_content=False))


def session_with(answers):
    session = requests.Session()
    session.mount("https://", answers)
    return session


def persisted(path):
    """A cache in a file, made as azure-identity makes it where no encryption is available."""
    return msal_extensions.PersistedTokenCache(msal_extensions.FilePersistence(path))


def in_keyring(document):
    """A cache in the keyring, made as azure-identity makes it where the keyring works."""
    cache = msal_extensions.PersistedTokenCache(_get_persistence(False, "MSALCache", document))
    assert cache.is_encrypted
    return cache


def encoded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def sign_in(args):
    """Caches an authority's response to a sign-in."""
    uid, utid = "uid-%08d" % args.number, "utid-%08d" % args.number
    claims = {"aud": AZURE_CLI_CLIENT, "iss": "issuer", "sub": "subject", "tid": utid, "oid": uid,
              "preferred_username": "user%d@contoso.com" % args.number}
    response = {
        "access_token": "at-made-up-secret-%d-expired" % args.number,
        "expires_in": -60,
        "token_type": "Bearer",
        "refresh_token": "rt-made-up-secret-%d" % args.number,
        "id_token": "%s.%s.signature" % (encoded({"alg": "RS256"}), encoded(claims)),
        "client_info": encoded({"uid": uid, "utid": utid}),
        "foci": "1",
    }
    cache = persisted(args.file) if args.file else in_keyring(args.keyring)
    cache.add({
        "client_id": AZURE_CLI_CLIENT,
        "scope": [args.scope],
        "token_endpoint": "https://%s/%s/oauth2/v2.0/token" % (args.authority, utid),
        "response": response,
        "grant_type": "authorization_code",
    })
    return {}


def sign_ins(args):
    """Caches the sign-ins of users 1 to COUNT, one after the other."""
    for args.number in range(1, args.count + 1):
        sign_in(args)
    return {}


def token_endpoint(args):
    return "https://%s/organizations/oauth2/v2.0/token" % args.authority


def answers_of(args):
    return {token_endpoint(args): json.loads(args.reply)} if args.reply else {}


def credential(args):
    """Requests a token from azure-identity's SharedTokenCacheCredential."""
    answers = Answers(answers_of(args))
    shared = azure.identity.SharedTokenCacheCredential(
        authority=args.authority,
        cache_persistence_options=azure.identity.TokenCachePersistenceOptions(
            name=args.name, allow_unencrypted_storage=True),
        transport=RequestsTransport(session=session_with(answers), session_owner=False),
    )
    token = shared.get_token(args.scope, claims=args.claims, tenant_id=args.tenant, enable_cae=args.cae)
    return {"token": token.token, "expires_on": token.expires_on, "posted": answers.posted}


def client(args):
    """Requests a token of the first account in a file from MSAL's PublicClientApplication."""
    base = "https://%s/organizations" % args.authority
    discovery = {"token_endpoint": token_endpoint(args), "authorization_endpoint": base + "/oauth2/v2.0/authorize"}
    answers = Answers({base + "/v2.0/.well-known/openid-configuration": discovery, **answers_of(args)})
    application = msal.PublicClientApplication(
        AZURE_CLI_CLIENT, authority=base, instance_discovery=False, token_cache=persisted(args.file),
        http_client=session_with(answers))
    accounts = application.get_accounts()
    result = application.acquire_token_silent([args.scope], account=accounts[0])
    return {
        "token": result["access_token"],
        "usernames": [account["username"] for account in accounts],
        "posted": answers.posted,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    for command in (sign_in, sign_ins, credential, client):
        sub = commands.add_parser(command.__name__.replace("_", "-"), help=command.__doc__)
        sub.set_defaults(command=command)
        sub.add_argument("--authority", default="localhost")
        sub.add_argument("--scope", required=True)
        if command is credential:
            sub.add_argument("--name", default="msal.cache")
            sub.add_argument("--claims")
            sub.add_argument("--tenant", help="the tenant that the call names")
            sub.add_argument("--cae", action="store_true")
        else:
            sub.add_argument("--file")
            sub.add_argument("--keyring", help="the cache's name, in place of a file's")
        if command is sign_in:
            sub.add_argument("--number", type=int, default=0)
        elif command is sign_ins:
            sub.add_argument("--count", type=int, required=True)
        else:
            sub.add_argument("--reply", help="what the token endpoint answers, JSON")
    args = parser.parse_args()
    print(json.dumps(args.command(args)))


if __name__ == "__main__":
    main()
