"""The component's errors as exceptions for Azure SDK clients."""

from __future__ import annotations

from typing import Any

from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

try:
    # A ChainedTokenCredential continues with its next credential after this exception only.
    from azure.identity import CredentialUnavailableError as _CredentialUnavailableError
except ImportError:
    _CredentialUnavailableError = ClientAuthenticationError


class CredentialUnavailableError(_CredentialUnavailableError):
    """This sign-in can't serve the call. `reason` is one of the contract's, `candidates` are usernames."""

    reason: str
    candidates: list[str]


class AuthenticationFailedError(ClientAuthenticationError):
    """The authority refused. `reason` is one of the contract's; `oauth_error` and `claims` are the authority's."""

    reason: str
    oauth_error: str | None
    claims: str | None


class DeniedError(ClientAuthenticationError):
    """A denial: the call needs a grant that is missing."""


def exception_of(error: Any) -> Exception:
    """The exception for a value of the contract's `error`."""
    kind, details = error.tag, error.payload
    if kind == "credential-unavailable":
        unavailable = CredentialUnavailableError(message=details.message)
        unavailable.reason = details.reason
        unavailable.candidates = [account.username for account in details.candidates]
        return unavailable
    if kind == "client-authentication":
        failed = AuthenticationFailedError(message=details.message)
        failed.reason = details.reason
        failed.oauth_error = details.oauth.code if details.oauth else None
        failed.claims = details.oauth.claims if details.oauth else None
        return failed
    if kind == "denied":
        return DeniedError(message=details)
    if kind == "unreachable":
        # A client's RetryPolicy retries after this exception.
        return ServiceRequestError(message=details)
    return ValueError(details)
