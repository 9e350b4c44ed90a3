"""The component's imports, by their names in the contract."""

from __future__ import annotations

import logging
import time
from typing import Any

from .cache_file import CacheFile
from .component import Imports
from .https import Https

_LOGGER = logging.getLogger("shared_token_cache")
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING}
_LONGEST_LINE = 2_000


def imports(cache_file: CacheFile, https: Https) -> Imports:
    return {
        "cache-file": {"read": cache_file.read, "replace": cache_file.replace, "supported": cache_file.supported},
        "https": {
            "post-form": https.post_form,
            "get-settings": https.get_settings,
            "close-idle-connections": lambda: None,  # none are kept
        },
        "clock": {"now": lambda: int(time.time())},
        "log": {"write": _write},
    }


def _write(level: str, message: str) -> None:
    # Escapes and truncates the component's line, which must not look like several lines.
    line = "".join(character if character.isprintable() else " " for character in message[:_LONGEST_LINE])
    _LOGGER.log(_LEVELS[level], "%s", line)
