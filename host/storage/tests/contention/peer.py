"""Adds access tokens to a cache file through msal-extensions, one after the other, as `examples/writer.rs` does.

usage: peer.py CACHE ID --pause MILLISECONDS [--keep] [--as-it-is] [--when-told]

Prints `saved KEY MICROSECONDS` when MSAL has returned, so that the entry counts as saved. After
`die POINT` on the standard input it kills itself at that point of its next save; it stops at the
end of the input. With `--when-told` it saves once for each line of input.

At these points a kill loses nothing by MSAL's own design. It is never killed within its write: MSAL
opens the cache file with O_TRUNC and writes in place, so a kill there leaves an empty or half file,
and all tokens are lost, whatever other programs do.
"""
import argparse
import logging
import os
import random
import select
import signal
import sys
import time

import msal_extensions

AT = "AccessToken"


class Death:
    """Sends SIGKILL to this process at the requested point, so that no cleanup runs."""

    point = None

    def at(self, point):
        if point == self.point:
            os.kill(os.getpid(), signal.SIGKILL)


class Persistence(msal_extensions.FilePersistence):
    """MSAL's own class, whose `save` is called only by the holder of the lock."""

    def save(self, content):
        death.at("held")
        super().save(content)
        death.at("written")


class Unlocked(Exception):
    """MSAL with portalocker is about to write although it could not create the lock file."""


class Patience(logging.Handler):
    """Ends a save at the point where MSAL with portalocker would continue without the lock file.

    After 5 s MSAL logs that it could not create the lock file, and continues: it takes the advisory
    lock of a file that another program has created, which may use no advisory lock (MSAL without
    portalocker) or may be about to remove the file. Then both write at the same time and MSAL
    removes the other's lock file, so entries get lost. With `--as-it-is` the save continues.
    """

    def emit(self, record):
        if "failed to create lock file" in record.getMessage():
            if options.as_it_is:
                say("unlocked")
            else:
                raise Unlocked


def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def entry(number):
    return {
        "credential_type": AT, "secret": "at-%s-%d" % (options.id, number), "home_account_id": "uid1.contoso",
        "environment": "login.microsoftonline.com", "client_id": "04b07795-client", "realm": "contoso",
        "target": "%s-%d/.default" % (options.id, number), "token_type": "Bearer", "cached_at": "1", "expires_on": "2",
    }


def open_cache():
    return msal_extensions.PersistedTokenCache(Persistence(options.cache))


def told_to_stop(seconds):
    """Waits, and handles input meanwhile."""
    end = time.monotonic() + seconds
    while True:
        left = None if options.when_told else max(0, end - time.monotonic())
        if select.select([0], [], [], left)[0]:
            words = os.read(0, 64).decode().split()
            if not words:
                return True
            death.point = words[-1]
        elif not left:
            return False
        if options.when_told:
            return False


def main():
    cache, number = open_cache(), 0
    while not told_to_stop(random.random() * 2 * options.pause / 1000):
        # A long-running program keeps its cache and decides by the file's time whether to read it
        # again. With the coarse times of kernels before 6.13 it may miss a write of another MSAL
        # within 4 ms. A program that starts for each call, such as the Azure CLI, cannot.
        cache = cache if options.keep else open_cache()
        token, started = entry(number), time.monotonic()
        death.at("before")
        try:
            cache.modify(AT, token, token)
        except (Unlocked, msal_extensions.LockError):
            say("gave-up")
            continue
        except Exception as error:  # pylint: disable=broad-except
            say("error", type(error).__name__, error)
            time.sleep(0.1)  # A damaged file stays damaged.
            continue
        took = time.monotonic() - started
        death.at("released")
        say("saved", cache.key_makers[AT](**token), int(took * 1e6))
        number += 1


parser = argparse.ArgumentParser()
parser.add_argument("cache")
parser.add_argument("id")
parser.add_argument("--pause", type=float, required=True)
parser.add_argument("--keep", action="store_true")
parser.add_argument("--as-it-is", action="store_true")
parser.add_argument("--when-told", action="store_true")
options = parser.parse_args()
death = Death()
logging.getLogger("msal_extensions.cache_lock").addHandler(Patience())
main()
