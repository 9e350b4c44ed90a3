"""The import `https`: forms to token endpoints of allowed authorities, and nothing else."""

from __future__ import annotations

import http.client
import os
import queue
import re
import ssl
import threading
import time
import urllib.parse
import urllib.request
import uuid
from typing import Any, Iterable

from .agent_session import agent_session, cache_key
from .component import record
from .words import HEADERS, LONGEST_VALUE, SESSION_PARAMETER
from .wasmtime_results import Failure

SECONDS = 30.0
LARGEST_REPLY = 1 << 20
LARGEST_FORM = 256 << 10

PAUSES = (0.5, 1.0, 2.0)
WORTH_REPEATING = (408, 429, 500, 502, 503, 504)

_VALUE = re.compile(rf"[ -~]{{0,{LONGEST_VALUE}}}")
_ENDPOINT = re.compile(r"https://([a-z0-9.-]+(?::[0-9]+)?)/[A-Za-z0-9.-]+/oauth2/v2\.0/token")


class Https:
    def __init__(
        self, allowed_authorities: Iterable[str], default_authority: str, ca_file: str | os.PathLike[str] | None
    ) -> None:
        self._allowed = frozenset(authority_host(host) for host in allowed_authorities)
        self._default = default_authority
        self._one_tenant = bool(os.environ.get("AZURE_IDENTITY_DISABLE_MULTITENANTAUTH"))
        self._session = agent_session()
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if ca_file is not None:
            context.load_verify_locations(ca_file)
        # Only these handlers: no plain HTTP, no redirects, no cookies, and no exceptions for
        # statuses.
        self._opener = urllib.request.OpenerDirector()
        self._opener.add_handler(urllib.request.ProxyHandler())
        self._opener.add_handler(urllib.request.HTTPSHandler(context=context))

    def get_settings(self) -> Any:
        return record(
            default_authority_host=self._default,
            disable_multitenant_authentication=self._one_tenant,
            agent_session_key=cache_key(self._session),
        )

    def post_form(self, url: str, headers: list[tuple[str, str]], form: list[tuple[str, str]]) -> Any:
        """The response, whatever its status, or an error."""
        refused = self._refuse(url, headers, form)
        # Added here and not by the component, which could leave it out.
        session = [] if self._session is None else [(SESSION_PARAMETER, self._session)]
        url = f"{url}?{urllib.parse.urlencode(session)}" if session else url
        body = urllib.parse.urlencode([*form, *session]).encode()
        if refused or len(body) > LARGEST_FORM:
            return Failure("denied", refused or f"a form may have {LARGEST_FORM} bytes")
        for pause in (*PAUSES, None):
            result = _within(SECONDS, self._post, url, headers, body)
            if pause is None or not _is_worth_repeating(result):
                return result
            time.sleep(pause)

    def _refuse(self, url: str, headers: list[tuple[str, str]], form: list[tuple[str, str]]) -> str | None:
        endpoint = _ENDPOINT.fullmatch(url)
        if not endpoint:
            return "a request goes to https://<authority>/<tenant>/oauth2/v2.0/token and nowhere else"
        if endpoint[1] not in self._allowed:
            return f"the authority {endpoint[1]!r} is not allowed; name it in `allowed_authorities`"
        for name, value in headers:
            if name.lower() not in HEADERS or not _VALUE.fullmatch(value):
                return f"a component may not set the header field {name!r}"
        if any(name == SESSION_PARAMETER for name, _ in form):
            return f"a component may not set the field {SESSION_PARAMETER!r}"
        return None

    def _post(self, url: str, headers: list[tuple[str, str]], body: bytes) -> Any:
        own = {
            "accept": "application/json",
            "client-request-id": str(uuid.uuid4()),
            "content-type": "application/x-www-form-urlencoded",
            "return-client-request-id": "true",
            "user-agent": "shared-token-cache/0.1.0",
        }
        request = urllib.request.Request(url, data=body, headers={**dict(headers), **own}, method="POST")
        try:
            with self._opener.open(request, timeout=SECONDS) as reply:
                content = reply.read(LARGEST_REPLY + 1)
                if len(content) > LARGEST_REPLY:
                    return Failure("bad-response", f"the reply has more than {LARGEST_REPLY} bytes")
                if reply.length:
                    return Failure("unreachable", "the connection broke in the middle of the reply")
                return record(status=reply.status, body=content.decode(errors="replace"))
        except (OSError, http.client.HTTPException, ValueError) as error:
            return _failure(error)


def authority_host(text: str) -> str:
    """A host in lower case, with its port unless that is 443. The input may be a URL."""
    found = re.fullmatch(r"(?:https://)?([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::([0-9]{1,5}))?/?", text.strip().lower())
    if not found:
        raise ValueError(f"{text!r} is not the host of an authority")
    host, port = found.groups()
    return host if port in (None, "443") else f"{host}:{int(port)}"


def _within(seconds: float, post: Any, *arguments: Any) -> Any:
    """Runs a request with a deadline. Socket timeouts restart per byte; DNS lookups have none."""
    results: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=lambda: results.put(post(*arguments)), daemon=True).start()
    try:
        return results.get(timeout=seconds)
    except queue.Empty:
        return _timeout()


def _is_worth_repeating(result: Any) -> bool:
    if isinstance(result, Failure):
        return result.tag in ("timeout", "unreachable")
    return result.status in WORTH_REPEATING


def _failure(error: Exception) -> Failure:
    # urllib wraps some errors and not others.
    cause = getattr(error, "reason", error)
    if isinstance(cause, TimeoutError):
        return _timeout()
    if isinstance(cause, ssl.SSLCertVerificationError):
        # A retry would get the same certificate.
        return Failure("bad-response", f"no trusted TLS connection: {cause.verify_message}")
    return Failure("unreachable", f"the authority can't be reached: {cause}")


def _timeout() -> Failure:
    return Failure("timeout", f"the authority did not answer within {SECONDS:.0f} seconds")
