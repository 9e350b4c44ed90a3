"""Services of Azure on loopback, for clients that use them by an HTTPS proxy.

    python cloud.py CERTIFICATE REPOSITORY < TOKENS

It answers `CONNECT` for the hosts below itself, over TLS with a certificate that it writes to the
file, and refuses every other host. `localhost` is a cluster's API server, at a port of its own. The
first line on stdout has both ports, and each further one a request: method, host, path, status, and
how the token came. TOKENS is a JSON object: the access token that each host accepts. REPOSITORY is a git repository, served as `/contoso/_git/demo`.
"""

import base64
import http.server
import json
import pathlib
import subprocess
import sys
import threading
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "examples/sandbox"))
from tls import certificate

TOKENS = json.load(sys.stdin)
REPOSITORY = sys.argv[2]
TENANT, SUBSCRIPTION = "11111111-2222-3333-4444-555555555555", "00000000-0000-0000-0000-000000000001"
LIST = {
    "/subscriptions": [
        {
            "id": f"/subscriptions/{SUBSCRIPTION}",
            "subscriptionId": SUBSCRIPTION,
            "tenantId": TENANT,
            "displayName": "Contoso",
            "state": "Enabled",
        }
    ],
    f"/subscriptions/{SUBSCRIPTION}/resourcegroups": [
        {"id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/demo", "name": "demo", "location": "westeurope"}
    ],
}


def log(*words):
    print(*words, flush=True)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    host = None

    def do_CONNECT(self):
        host, _, port = self.path.rpartition(":")
        if host not in TOKENS or port != "443":
            log("CONNECT", self.path, "refused")
            self.send_error(502)
            return
        self.send_response(200)
        self.end_headers()
        # Python sends CONNECT as HTTP/1.0, which would close the connection.
        self.host, self.close_connection = host, False
        self.connection = CONTEXT.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", 0)

    def do_GET(self):
        if self.host is None:
            log("GET", self.path, "refused: a request in plain text")
            self.send_error(502)
            return
        path, _, query = self.path.partition("?")
        how = self.token()
        if how is None:
            self.answer(401, b"{}", "application/json", "no token or another one")
        elif self.host == "dev.azure.com" and path == "/contoso/_git/demo/info/refs":
            assert query == "service=git-upload-pack", query
            command = ["git", "upload-pack", "--http-backend-info-refs", REPOSITORY]
            refs = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
            kind = "application/x-git-upload-pack-advertisement"
            self.answer(200, b"001e# service=git-upload-pack\n0000" + refs, kind, how)
        elif self.host == "management.azure.com" and path in LIST:
            self.answer(200, json.dumps({"value": LIST[path]}).encode(), "application/json", how)
        elif self.host == "contoso.blob.core.windows.net" and path == "/data/hello.txt" and not query:
            self.answer(200, b"The blob.\n", "text/plain", how)
        else:
            self.answer(404, b"{}", "application/json", how)

    do_HEAD = do_GET

    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        good = form.get("access_token") == [TOKENS.get(self.host)] and form.get("service") == [self.host]
        if self.path != "/oauth2/exchange" or form.get("grant_type") != ["access_token"] or not good:
            self.answer(401, b"{}", "application/json", "no token or another one")
        else:
            body = json.dumps({"refresh_token": f"token-of-{self.host}"}).encode()
            self.answer(200, body, "application/json", "a form")

    def token(self):
        """How the right token came; `None` without it."""
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        if kind == "Basic":
            value = base64.b64decode(value).decode().partition(":")[2]
        return kind if value == TOKENS[self.host] else None

    def answer(self, status, body, kind, how):
        log(self.command, self.host, self.path, status, how)
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", 'Bearer authorization_uri="https://localhost"')
            self.send_header("WWW-Authenticate", 'Basic realm="contoso"')
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if self.host == "contoso.blob.core.windows.net":
            self.send_header("ETag", '"0x1"')
            self.send_header("Last-Modified", "Sat, 28 Nov 2026 00:00:00 GMT")
            self.send_header("x-ms-blob-type", "BlockBlob")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


class Cluster(http.server.BaseHTTPRequestHandler):
    """The API server of a cluster."""

    def do_GET(self):
        good = self.headers.get("Authorization") == f"Bearer {TOKENS['localhost']}"
        log("GET", "cluster", self.path, 200 if good else 401, "Bearer" if good else "no token or another one")
        body = json.dumps({"gitVersion": "v1.32.0-contoso"} if good else {}).encode()
        self.send_response(200 if good else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


CONTEXT = certificate(list(TOKENS), pathlib.Path(sys.argv[1]))
proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
cluster = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Cluster)
cluster.socket = CONTEXT.wrap_socket(cluster.socket, server_side=True)
log(f"ready {proxy.server_port} {cluster.server_port}")
threading.Thread(target=cluster.serve_forever, daemon=True).start()
proxy.serve_forever()
