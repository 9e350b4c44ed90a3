"""The cache file shared with other programs: reads, replacements, locks."""

import fcntl
import json
import os
import subprocess
import sys
import threading
import time
from unittest import mock

import support

from msal_extensions import CrossPlatLock
from shared_token_cache import cache_file, lock
from shared_token_cache.cache_file import CacheFile
from shared_token_cache.lock import Lock, Locked

NAME = "msal.cache.nocae"


class FileTest(support.HomeTest):
    """A test with a cache in its place."""

    def setUp(self):
        super().setUp()
        self.files = CacheFile("shared")
        self.write({"a": 1})
        self.lockfile = self.cache.with_name(NAME + ".lockfile")

    def version(self):
        return self.files.read(NAME, None).version

    def age(self, path, seconds):
        os.utime(path, (time.time() - seconds,) * 2)

    def assertFailed(self, result, tag, *words):
        self.assertEqual(getattr(result, "tag", result), tag)
        for word in words:
            self.assertIn(word, result.payload)


class CacheFileTest(FileTest):
    def test_a_document_is_read_once_for_each_version(self):
        document = self.files.read(NAME, None)
        self.assertEqual(document.content, '{"a": 1}')
        self.assertIn(str(self.cache), document.unencrypted)
        self.assertIsNone(self.files.read(NAME, document.version))
        self.write({"a": 2})
        self.assertEqual(self.files.read(NAME, document.version).content, '{"a": 2}')

    def test_a_file_is_read_when_a_later_write_would_show(self):
        # A write within the granularity of the file system's clock does not change the modification
        # time.
        sleep, slept, now = time.sleep, [], time.time_ns()
        os.utime(self.cache, ns=(now, now))

        def another_write(seconds):
            slept.append(seconds)
            if len(slept) > 1:
                return sleep(seconds)
            self.write({"a": 2})
            later = time.time_ns()
            os.utime(self.cache, ns=(later, later))

        with mock.patch("time.sleep", another_write):
            self.assertEqual(self.files.read(NAME, None).content, '{"a": 2}')
        self.assertGreater(time.time() - self.cache.stat().st_mtime, cache_file.TICK)

    def test_a_replacement_is_a_new_private_file(self):
        version, inode = self.version(), self.cache.stat().st_ino
        new = self.files.replace(NAME, version, '{"a": 2}')
        self.assertEqual((self.read(), self.version()), ({"a": 2}, new))
        self.assertNotEqual(self.cache.stat().st_ino, inode)
        self.assertEqual((self.cache.stat().st_mode & 0o777, self.beside()), (0o600, []))

    def test_a_replacement_is_private_whatever_the_umask(self):
        before = os.umask(0)
        self.addCleanup(os.umask, before)
        self.cache.chmod(0o644)
        with self.assertLogs("shared_token_cache"):
            self.files.replace(NAME, self.version(), "{}")
        self.assertEqual(self.cache.stat().st_mode & 0o777, 0o600)

    def test_a_document_that_has_changed_is_not_replaced(self):
        version = self.version()
        self.write({"a": 3})
        self.assertFailed(self.files.replace(NAME, version, "{}"), "conflict")
        self.assertEqual((self.read(), self.beside()), ({"a": 3}, []))
        self.cache.unlink()
        self.assertFailed(self.files.replace(NAME, version, "{}"), "conflict")
        self.assertEqual(self.beside(), [])

    def test_a_document_that_changes_while_its_replacement_is_written_stays(self):
        version = self.version()
        with mock.patch("os.fsync", side_effect=lambda _: self.write({"other": 1})):
            self.assertFailed(self.files.replace(NAME, version, "{}"), "conflict")
        self.assertEqual((self.read(), self.beside()), ({"other": 1}, []))

    def test_a_lock_that_was_taken_away_while_writing_is_not_relied_upon(self):
        version = self.version()
        with mock.patch("os.fsync", side_effect=lambda _: self.lockfile.unlink()):
            self.assertFailed(self.files.replace(NAME, version, "{}"), "conflict")
        self.assertEqual((self.read(), self.beside()), ({"a": 1}, []))

    def test_a_failed_write_leaves_nothing_behind(self):
        version = self.version()
        with mock.patch("os.fsync", side_effect=OSError(28, "No space left on device")):
            self.assertFailed(self.files.replace(NAME, version, "{}"), "failed", "No space")
        self.assertEqual((self.read(), self.beside()), ({"a": 1}, []))

    def test_half_of_a_document_is_read_again(self):
        self.write('{"a": ')
        threading.Timer(0.2, self.write, [{"a": 4}]).start()
        self.assertEqual(json.loads(self.files.read(NAME, None).content), {"a": 4})

    def test_a_damaged_document_is_given_as_it_is(self):
        self.write('{"a": ')
        started = time.monotonic()
        self.assertEqual(self.files.read(NAME, None).content, '{"a": ')
        self.assertLess(time.monotonic() - started, 3)
        self.age(self.cache, 10)
        started = time.monotonic()
        self.assertEqual(self.files.read(NAME, None).content, '{"a": ')
        self.assertLess(time.monotonic() - started, 0.5)

    def test_no_file_is_not_found_and_not_created(self):
        self.cache.unlink()
        self.assertFailed(self.files.read(NAME, None), "not-found", str(self.cache))

    def test_what_is_not_utf_8_is_damaged_at_its_place(self):
        for content, line, column in [(b"\xff", 1, 1), ('{"ä":\n"é'.encode() + b'\xc3"}', 2, 4), (b"{}\xc3", 1, 3)]:
            self.cache.write_bytes(content)
            os.utime(self.cache, (1, 1))
            failure = self.files.read(NAME, None)
            self.assertEqual((failure.tag, failure.payload.line, failure.payload.column), ("not-utf8", line, column))
        self.assertEqual(self.beside(), [])

    def test_only_files_of_ones_own_are_read(self):
        other = self.home / "other"
        self.write({"a": 5}, other)
        for make, why in [
            (lambda: self.cache.symlink_to(other), "symbolic link"),
            (lambda: os.mkfifo(self.cache), "not a regular file"),
        ]:
            self.cache.unlink()
            make()
            self.assertFailed(self.files.read(NAME, None), "failed", why)
        self.cache.unlink()
        self.cache.mkdir()
        self.assertFailed(self.files.read(NAME, None), "failed", "directory")
        self.cache.rmdir()
        self.write({"a": 1})
        with mock.patch("os.geteuid", return_value=os.geteuid() + 1):
            self.assertFailed(self.files.read(NAME, None), "failed", "another user")

    def test_the_size_of_a_document_is_limited(self):
        with mock.patch.object(cache_file, "LARGEST", 3):
            self.assertFailed(self.files.read(NAME, None), "failed", "3 are allowed")
            self.assertFailed(self.files.replace(NAME, "", "{  }"), "denied", "3 bytes")

    def test_a_file_that_others_may_use_is_warned_of(self):
        self.cache.chmod(0o644)
        with self.assertLogs("shared_token_cache") as logs:
            self.files.read(NAME, None)
        self.assertIn("chmod 600", logs.output[0])

    def test_a_name_is_never_a_path(self):
        for name in [
            "../x.nocae",
            "a/b.nocae",
            "/etc/passwd",
            ".nocae",
            "..nocae",
            "msal.cache",
            "a\n.cae",
            "a" * 200 + ".cae",
        ]:
            self.assertFailed(self.files.read(name, None), "denied")
            self.assertFailed(self.files.replace(name, "", "{}"), "denied")

    def test_a_read_only_file_is_not_replaced(self):
        # Root, who may run the tests, can write everything.
        with mock.patch("os.access", return_value=False) as access:
            self.assertFailed(self.files.replace(NAME, self.version(), "{}"), "denied", "read-only")
        access.assert_called_with(self.cache, os.W_OK)
        self.assertEqual(self.read(), {"a": 1})

    def test_the_azure_cli_has_a_file_of_its_own(self):
        files = CacheFile("azure-cli")
        self.write({"az": 1}, self.home / ".azure/msal_token_cache.json")
        self.write({"az": 2}, self.home / "moved/msal_token_cache.json")
        for name in (NAME, "msal.cache.cae"):
            self.assertEqual(files.read(name, None).content, '{"az": 1}')
        with mock.patch.dict(os.environ, AZURE_CONFIG_DIR=str(self.home / "moved")):
            self.assertEqual(files.read(NAME, None).content, '{"az": 2}')
        with self.assertRaises(ValueError):
            CacheFile("keyring")


class LockTest(FileTest):
    def setUp(self):
        super().setUp()
        self.enterContext(mock.patch.object(lock, "PATIENCE", 0.3))

    def replace(self):
        return self.files.replace(NAME, self.version(), '{"a": 2}')

    def test_a_lock_that_exists_keeps_us_out(self):
        for text in [f"{os.getpid()} python", "", "who knows"]:
            self.lockfile.write_text(text)
            # A writer that has just created the file and is about to lock it must find it unlocked.
            with mock.patch("fcntl.flock") as flock:
                self.assertFailed(self.replace(), "locked")
            flock.assert_not_called()
            self.assertEqual((self.lockfile.read_text(), self.read()), (text, {"a": 1}))

    def test_our_lock_names_us_and_is_locked(self):
        with Lock(self.cache):
            self.assertEqual(self.lockfile.read_text().split()[0], str(os.getpid()))
            with open(self.lockfile) as file, self.assertRaises(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with self.assertRaises(Locked), Lock(self.cache):
                pass
        self.assertFalse(self.lockfile.exists())

    def test_a_lock_left_by_a_crash_is_taken_over(self):
        dead = subprocess.Popen([sys.executable, "-c", ""])
        dead.wait()
        for text, seconds, taken in [
            (f"{dead.pid} python", 10, True),
            (f"{dead.pid} python", 0, False),
            ("", 61, True),
            ("", 50, False),
            (f"{os.getpid()} python", 3600, False),
        ]:
            self.write({"a": 1})
            self.lockfile.write_text(text)
            self.age(self.lockfile, seconds)
            result = self.replace()
            self.assertEqual(isinstance(result, str), taken, (text, seconds))
            self.assertEqual(self.lockfile.exists(), not taken)

    def test_a_lock_that_is_held_by_flock_is_not_taken_over(self):
        self.lockfile.write_text("")
        self.age(self.lockfile, 3600)
        with open(self.lockfile) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self.assertFailed(self.replace(), "locked")
        self.assertIsInstance(self.replace(), str)

    def test_the_lock_of_another_program_is_not_removed(self):
        with Lock(self.cache) as held:
            self.lockfile.unlink()
            self.lockfile.write_text("1 other")
            self.assertFalse(held.is_held())
        self.assertEqual(self.lockfile.read_text(), "1 other")

    def test_a_lock_that_vanishes_while_it_is_taken_is_not_relied_upon(self):
        flock, calls = fcntl.flock, []

        def vanishing(descriptor, how):
            calls.append(how)
            if len(calls) == 1:
                self.lockfile.unlink()
            return flock(descriptor, how)

        with mock.patch("fcntl.flock", vanishing):
            self.assertIsInstance(self.replace(), str)
        self.assertEqual((len(calls), self.beside()), (2, []))

    def test_msal_keeps_us_out_and_we_keep_msal_out(self):
        msal = CrossPlatLock(str(self.lockfile))
        with msal:
            self.assertFailed(self.replace(), "locked")
        entered = threading.Event()
        waiting = threading.Thread(target=lambda: (msal.__enter__(), entered.set()))
        with Lock(self.cache):
            waiting.start()
            self.assertFalse(entered.wait(0.5))
        self.assertTrue(entered.wait(5))
        waiting.join()
        msal.__exit__()
        self.assertEqual(self.beside(), [])

    def test_writers_at_the_same_time_lose_nothing(self):
        self.write({"count": 0})
        script = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from shared_token_cache.cache_file import CacheFile
files, done = CacheFile("shared"), 0
while done < 20:
    found = files.read("msal.cache.nocae", None)
    document = {"count": json.loads(found.content)["count"] + 1}
    done += isinstance(files.replace("msal.cache.nocae", found.version, json.dumps(document)), str)
"""
        command = [sys.executable, "-c", script, str(support.EXAMPLE)]
        writers = [subprocess.Popen(command) for _ in range(3)]
        self.assertEqual([writer.wait(60) for writer in writers], [0, 0, 0])
        self.assertEqual((self.read(), self.beside()), ({"count": 60}, []))
