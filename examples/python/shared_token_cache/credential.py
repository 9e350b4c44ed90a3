"""The credential, with the protocols of Azure SDK clients."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterable, Iterator

from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions
from wasmtime.component import Variant

from .cache_file import CacheFile
from .component import Component, Instance, record
from .errors import exception_of
from .https import Https, authority_host
from .imports import imports
from .words import DEFAULT_HOST, ENTRA_CLOUDS

BESIDE = Path(__file__).with_name("shared-token-cache.wasm")

# The limit of concurrent calls, each with an instance of the component for itself.
MOST_INSTANCES = 8


class SharedTokenCacheCredential:
    """Replaces azure-identity's credential of this name. Any number of threads may use it.

    :param username: username of the account to use, if the cache has several
    :param component: the file `shared-token-cache.wasm`; by default the one beside this module
    :param source: `shared`, the cache of Microsoft's developer tools, or `azure-cli`
    :param authority: host of the authority; by default `AZURE_AUTHORITY_HOST`, else the public cloud's
    :param tenant_id: home tenant of the account to use
    :param client_id: client id of the requests; by default the Azure CLI's
    :param authentication_record: the account to use, as an `AuthenticationRecord` or its JSON
    :param cache_persistence_options: azure-identity's `TokenCachePersistenceOptions`
    :param additionally_allowed_tenants: tenants that a call may name besides the configured one
    :param allowed_authorities: the only hosts that may get a refresh token; by default those of
        Microsoft's clouds and the one that `authority` or `AZURE_AUTHORITY_HOST` names
    :param ca_file: certificate authorities to trust besides the system's
    """

    def __init__(
        self,
        username: str | None = None,
        *,
        component: str | os.PathLike[str] = BESIDE,
        source: str = "shared",
        authority: str | None = None,
        tenant_id: str | None = None,
        client_id: str | None = None,
        authentication_record: Any = None,
        cache_persistence_options: Any = None,
        additionally_allowed_tenants: Iterable[str] = (),
        allowed_authorities: Iterable[str] | None = None,
        ca_file: str | os.PathLike[str] | None = None,
    ) -> None:
        default = authority_host(os.environ.get("AZURE_AUTHORITY_HOST") or DEFAULT_HOST)
        if allowed_authorities is None:
            allowed_authorities = [*ENTRA_CLOUDS, default, authority or default]
        self._imports = imports(CacheFile(source), Https(allowed_authorities, default, ca_file))
        self._options = record(
            username=username,
            authority=authority,
            tenant_id=tenant_id,
            client_id=client_id,
            authentication_record=_json(authentication_record),
            cache_persistence_options=_persistence(cache_persistence_options),
            additionally_allowed_tenants=list(additionally_allowed_tenants),
            enable_guest_tenant_authentication=False,
        )
        self._component = Component.load(component)
        self._turns = threading.BoundedSemaphore(MOST_INSTANCES)
        self._idle: list[Instance] = []

    def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **kwargs: Any,
    ) -> AccessToken:
        """An access token, cached or new. The protocol `TokenCredential`."""
        found = self._get_token(scopes, claims, tenant_id, enable_cae)
        return AccessToken(found.token, found.expires_on)

    def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """A token with all its fields. The protocol `SupportsTokenInfo`, which clients prefer."""
        asked = options or {}
        return self._get_token(scopes, asked.get("claims"), asked.get("tenant_id"), asked.get("enable_cae", False))

    def supported(self) -> bool:
        """Whether this platform can have such a cache. Reads nothing."""
        with self._instance() as instance:
            return instance.call("supported")

    def close(self) -> None:
        """Drops all instances. The credential can still be used: it then makes new ones."""
        self._idle.clear()

    def __enter__(self) -> SharedTokenCacheCredential:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _get_token(
        self, scopes: Iterable[str], claims: str | None, tenant_id: str | None, cae: bool
    ) -> AccessTokenInfo:
        request = record(claims=claims, tenant_id=tenant_id, enable_cae=bool(cae), min_validity=None)
        with self._instance() as instance:
            found = instance.call("get-token", list(scopes), request, self._options)
        if isinstance(found, Variant):
            raise exception_of(found)
        return AccessTokenInfo(found.token, found.expires_on, token_type=found.token_type, refresh_on=found.refresh_on)

    @contextmanager
    def _instance(self) -> Iterator[Instance]:
        """An idle instance: the last one used, which has the newest document, or a new one."""
        with self._turns:
            try:
                instance = self._idle.pop()
            except IndexError:
                instance = self._component.instantiate(self._imports)
            yield instance
            # An instance that raised an exception does not get here, and is dropped.
            self._idle.append(instance)


def _json(authentication_record: Any) -> str | None:
    serialize = getattr(authentication_record, "serialize", None)
    return serialize() if serialize else authentication_record


def _persistence(options: Any) -> Any:
    if options is None:
        return None
    return record(name=options.name, allow_unencrypted_storage=options.allow_unencrypted_storage)
