"""Runs a command beside forwarders from ports of 127.0.0.1 to Unix sockets.

    python forward.py PORT=SOCKET... -- COMMAND [ARGUMENT...]

A sandbox without a network has a loopback interface of its own, and Azure SDKs cannot use a Unix
socket. Nothing is read or changed on the way. The exit code is the command's.
"""

import pathlib
import socket
import subprocess
import sys
import threading


def copy(source, target):
    """Copies until the end of `source`, and tells `target` about that end."""
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    try:
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def connect(client, path):
    with client, socket.socket(socket.AF_UNIX) as server:
        try:
            server.connect(path)
        except OSError as error:
            print(f"forward: {path}: {error}", file=sys.stderr)
            return
        upwards = threading.Thread(target=copy, args=(client, server), daemon=True)
        upwards.start()
        copy(server, client)
        upwards.join()


def serve(listener, path):
    while True:
        client, _ = listener.accept()
        threading.Thread(target=connect, args=(client, path), daemon=True).start()


def main():
    split = sys.argv.index("--")
    for rule in sys.argv[1:split]:
        port, path = rule.split("=", 1)
        if not pathlib.Path(path).is_socket():
            sys.exit(f"forward: {path} is no socket")
        listener = socket.create_server(("127.0.0.1", int(port)))
        threading.Thread(target=serve, args=(listener, path), daemon=True).start()
    sys.exit(subprocess.run(sys.argv[split + 1 :], check=False).returncode)


main()
