"""A storage account with one blob, over TLS at a Unix socket: the stand-in for Azure Storage.

    python storage.py SOCKET CERTIFICATE < SETTINGS

It writes its certificate to the file, and a line for each request to stdout. The settings are JSON:
`host`, the account's host name; `path` and `content`, the blob; `token`, the access token that opens it.
They come by stdin, because every user of the machine can read command lines.
"""

import hmac
import http.server
import json
import pathlib
import socketserver
import sys

from tls import certificate

SETTINGS = json.load(sys.stdin)
CONTENT = SETTINGS["content"].encode()


class Blob(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        sent = self.headers.get("Authorization", "")
        if not hmac.compare_digest(sent.encode(), f"Bearer {SETTINGS['token']}".encode()):
            self.answer(403, b"<Error><Code>AuthenticationFailed</Code></Error>", "another token")
        elif self.path != SETTINGS["path"] or self.headers.get("Host", "").split(":")[0] != SETTINGS["host"]:
            self.answer(404, b"<Error><Code>BlobNotFound</Code></Error>", "the token")
        else:
            self.answer(206, CONTENT, "the token")

    def answer(self, status, body, what):
        print(f"{self.path} {status}: {what}", flush=True)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Range", f"bytes 0-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Type", "text/plain" if status == 206 else "application/xml")
        self.send_header("ETag", '"0x1"')
        self.send_header("Last-Modified", "Sat, 28 Nov 2026 00:00:00 GMT")
        self.send_header("x-ms-blob-type", "BlockBlob")
        self.send_header("x-ms-version", "2026-02-06")
        self.end_headers()
        self.wfile.write(body)

    def address_string(self):
        return "a Unix socket"

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def get_request(self):
        connection, _ = super().get_request()
        # The handshake is in the connection's own thread.
        return CONTEXT.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), ("", 0)

    def handle_error(self, request, client_address):
        print(f"a connection failed: {sys.exc_info()[1]}", flush=True)


CONTEXT = certificate([SETTINGS["host"]], pathlib.Path(sys.argv[2]))
with Server(sys.argv[1], Blob) as server:
    print("ready", flush=True)
    server.serve_forever()
