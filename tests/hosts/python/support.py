"""Fixtures of the example's tests: TLS servers on loopback, homes with made-up sign-ins."""

import base64
import contextlib
import datetime
import json
import os
import socket
import socketserver
import ssl
import sys
import tempfile
import threading
import unittest
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest import mock

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples/python"
COMPONENT = ROOT / "target/dist/shared-token-cache.wasm"
sys.path.insert(0, str(EXAMPLE))

VAULT = "https://vault.azure.net/.default"
WORDS = json.loads((ROOT / "entra/words.json").read_text(encoding="utf-8"))
CLIENT = WORDS["azure_cli_client"]
HOME_ACCOUNT_ID = "uid-00000000.utid-00000000"
FAR = 4_102_444_800
CACHED, REFRESH = "at-made-up-secret-cached", "rt-made-up-secret"
NEW, NEW_REFRESH = "at-made-up-secret-new", "rt-made-up-secret-new"


class Server:
    """A loopback server with its own CA. `respond` maps requests to status, header, body."""

    def __init__(self, respond):
        self.requests = []
        self.folder = tempfile.TemporaryDirectory()
        self.ca = Path(self.folder.name, "ca.pem")
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = {"path": self.path, "headers": headers, "form": dict(urllib.parse.parse_qsl(body))}
                server.requests.append(request)
                found = respond(request)
                if callable(found):
                    return found(self)
                status, header, content = found
                self.send_response(status)
                for name, value in header.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        # Some tests close the connection early; that is no error.
        self.http.handle_error = lambda *_: None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate(Path(self.folder.name)))
        self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def host(self):
        return f"localhost:{self.http.server_address[1]}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()
        self.folder.cleanup()


def certificate(folder):
    """Makes a CA and a certificate for localhost; returns the file of certificate and key."""
    day, now = datetime.timedelta(days=1), datetime.datetime.now(datetime.timezone.utc)

    def signed(name, key, issuer, issuer_key, *extensions):
        builder = x509.CertificateBuilder(
            issuer, name, key.public_key(), x509.random_serial_number(), now - day, now + day
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(issuer_key, hashes.SHA256())

    def pem(certificate):
        return certificate.public_bytes(serialization.Encoding.PEM)

    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name, name = (x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)]) for text in ("CA", "localhost"))
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    ca = signed(ca_name, ca_key, ca_name, ca_key, (x509.BasicConstraints(True, None), True), (usage, True))
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    own = signed(name, key, ca_name, ca_key, (names, False))
    (folder / "ca.pem").write_bytes(pem(ca))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "own.pem").write_bytes(private + pem(own))
    return folder / "own.pem"


def sign_in(expires_on=FAR):
    """A cache with one account, its refresh token, and an access token for the vault."""
    access_token = {
        "credential_type": "AccessToken",
        "secret": CACHED,
        "home_account_id": HOME_ACCOUNT_ID,
        "environment": "localhost",
        "client_id": CLIENT,
        "target": VAULT,
        "realm": "utid-00000000",
        "token_type": "Bearer",
        "cached_at": "1700000000",
        "expires_on": str(expires_on),
        "extended_expires_on": str(expires_on),
    }
    refresh_token = {
        "credential_type": "RefreshToken",
        "secret": REFRESH,
        "home_account_id": HOME_ACCOUNT_ID,
        "environment": "localhost",
        "client_id": CLIENT,
        "target": "",
        "family_id": "1",
    }
    account = {
        "home_account_id": HOME_ACCOUNT_ID,
        "environment": "localhost",
        "realm": "utid-00000000",
        "local_account_id": "uid-00000000",
        "username": "user0@contoso.com",
        "authority_type": "MSSTS",
    }
    return {
        "AccessToken": {f"{HOME_ACCOUNT_ID}-localhost-accesstoken-{CLIENT}-utid-00000000-{VAULT}": access_token},
        "RefreshToken": {f"{HOME_ACCOUNT_ID}-localhost-refreshtoken-{CLIENT}--": refresh_token},
        "Account": {f"{HOME_ACCOUNT_ID}-localhost-utid-00000000": account},
        "Unknown": {"kept": [1, "ü"]},
    }


def reply(_=None):
    """An authority's response to a redeemed refresh token."""
    client_info = base64.urlsafe_b64encode(b'{"uid":"uid-00000000","utid":"utid-00000000"}').decode().rstrip("=")
    fields = {
        "token_type": "Bearer",
        "expires_in": 3600,
        "access_token": NEW,
        "refresh_token": NEW_REFRESH,
        "foci": "1",
        "client_info": client_info,
    }
    return 200, {"content-type": "application/json"}, json.dumps(fields).encode()


class Proxy:
    """A proxy on loopback that serves CONNECT and records its requests."""

    def __init__(self):
        self.connects = connects = []

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                request = self.rfile.readline().decode()
                connects.append(request.split()[1])
                while self.rfile.readline().strip():
                    pass
                host, _, port = connects[-1].partition(":")
                with socket.create_connection((host, int(port))) as server:
                    self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
                    threading.Thread(target=self.copy, args=(self.connection, server), daemon=True).start()
                    self.copy(server, self.connection)

            @staticmethod
            def copy(source, target):
                with contextlib.suppress(OSError):
                    while data := source.recv(65536):
                        target.sendall(data)

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class HomeTest(unittest.TestCase):
    """A test with a home folder of its own, and no variables for authorities and proxies."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.home = Path(folder.name)
        self.enterContext(mock.patch.dict(os.environ, HOME=folder.name))
        for name in list(os.environ):
            if name.startswith("AZURE_") or name.lower().endswith("_proxy"):
                del os.environ[name]
        self.cache = self.home / ".IdentityService/msal.cache.nocae"

    def write(self, document, path=None):
        path = path or self.cache
        path.parent.mkdir(exist_ok=True)
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        path.chmod(0o600)

    def read(self):
        return json.loads(self.cache.read_text())

    def beside(self):
        return sorted(path.name for path in self.cache.parent.iterdir() if path != self.cache)
