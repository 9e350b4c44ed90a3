"""The import `cache-file`: one file of the user's own, read as it is and replaced as a whole."""

from __future__ import annotations

import errno
import logging
import os
import re
import secrets
import stat
import sys
import time
from pathlib import Path
from typing import Any

from .component import record
from .lock import Lock, Locked
from .wasmtime_results import Failure

_LOGGER = logging.getLogger("shared_token_cache")

# Some 3,000 accounts.
LARGEST = 16 << 20
# Tools that write in place leave a truncated file for a moment. A file older than this is complete.
JUST_WRITTEN = 2.0
TORN_READ_PATIENCE = 1.0
PAUSE = 0.02
# File times have a granularity of up to 4 ms, and two writes within it look the same.
TICK = 0.01

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}\.(no)?cae")


class CacheFile:
    def __init__(self, source: str) -> None:
        if source not in ("shared", "azure-cli"):
            raise ValueError(f"{source!r} is no source; there are 'shared' and 'azure-cli'")
        self._source = source

    def supported(self) -> bool:
        # On other platforms the shared cache is in the Keychain or encrypted by Windows.
        return sys.platform == "linux" or (sys.platform == "darwin" and self._source == "azure-cli")

    def read(self, name: str, known_version: str | None) -> Any:
        """None if the document is at the known version, else the document or an error."""
        if not _NAME.fullmatch(name):
            return Failure("denied", f"{name!r} is not the name of a cache")
        path = self._path(name)
        try:
            document = _read(path, known_version)
        except FileNotFoundError:
            return Failure("not-found", f"file {path}")
        except OSError as error:
            return Failure("failed", f"{path} can't be read: {_why(error)}")
        if document is None:
            return None
        version, content = document
        try:
            text = content.decode()
        except UnicodeDecodeError as error:
            line_start = content.rfind(b"\n", 0, error.start) + 1
            line = content.count(b"\n", 0, error.start) + 1
            return Failure("not-utf8", record(line=line, column=error.start - line_start + 1))
        return record(version=version, content=text, unencrypted=f"in the file {path}")

    def replace(self, name: str, expected_version: str, document: str) -> Any:
        """The new version, or an error if the document is unchanged."""
        content = document.encode()
        if not _NAME.fullmatch(name):
            return Failure("denied", f"{name!r} is not the name of a cache")
        if len(content) > LARGEST:
            return Failure("denied", f"a cache may have {LARGEST} bytes")
        path = self._path(name)
        try:
            return _replace(path, expected_version, content)
        except (_Conflict, FileNotFoundError):
            return Failure("conflict")
        except Locked:
            return Failure("locked")
        except OSError as error:
            denied = error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
            return Failure("denied" if denied else "failed", f"{path} can't be replaced: {_why(error)}")

    def _path(self, name: str) -> Path:
        if self._source == "azure-cli":
            folder = os.environ.get("AZURE_CONFIG_DIR")
            return (Path(folder) if folder else Path.home() / ".azure") / "msal_token_cache.json"
        return Path.home() / ".IdentityService" / name


def _read(path: Path, known_version: str | None) -> tuple[str, bytes] | None:
    give_up = time.monotonic() + TORN_READ_PATIENCE
    while True:
        last = time.monotonic() >= give_up
        with open(path, "rb", opener=_open) as file:
            before = os.fstat(file.fileno())
            _inspect(path, before)
            if _version(before) == known_version:
                return None
            if _is_younger(before, TICK):
                time.sleep(TICK)
                before = os.fstat(file.fileno())
            settled = not _is_younger(before, TICK)
            content = file.read(LARGEST + 1)
            after = os.fstat(file.fileno())
        same = settled and _version(before) == _version(after)
        # Writers write from the front, so a truncated JSON object has no closing brace.
        whole = content.rstrip().endswith(b"}") or not _is_younger(after, JUST_WRITTEN)
        # A document that stays truncated is damaged, which the component reports.
        if same and (whole or last):
            return _version(after), content
        if last:
            raise OSError(errno.EBUSY, "another program keeps writing it")
        time.sleep(PAUSE)


def _open(path: str, flags: int) -> int:
    """Neither follows a symbolic link nor blocks on a FIFO."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _inspect(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file")
    if status.st_uid != os.geteuid():
        raise OSError(errno.EPERM, "it belongs to another user")
    if status.st_size > LARGEST:
        raise OSError(errno.EFBIG, f"it has {status.st_size} bytes, and {LARGEST} are allowed")
    if status.st_mode & 0o077:
        _LOGGER.warning("%s may be used by other users; run `chmod 600` on it", path)


def _replace(path: Path, expected_version: str, document: bytes) -> str:
    _expect(path, expected_version)
    # A read-only file is not replaced: its owner made it so on purpose.
    if not os.access(path, os.W_OK):
        raise OSError(errno.EACCES, "it is read-only")
    with Lock(path) as lock:
        # The Rust host finds and removes a killed writer's temporary files by this name.
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with open(descriptor, "wb") as file:
                file.write(document)
                file.flush()
                os.fsync(descriptor)
                # MSAL reads again when a file's time is later than its last read. The kernel's time
                # lags behind the clock.
                os.utime(descriptor, ns=(time.time_ns(), time.time_ns()))
                version = _version(os.fstat(descriptor))
            # Tools without this lock may have written in between, or have removed this lock after a
            # timeout.
            _expect(path, expected_version)
            if not lock.is_held():
                raise _Conflict
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    _sync(path.parent)
    return version


def _expect(path: Path, version: str) -> None:
    if _version(os.lstat(path)) != version:
        raise _Conflict


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError:
        pass  # not supported by some file systems; the document has been replaced all the same
    finally:
        os.close(descriptor)


def _version(status: os.stat_result) -> str:
    return f"{status.st_mtime_ns:x}.{status.st_size:x}.{status.st_ino:x}"


def _is_younger(status: os.stat_result, seconds: float) -> bool:
    # A time in the future was not set by the kernel, so it is not compared.
    return 0 <= time.time() - status.st_mtime_ns / 1e9 < seconds


def _why(error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return "it is a symbolic link, which is not followed"
    return error.strerror or str(error)


class _Conflict(Exception):
    """The file is no longer at the version that was read."""
