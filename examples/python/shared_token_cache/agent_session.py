"""The agent session that tokens are marked with."""

from __future__ import annotations

import base64
import hashlib
import os
import re

from .words import LONGEST_SESSION, SESSION_PARAMETER, SESSION_VARIABLE


def agent_session() -> str | None:
    """The id that the environment names.

    :raises ValueError: if it is invalid. Without the mark a resource could not tell that an agent acts.
    """
    session = os.environ.get(SESSION_VARIABLE)
    if not session:
        return None
    if not re.fullmatch(rf"[!-~]{{1,{LONGEST_SESSION}}}", session):
        raise ValueError(
            f"{SESSION_VARIABLE}: the id of an agent session has 1 to {LONGEST_SESSION} visible ASCII characters"
        )
    return session


def cache_key(session: str | None) -> str | None:
    """The `ext_cache_key` of the session's tokens."""
    if session is None:
        return None
    fields = f"{len(SESSION_PARAMETER)}:{SESSION_PARAMETER}{len(session)}:{session}"
    return base64.urlsafe_b64encode(hashlib.sha256(fields.encode()).digest()).decode().rstrip("=").lower()
