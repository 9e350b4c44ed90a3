"""Seconds of the first and of a warm get_token of azure-identity, and its versions: PATH USERNAME SCOPE."""
import statistics
import sys
import time
from importlib.metadata import version

import msal_extensions
from azure.identity import SharedTokenCacheCredential

path, username, scope = sys.argv[1:]


def timed(call):
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


# Where there is no keyring, azure-identity keeps its cache in such a file, which it looks at for each search.
cache = msal_extensions.PersistedTokenCache(msal_extensions.FilePersistence(path))
credential = SharedTokenCacheCredential(username=username, _cache=cache)
first = timed(lambda: credential.get_token(scope))
warm, end = [], time.perf_counter() + 10
while len(warm) < 3 or (len(warm) < 2000 and time.perf_counter() < end):
    warm.append(timed(lambda: credential.get_token(scope)))
print(first, statistics.median(warm))
print(f"azure-identity {version('azure-identity')}, msal {version('msal')}, Python {sys.version.split()[0]}")
