"""Tries from inside the sandbox what it must not be able to do. Prints a line for each attempt.

    python probe.py < SETTINGS

The settings are JSON: `absent`, paths of the host that must not be there; `marks`, beginnings of
secrets that no readable file or variable may have; `port`, a port that listens on the host's
loopback; `scope`, a scope of another profile. The exit code is 1 if one of the attempts succeeds.
"""

import errno
import http.client
import json
import logging
import os
import pathlib
import socket
import sys
import urllib.parse

from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ManagedIdentityCredential

SETTINGS = json.load(sys.stdin)
# Programs and pseudo files; the rest of the file system is searched.
NOT_SEARCHED = ["/proc", "/sys", "/dev", "/usr", sys.base_prefix, sys.prefix]

failed = False


def attempt(what, refusal):
    """Prints an attempt. `refusal` says how it was refused; `None` if it was not."""
    global failed
    failed = failed or refusal is None
    print(f"  ok      {what}: {refusal}" if refusal else f"  FAILED  {what}: possible", flush=True)


def files(folder):
    """Every file below a folder that is searched."""
    for entry in os.scandir(folder):
        if entry.path in NOT_SEARCHED or entry.is_symlink():
            continue
        if entry.is_dir():
            yield from files(entry.path)
        elif entry.is_file():
            yield pathlib.Path(entry.path)


def secrets():
    """What holds a mark of a secret, and how many things were searched."""
    marks = [mark.encode() for mark in SETTINGS["marks"]]
    # A process of the host in /proc would show its variables.
    processes = [pathlib.Path("/proc") / name for name in os.listdir("/proc") if name.isdigit()]
    searched = [*files("/"), *(process / part for process in processes for part in ("environ", "cmdline"))]
    found = []
    for path in searched:
        try:
            content = path.read_bytes()
        except OSError:
            continue
        found += [path for mark in marks if mark in content]
    return found, len(searched), len(processes)


def status(key, scope):
    """The broker's answer to a request as App Service's clients make it."""
    endpoint = urllib.parse.urlsplit(os.environ["IDENTITY_ENDPOINT"])
    query = {"api-version": "2019-08-01", "resource": scope.removesuffix("/.default")}
    connection = http.client.HTTPConnection(endpoint.netloc, timeout=30)
    path = f"{endpoint.path}?{urllib.parse.urlencode(query)}"
    connection.request("GET", path, headers={"X-IDENTITY-HEADER": key})
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read()).get("message", "")


def refused(expected, answer):
    number, message = answer
    return f"{number}, {message}" if number == expected else None


def unreachable(address):
    try:
        socket.create_connection(address, timeout=3).close()
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
    return None


def main():
    # The refusals are printed below.
    logging.disable()
    for path in SETTINGS["absent"]:
        attempt(f"read {path}", None if pathlib.Path(path).exists() else "there is no such file")
    found, count, processes = secrets()
    where = f"none in {count} files and variables of {processes} processes"
    attempt("find a refresh token, or a token of another profile", None if found else where)

    key, scope = os.environ["IDENTITY_HEADER"], SETTINGS["scope"]
    attempt(f"get a token for {scope}", refused(403, status(key, scope)))
    try:
        ManagedIdentityCredential().get_token(scope)
        refusal = None
    except ClientAuthenticationError as error:
        refusal = f"{type(error).__name__}" if "403" in str(error) else None
    attempt("get it with ManagedIdentityCredential", refusal)
    own = "https://storage.azure.com/.default"
    attempt("get a token with a wrong key", refused(401, status("0" * len(key), own)))

    interfaces = [name for _, name in socket.if_nameindex()]
    attempt("use a network interface", "there is only lo" if interfaces == ["lo"] else None)
    if interfaces != ["lo"]:
        # The rest would send packets to a network.
        sys.exit(1)
    attempt("reach another service of the host", unreachable(("127.0.0.1", SETTINGS["port"])))
    attempt("reach an address of the internet", unreachable(("192.0.2.1", 443)))
    attempt("reach login.microsoftonline.com", unreachable(("login.microsoftonline.com", 443)))
    sys.exit(1 if failed else 0)


main()
