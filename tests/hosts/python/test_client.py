"""The credential in clients of the Azure SDK."""

import base64
import os
import shutil
import subprocess
import sys
import unittest
from unittest import mock

import support
from support import CACHED, COMPONENT, EXAMPLE, NEW, VAULT, Server

from azure.core import PipelineClient
from azure.core.credentials import SupportsTokenInfo, TokenCredential
from azure.core.pipeline.policies import BearerTokenCredentialPolicy
from azure.core.rest import HttpRequest
from azure.identity import ChainedTokenCredential
from shared_token_cache import SharedTokenCacheCredential

CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}'


def bearer(request):
    return request["headers"].get("authorization")


class ClientTest(support.HomeTest):
    def credential(self, authority):
        credential = SharedTokenCacheCredential(component=COMPONENT, authority=authority.host, ca_file=authority.ca)
        # A real credential that counts its calls.
        credential.get_token_info = mock.Mock(wraps=credential.get_token_info)
        return self.enterContext(credential)

    def client(self, server, policy):
        client = PipelineClient(f"https://{server.host}", policies=[policy], connection_verify=str(server.ca))
        return self.enterContext(client)

    def test_a_client_sends_the_token_and_asks_for_it_once(self):
        self.write(support.sign_in())
        with Server(support.reply) as authority, Server(lambda _: (200, {}, b"done")) as api:
            credential = self.credential(authority)
            client = self.client(api, BearerTokenCredentialPolicy(credential, VAULT))
            for _ in range(2):
                self.assertEqual(client.send_request(HttpRequest("GET", f"https://{api.host}/secrets")).text(), "done")
            self.assertEqual([bearer(request) for request in api.requests], [f"Bearer {CACHED}"] * 2)
            credential.get_token_info.assert_called_once_with(VAULT, options={})
            self.assertEqual(authority.requests, [])

    def test_a_claims_challenge_is_met_with_a_new_token(self):
        challenge = f'Bearer error="insufficient_claims", claims="{base64.urlsafe_b64encode(CLAIMS.encode()).decode()}"'

        def respond(request):
            good = bearer(request) == f"Bearer {NEW}"
            return (200, {}, b"done") if good else (401, {"WWW-Authenticate": challenge}, b"")

        self.write(support.sign_in())
        with Server(support.reply) as authority, Server(respond) as api:
            credential = self.credential(authority)
            client = self.client(api, BearerTokenCredentialPolicy(credential, VAULT))
            self.assertEqual(client.send_request(HttpRequest("GET", f"https://{api.host}/secrets")).status_code, 200)
            self.assertEqual([bearer(request) for request in api.requests], [f"Bearer {CACHED}", f"Bearer {NEW}"])
            credential.get_token_info.assert_called_with(VAULT, options={"claims": CLAIMS})
            self.assertEqual([request["form"]["claims"] for request in authority.requests], [CLAIMS])

    def test_it_is_what_the_sdk_calls_a_credential(self):
        with Server(support.reply) as authority:
            credential = self.credential(authority)
            self.assertIsInstance(credential, TokenCredential)
            self.assertIsInstance(credential, SupportsTokenInfo)

    def test_a_chain_goes_on_when_there_is_no_sign_in(self):
        with Server(support.reply) as authority:
            second = mock.Mock(spec=["get_token"])
            chain = ChainedTokenCredential(self.credential(authority), second)
            self.assertIs(chain.get_token(VAULT), second.get_token.return_value)

    def test_the_program_of_the_readme_calls_an_api(self):
        # As in the README: the folder, with the component in it.
        folder = shutil.copytree(EXAMPLE, self.home / "example")
        shutil.copy(COMPONENT, folder / "shared_token_cache")
        self.write(support.sign_in(expires_on=1_700_000_000), self.home / ".azure/msal_token_cache.json")
        (self.home / ".azure").chmod(0o700)
        with Server(support.reply) as authority, Server(lambda _: (200, {}, b"done")) as api:
            environment = {
                "AZURE_AUTHORITY_HOST": authority.host,
                "SSL_CERT_FILE": str(authority.ca),
                "REQUESTS_CA_BUNDLE": str(api.ca),
            }
            program = [sys.executable, folder / "call_api.py", f"https://{api.host}/secrets", VAULT]
            done = subprocess.run(
                program, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, cwd="/"
            )
            self.assertEqual((done.stdout, done.stderr, done.returncode), ("200 done\n", "", 0))
            self.assertEqual([bearer(request) for request in api.requests], [f"Bearer {NEW}"])


if __name__ == "__main__":
    unittest.main()
