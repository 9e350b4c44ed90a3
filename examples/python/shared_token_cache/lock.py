"""The lock file that writers of a cache share: `<cache file>.lockfile` beside it.

MSAL for Python and JavaScript create this file exclusively and remove it; .NET, Go and Python with
portalocker put an advisory lock on it. This lock does both, so it excludes all of them, and takes over
abandoned lock files only.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import time
from pathlib import Path
from typing import Any

# The time for which MSAL for Python polls.
PATIENCE = 5.0
PAUSE = 0.025

# An owner that is not visible may run in another container. A lock is held for milliseconds.
DEAD_IS_STALE_AFTER = 2.0
# A lock file without an owner may have been created just now.
ANONYMOUS_IS_STALE_AFTER = 60.0


class Locked(Exception):
    """Another program holds the lock."""


class Lock:
    def __init__(self, cache: Path) -> None:
        self._path = cache.with_name(cache.name + ".lockfile")
        self._descriptor = -1

    def __enter__(self) -> Lock:
        give_up = time.monotonic() + PATIENCE
        while not self._try():
            if time.monotonic() >= give_up:
                raise Locked
            time.sleep(PAUSE)
        return self

    def is_held(self) -> bool:
        """Whether the lock file is still ours; another program may have removed it."""
        return _is_at(self._descriptor, self._path)

    def __exit__(self, *_: Any) -> None:
        # Removed while it is locked, so that no program locks a file that is about to be removed.
        with contextlib.suppress(OSError):
            if self.is_held():
                os.unlink(self._path)
        os.close(self._descriptor)

    def _try(self) -> bool:
        flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        created = False
        try:
            self._descriptor = os.open(self._path, flags | os.O_CREAT | os.O_EXCL, 0o600)
            created = True
        except FileExistsError:
            try:
                self._descriptor = os.open(self._path, flags)
            except (FileNotFoundError, PermissionError):
                # Removed meanwhile, or another user's, whose program will remove it.
                return False
        taken = False
        try:
            taken = self._take(created)
        finally:
            if not taken:
                os.close(self._descriptor)
        return taken

    def _take(self, created: bool) -> bool:
        # Checks before it locks: a writer that has just created the file must find it unlocked.
        if not created and not _is_abandoned(self._descriptor):
            return False
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        # Another program may have written its owner, or removed the file, since the check.
        if not created and not _is_abandoned(self._descriptor):
            return False
        if not _is_at(self._descriptor, self._path):
            return False
        signature = f"{os.getpid()} shared-token-cache".encode()
        os.pwrite(self._descriptor, signature, 0)
        os.ftruncate(self._descriptor, len(signature))
        return True


def _is_abandoned(descriptor: int) -> bool:
    """Whether the owner of the lock file can't be running any more."""
    age = time.time() - os.fstat(descriptor).st_mtime
    holder = re.match(rb"([1-9][0-9]{0,8})(\s|$)", os.pread(descriptor, 24, 0))
    if not holder:
        return age > ANONYMOUS_IS_STALE_AFTER
    return age > DEAD_IS_STALE_AFTER and not _is_alive(int(holder[1]))


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # another user's process
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except FileNotFoundError:
        return False
