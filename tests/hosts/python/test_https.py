"""The example's requests: contents, destinations and accepted responses."""

import json
import logging
import os
import ssl
import time
import warnings
from unittest import mock

import support
from support import COMPONENT, NEW, NEW_REFRESH, REFRESH, VAULT, Server

from azure.core.exceptions import ServiceRequestError
from shared_token_cache import AuthenticationFailedError, DeniedError, SharedTokenCacheCredential, https
from shared_token_cache.https import Https, authority_host

PATH = "/organizations/oauth2/v2.0/token"
NOT_FOUND = (404, {}, b"")


class RequestTest(support.HomeTest):
    """Tests through the component."""

    def setUp(self):
        super().setUp()
        self.write(support.sign_in(expires_on=1_700_000_000))
        # No pause between retries.
        self.enterContext(mock.patch.object(https, "PAUSES", (0.01, 0.01)))

    def ask(self, server, **options):
        options = {"component": COMPONENT, "authority": server.host, "ca_file": server.ca, **options}
        with SharedTokenCacheCredential(**options) as credential:
            return credential.get_token(VAULT)

    def test_a_refresh_token_is_redeemed_and_the_new_tokens_are_stored(self):
        with Server(support.reply) as server:
            self.assertEqual(self.ask(server).token, NEW)
            (request,) = server.requests
            self.assertEqual((request["path"], request["form"]["refresh_token"]), (PATH, REFRESH))
            self.assertEqual(request["headers"]["content-type"], "application/x-www-form-urlencoded")
            self.assertEqual(request["headers"]["return-client-request-id"], "true")
        document = self.read()
        self.assertEqual(document["Unknown"], support.sign_in()["Unknown"])
        self.assertEqual([entry["secret"] for entry in document["RefreshToken"].values()], [NEW_REFRESH])
        self.assertIn(NEW, [entry["secret"] for entry in document["AccessToken"].values()])
        self.assertEqual((self.cache.stat().st_mode & 0o777, self.beside()), (0o600, []))

    def test_all_fields_of_a_token_arrive(self):
        fields = {**json.loads(support.reply()[2]), "expires_in": 86_400, "refresh_in": 43_200}
        with Server(lambda _: (200, {}, json.dumps(fields).encode())) as server:
            with SharedTokenCacheCredential(
                component=COMPONENT, authority=server.host, ca_file=server.ca
            ) as credential:
                found = credential.get_token_info(VAULT, options={"tenant_id": "fabrikam.com"})
            self.assertEqual(server.requests[0]["path"], "/fabrikam.com/oauth2/v2.0/token")
        self.assertEqual((found.token, found.token_type), (NEW, "Bearer"))
        self.assertAlmostEqual(found.expires_on - time.time(), 86_400, delta=60)
        self.assertAlmostEqual(found.refresh_on - time.time(), 43_200, delta=60)

    def test_no_other_authority_gets_a_refresh_token(self):
        before = self.cache.read_text()
        with Server(support.reply) as server:
            for options in [{"allowed_authorities": []}, {"allowed_authorities": ["login.microsoftonline.com"]}]:
                with self.assertRaises(DeniedError):
                    self.ask(server, **options)
            # An authentication record names an account and grants nothing.
            record = {
                "authority": server.host,
                "clientId": support.CLIENT,
                "homeAccountId": support.HOME_ACCOUNT_ID,
                "tenantId": "utid-00000000",
                "username": "user0@contoso.com",
                "version": "1.0",
            }
            with self.assertRaises(DeniedError):
                self.ask(server, authority=None, authentication_record=json.dumps(record))
            self.assertEqual((server.requests, self.cache.read_text()), ([], before))

    def test_the_environment_names_the_default_authority(self):
        with Server(support.reply) as server:
            os.environ["AZURE_AUTHORITY_HOST"] = f"https://{server.host}/"
            self.assertEqual(self.ask(server, authority=None).token, NEW)

    def test_a_refusal_says_what_the_authority_said(self):
        body = b'{"error":"interaction_required","error_description":"sign in","claims":"{\\"id_token\\":{}}"}'
        with Server(lambda _: (400, {}, body)) as server, self.assertRaises(AuthenticationFailedError) as caught:
            self.ask(server)
        error = caught.exception
        self.assertEqual((error.reason, error.oauth_error), ("oauth-error", "interaction_required"))
        self.assertEqual(json.loads(error.claims), {"id_token": {}})

    def test_a_retryable_error_is_retried(self):
        replies = iter([(503, {}, b""), (429, {}, b""), support.reply()])
        with Server(lambda _: next(replies)) as server:
            self.assertEqual(self.ask(server).token, NEW)
            ids = {request["headers"]["client-request-id"] for request in server.requests}
            self.assertEqual((len(server.requests), len(ids)), (3, 3))

    def test_retries_are_bounded(self):
        with Server(lambda _: (500, {}, b"")) as server, self.assertRaises(ServiceRequestError):
            self.ask(server)
        self.assertEqual(len(server.requests), 3)

    def test_a_wrong_argument_is_a_value_error(self):
        with Server(support.reply) as server:
            with self.assertRaises(ValueError):
                self.ask(server, tenant_id="not a tenant")
            with SharedTokenCacheCredential(component=COMPONENT) as credential, self.assertRaises(ValueError):
                credential.get_token()

    def test_no_secret_reaches_the_log_or_a_message(self):
        replies = iter([(400, {}, b'{"error":"invalid_request"}'), (200, {}, b"[]"), support.reply()])
        with Server(lambda _: next(replies)) as server, self.assertLogs(level=logging.DEBUG) as logs:
            told = []
            for _ in range(2):
                with self.assertRaises(AuthenticationFailedError) as caught:
                    self.ask(server)
                told += [str(caught.exception), repr(caught.exception)]
            self.assertEqual(self.ask(server).token, NEW)
            self.assertEqual([request["form"]["refresh_token"] for request in server.requests], [REFRESH] * 3)
        for text in [*logs.output, *told]:
            self.assertNotIn("made-up-secret", text)


class HttpsTest(support.HomeTest):
    """Tests of the import alone, with requests that this project's component never makes."""

    def post(self, server, *, path=PATH, headers=(), form=(("grant_type", "refresh_token"),), host=None):
        imported = Https([server.host], "login.microsoftonline.com", server.ca)
        return imported.post_form(f"https://{host or server.host}{path}", list(headers), list(form))

    def assertFailed(self, result, tag, *words):
        self.assertEqual(getattr(result, "tag", result), tag)
        for word in words:
            self.assertIn(word, result.payload)

    def setUp(self):
        super().setUp()
        self.enterContext(mock.patch.object(https, "PAUSES", ()))

    def test_requests_go_to_token_endpoints_of_allowed_authorities_only(self):
        with Server(support.reply) as server:
            port = server.host.partition(":")[2]
            for url in [
                f"http://{server.host}{PATH}",
                f"https://127.0.0.1:{port}{PATH}",
                f"https://LOCALHOST:{port}{PATH}",
                f"https://localhost.:{port}{PATH}",
                f"https://user@{server.host}{PATH}",
                f"https://{server.host}@evil.example{PATH}",
                f"https://{server.host}.evil.example{PATH}",
                f"https://evil.example{PATH}",
                f"https://login.microsoftonline.com{PATH}",
                f"https://{server.host}{PATH}?x",
                f"https://{server.host}{PATH}#x",
                f"https://{server.host}{PATH}\n",
                f"https://{server.host}/organizations/oauth2/v2.0/devicecode",
                f"https://{server.host}/a/b/oauth2/v2.0/token",
                f"https://{server.host}/a%2fb/oauth2/v2.0/token",
                f"https://{server.host}//oauth2/v2.0/token",
                f"https://{server.host}",
                "file:///etc/passwd",
            ]:
                imported = Https([server.host], "login.microsoftonline.com", server.ca)
                self.assertFailed(imported.post_form(url, [], []), "denied")
            self.assertEqual(server.requests, [])
            self.assertEqual(self.post(server).status, 200)

    def test_few_header_fields_may_be_set(self):
        with Server(support.reply) as server:
            self.assertEqual(self.post(server, headers=[("X-AnchorMailbox", "Oid:1@2")]).status, 200)
            self.assertEqual(server.requests[0]["headers"]["x-anchormailbox"], "Oid:1@2")
            for field in [("authorization", "x"), ("host", "x"), ("x-client-sku", "a\r\nb: c"), ("x-client-sku", "ü")]:
                self.assertFailed(self.post(server, headers=[field]), "denied", field[0])
            self.assertFailed(self.post(server, form=[("a", "b" * https.LARGEST_FORM)]), "denied")
            self.assertEqual(len(server.requests), 1)

    def test_a_redirect_is_not_followed(self):
        with Server(support.reply) as other:
            for status in (301, 302, 303, 307, 308):
                with Server(lambda _: (status, {"location": f"https://{other.host}{PATH}"}, b"")) as server:
                    self.assertEqual(self.post(server).status, status)
                    self.assertEqual(len(server.requests), 1)
            self.assertEqual(other.requests, [])

    def test_the_size_of_a_reply_is_limited(self):
        with Server(lambda _: (200, {}, b"x" * https.LARGEST_REPLY)) as server:
            self.assertEqual(len(self.post(server).body), https.LARGEST_REPLY)
        with Server(lambda _: (200, {}, b"x" * (https.LARGEST_REPLY + 1))) as server:
            self.assertFailed(self.post(server), "bad-response", "more than")

    def test_a_truncated_reply_is_an_error(self):
        def half(handler):
            handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}")
            handler.close_connection = True

        with Server(lambda _: half) as server:
            self.assertFailed(self.post(server), "unreachable", "middle")

    def test_a_server_that_sends_a_byte_now_and_then_times_out(self):
        def drip(handler):
            handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
            for _ in range(100):
                handler.wfile.write(b"x")
                time.sleep(0.1)

        with Server(lambda _: drip) as server, mock.patch.object(https, "SECONDS", 0.5):
            started = time.monotonic()
            self.assertFailed(self.post(server), "timeout")
            self.assertLess(time.monotonic() - started, 3)

    def test_a_certificate_of_an_unknown_authority_is_refused_and_not_asked_again(self):
        with Server(support.reply) as server, Server(support.reply) as other:
            imported = Https([server.host], "login.microsoftonline.com", other.ca)
            with mock.patch.object(https, "PAUSES", (0.01,)):
                with mock.patch.object(imported, "_post", wraps=imported._post) as post:
                    self.assertFailed(imported.post_form(f"https://{server.host}{PATH}", [], []), "bad-response", "TLS")
            self.assertEqual((post.call_count, server.requests), (1, []))

    def test_a_certificate_of_another_name_is_refused(self):
        with Server(support.reply) as server:
            host = "127.0.0.1:" + server.host.partition(":")[2]
            imported = Https([host], "login.microsoftonline.com", server.ca)
            self.assertFailed(imported.post_form(f"https://{host}{PATH}", [], []), "bad-response", "TLS")

    def test_an_old_tls_is_refused(self):
        with Server(support.reply) as server:
            context = server.http.socket.context
            context.set_ciphers("ALL:@SECLEVEL=0")
            with warnings.catch_warnings(action="ignore"):
                context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
            self.assertFailed(self.post(server), "unreachable")
            self.assertEqual(server.requests, [])

    def test_a_proxy_passes_on_what_it_cannot_read(self):
        with Server(support.reply) as server, support.Proxy() as proxy:
            os.environ["HTTPS_PROXY"] = proxy.url
            self.assertEqual(self.post(server).status, 200)
            imported = Https([server.host], "login.microsoftonline.com", None)
            self.assertFailed(imported.post_form(f"https://{server.host}{PATH}", [], []), "bad-response", "TLS")
            self.assertEqual((proxy.connects, len(server.requests)), ([server.host] * 2, 1))
            os.environ["NO_PROXY"] = "localhost"
            self.assertEqual(self.post(server).status, 200)
            self.assertEqual(len(proxy.connects), 2)

    def test_a_closed_port_is_unreachable(self):
        with Server(support.reply) as server:
            host = server.host
        imported = Https([host], host, None)
        self.assertFailed(imported.post_form(f"https://{host}{PATH}", [], []), "unreachable")

    def test_an_authority_is_a_host(self):
        for text, host in [
            ("login.microsoftonline.com", "login.microsoftonline.com"),
            ("https://Login.Contoso.com/", "login.contoso.com"),
            ("localhost:8443", "localhost:8443"),
            ("login.contoso.com:443", "login.contoso.com"),
        ]:
            self.assertEqual(authority_host(text), host)
        for text in [
            "http://contoso.com",
            "*.contoso.com",
            "user@contoso.com",
            "contoso.com.",
            "a/b",
            "",
            "contoso.com:x",
        ]:
            with self.assertRaises(ValueError, msg=text):
                authority_host(text)
