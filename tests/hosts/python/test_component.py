"""The component in wasmtime-py: threads, limits, and exceptions raised by imports."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import support
from support import CACHED, COMPONENT, NEW, VAULT, Server

from azure.core.exceptions import ClientAuthenticationError
from shared_token_cache import CredentialUnavailableError, SharedTokenCacheCredential, component, wasmtime_results
from shared_token_cache.component import IMPORTS, NAME, Component


class ComponentTest(support.HomeTest):
    def setUp(self):
        super().setUp()
        self.write(support.sign_in())

    def credential(self, **options):
        return self.enterContext(SharedTokenCacheCredential(component=COMPONENT, authority="localhost:9", **options))

    def broken(self, interface, function, act):
        credential = self.credential()
        credential._imports[interface][function] = act
        return credential

    def test_the_component_imports_what_is_linked_and_nothing_else(self):
        loaded = Component.load(COMPONENT)
        imported = loaded._compiled.type.imports(loaded._engine)
        self.assertEqual(sorted(imported), sorted(NAME.format(interface) for interface in IMPORTS))

    def test_it_is_compiled_once(self):
        self.assertIs(Component.load(COMPONENT), Component.load(str(COMPONENT)))

    def test_a_cached_token_is_served_again_and_after_close(self):
        credential = self.credential()
        for _ in range(2):
            self.assertEqual(credential.get_token(VAULT), (CACHED, support.FAR))
        self.assertEqual(len(credential._idle), 1)
        credential.close()
        self.assertEqual(credential.get_token(VAULT).token, CACHED)

    def test_an_error_does_not_cost_the_instance(self):
        self.cache.unlink()
        credential = self.credential()
        for _ in range(2):
            with self.assertRaises(CredentialUnavailableError) as caught:
                credential.get_token(VAULT)
            self.assertEqual(caught.exception.reason, "no-accounts")
            self.assertIn(str(self.cache), caught.exception.message)
        self.assertEqual(len(credential._idle), 1)

    def test_options_select_the_account(self):
        self.assertEqual(self.credential(username="USER0@contoso.com").get_token(VAULT).token, CACHED)
        for options in [{"username": "user1@contoso.com"}, {"tenant_id": "fabrikam.com"}]:
            with self.assertRaises(CredentialUnavailableError) as caught:
                self.credential(**options).get_token(VAULT)
            self.assertEqual(caught.exception.reason, "no-matching-account")

    def test_azure_identitys_own_options_are_understood(self):
        from azure.identity import AuthenticationRecord, TokenCachePersistenceOptions

        options = TokenCachePersistenceOptions(name="other", allow_unencrypted_storage=True)
        self.write(support.sign_in(), self.home / ".IdentityService/other.nocae")
        self.cache.unlink()
        self.assertEqual(self.credential(cache_persistence_options=options).get_token(VAULT).token, CACHED)
        # As in azure-identity, plain text needs permission.
        options = TokenCachePersistenceOptions(name="other")
        with self.assertRaises(CredentialUnavailableError):
            self.credential(cache_persistence_options=options).get_token(VAULT)

        record = AuthenticationRecord(
            "utid-00000000", support.CLIENT, "localhost:9", support.HOME_ACCOUNT_ID, "user0@contoso.com"
        )
        self.write(support.sign_in())
        self.assertEqual(self.credential(authentication_record=record).get_token(VAULT).token, CACHED)

    def test_threads_have_an_instance_each_and_wait_for_their_turn(self):
        together, most, lock = 0, 0, threading.Lock()

        def respond(_):
            nonlocal together, most
            with lock:
                together += 1
                most = max(most, together)
            time.sleep(0.3)
            with lock:
                together -= 1
            return support.reply()

        with Server(respond) as server:
            credential = SharedTokenCacheCredential(component=COMPONENT, authority=server.host, ca_file=server.ca)
            with ThreadPoolExecutor(20) as pool:
                # Claims rule out the cached token, so each call sends a request.
                found = list(pool.map(lambda _: credential.get_token(VAULT, claims="{}").token, range(20)))
            self.assertEqual((found, len(server.requests)), ([NEW] * 20, 20))
            self.assertTrue(2 <= most <= 8, most)
            self.assertLessEqual(len(credential._idle), 8)

    def test_credentials_in_threads_have_imports_of_their_own(self):
        # Only one of the two is granted the authority.
        with Server(support.reply) as server:
            options = {"component": COMPONENT, "authority": server.host, "ca_file": server.ca}
            free = SharedTokenCacheCredential(**options)
            bound = SharedTokenCacheCredential(**options, allowed_authorities=[])

            def ask(number):
                try:
                    return [free, bound][number % 2].get_token(VAULT, claims="{}").token
                except ClientAuthenticationError as error:
                    return type(error).__name__

            with ThreadPoolExecutor(8) as pool:
                found = list(pool.map(ask, range(40)))
            self.assertEqual(found, [NEW, "DeniedError"] * 20)

    def test_one_thread_at_a_time_is_in_wasmtime_py(self):
        lower, inside, most = wasmtime_results._lower_as_ever, 0, 0

        def watched(*arguments):
            nonlocal inside, most
            inside += 1
            most = max(most, inside)
            time.sleep(0.001)
            try:
                return lower(*arguments)
            finally:
                inside -= 1

        credential = self.credential()
        with mock.patch.object(wasmtime_results, "_lower_as_ever", watched), ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _: credential.get_token(VAULT).token, range(40)))
        self.assertEqual((found, most), ([CACHED] * 40, 1))

    def test_an_import_may_use_a_credential_itself(self):
        # A logging handler that sends lines to Azure does so. Afterwards the component's imports
        # are its own again.
        inner, outer, used = self.credential(), self.credential(), []
        outer._imports["log"]["write"] = lambda *_: used.append(inner.get_token(VAULT).token)
        outer._imports["clock"]["now"] = mock.Mock(return_value=1_800_000_000)
        self.assertEqual(outer.get_token(VAULT).token, CACHED)
        self.assertIn(CACHED, used)
        outer._imports["clock"]["now"].assert_called()

    def test_what_an_import_raises_arrives_and_the_next_call_is_good(self):
        for raised in (KeyError("broken"), KeyboardInterrupt()):
            act = mock.Mock(side_effect=[raised, 1_800_000_000, 1_800_000_000, 1_800_000_000])
            credential = self.broken("clock", "now", act)
            with self.assertRaises(type(raised)):
                credential.get_token(VAULT)
            self.assertEqual(credential._idle, [])
            self.assertEqual(credential.get_token(VAULT).token, CACHED)

    def test_a_component_that_computes_without_end_is_stopped(self):
        with mock.patch.object(component, "MOST_INSTRUCTIONS", 1_000):
            credential = self.credential()
            with self.assertRaisesRegex(ClientAuthenticationError, "fuel"):
                credential.get_token(VAULT)
        self.assertEqual(credential.get_token(VAULT).token, CACHED)

    def test_every_call_may_compute_as_much(self):
        with mock.patch.object(component, "MOST_INSTRUCTIONS", 3_000_000):
            credential = self.credential()
            for _ in range(300):
                self.assertEqual(credential.get_token(VAULT).token, CACHED)

    def test_a_component_that_asks_without_end_is_stopped(self):
        with mock.patch.object(component, "MOST_IMPORT_CALLS", 1):
            with self.assertRaisesRegex(ClientAuthenticationError, "without end"):
                self.credential().get_token(VAULT)

    def test_a_component_has_no_more_memory_than_it_may_have(self):
        with mock.patch.object(component, "MOST_MEMORY", 1 << 16), self.assertRaisesRegex(Exception, "memory"):
            self.credential().get_token(VAULT)

    def test_a_wrong_type_is_reported_and_harmless(self):
        credential = self.credential()
        with self.assertRaises(TypeError):
            credential.get_token(5)
        self.assertEqual(credential.get_token(VAULT).token, CACHED)

    def test_lines_of_the_log_stay_lines(self):
        from shared_token_cache.imports import _write

        with self.assertLogs("shared_token_cache") as logs:
            _write("warn", "one\ntwo\x1b[2J" + "x" * 5000)
        self.assertNotIn("\n", logs.records[0].getMessage())
        self.assertNotIn("\x1b", logs.records[0].getMessage())
        self.assertEqual(len(logs.records[0].getMessage()), 2000)
