"""The real Azure CLI's core: the calls behind `az login`, `az account get-access-token`, `az logout`.

Run by tests/tests/azure_cli.rs, with HOME set to a folder of the test's own, and REQUESTS_CA_BUNDLE
to the CA of its authority. Every command prints one JSON object.
"""

import argparse
import contextlib
import json
import sys

# libsecret's bindings come from the system; packages of the environment take precedence.
sys.path.append("/usr/lib/python3/dist-packages")

from azure.cli.core.auth import persistence
from azure.cli.core.auth.credential_adaptor import CredentialAdaptor
from azure.cli.core.auth.identity import Identity


def named(location, encrypt):
    """The item of the coming release that encrypts by default (Azure/azure-cli#33849)."""
    assert encrypt
    return persistence.LibsecretPersistence(
        location + ".sig", schema_name="Microsoft Azure CLI", attributes={"type": "Token cache"},
        label="Microsoft Azure CLI - Token cache")


def identity_of(args):
    if args.encrypt == "named":
        persistence.build_persistence = named
    # The Azure CLI's setting `core.instance_discovery`: by default, only Microsoft's authorities
    # are accepted.
    return Identity("https://" + args.authority, tenant_id=args.tenant, encrypt=args.encrypt is not None,
                    instance_discovery=False)


def login(args):
    """Signs in the users that the authority offers, one after the other."""
    identity = identity_of(args)
    for _ in range(args.count):
        identity.login_with_device_code([args.scope])
    return {}


def token(args):
    """Requests a token of a signed-in user."""
    credential = CredentialAdaptor(identity_of(args).get_user_credential(args.username))
    found = credential.get_token(args.scope)
    return {"token": found.token, "expires_on": found.expires_on}


def users(args):
    """Lists the signed-in users."""
    return {"usernames": sorted(account["username"] for account in identity_of(args).get_user())}


def logout(args):
    """Signs a user out."""
    identity_of(args).logout_user(args.username)
    return {}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    for command in (login, token, users, logout):
        sub = commands.add_parser(command.__name__, help=command.__doc__)
        sub.set_defaults(command=command)
        sub.add_argument("--authority", required=True)
        sub.add_argument("--encrypt", choices=["as-released", "named"], help="keep the cache in the keyring")
        sub.add_argument("--tenant", help="the tenant to ask; organizations if there is none")
        if command in (login, token):
            sub.add_argument("--scope", required=True)
        if command is login:
            sub.add_argument("--count", type=int, default=1)
        if command in (token, logout):
            sub.add_argument("--username", default="user0@contoso.com")
    args = parser.parse_args()
    # The Azure CLI's messages to its user are not part of the result.
    with contextlib.redirect_stdout(sys.stderr):
        answer = args.command(args)
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
