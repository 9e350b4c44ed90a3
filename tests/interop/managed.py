"""Real azure-identity with a managed identity's endpoint, as far as the tests need it.

Run by tests/tests/managed_identity.rs as the command of `run`, or with the variables of an agent. It
prints one JSON object. It only connects to the endpoint in its environment, on loopback.
"""

import argparse
import json
import socket
import time

from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CredentialUnavailableError, DefaultAzureCredential, ManagedIdentityCredential

CREDENTIALS = {"managed": ManagedIdentityCredential, "default": DefaultAzureCredential}

connected = set()


def on_loopback(connect):
    """Records the addresses that sockets connect to."""

    def noting(self, address):
        connected.add(address[0] if isinstance(address, tuple) else str(address))
        return connect(self, address)

    return noting


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("credential", choices=CREDENTIALS)
    parser.add_argument("--scope", required=True)
    parser.add_argument("--client-id")
    arguments = parser.parse_args()
    socket.socket.connect = on_loopback(socket.socket.connect)
    options = {"client_id": arguments.client_id} if arguments.client_id else {}
    if arguments.credential == "default" and options:
        options = {"managed_identity_client_id": arguments.client_id}
    start = time.monotonic()
    try:
        token = CREDENTIALS[arguments.credential](**options).get_token(arguments.scope)
        answer = {"token": token.token, "expires_on": token.expires_on}
    except (ClientAuthenticationError, CredentialUnavailableError) as error:
        answer = {"error": type(error).__name__, "message": str(error)}
    answer["seconds"] = time.monotonic() - start
    answer["connected"] = sorted(connected)
    print(json.dumps(answer))


main()
