"""Real azure-identity, one call at a time: a situation per input line, an outcome per output line.

Run by tests/src/differential/reference.rs. Lines are JSON. `Authority` replaces the network. The clock
is fixed at the situation's `now`.
"""

import json
import logging
import os
import sys
import types
import urllib.parse
from pathlib import Path

import azure.identity
import azure.identity._credentials.silent as silent
import azure.identity._internal.aad_client as aad_client
import azure.identity._internal.aad_client_base as aad_client_base
import azure.identity._internal.shared_token_cache as shared_token_cache
import msal.application
import msal.token_cache
import msal_extensions
import msal_extensions.token_cache
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline.transport import HttpTransport

DISABLE_MULTITENANT = "AZURE_IDENTITY_DISABLE_MULTITENANTAUTH"
DEFAULT_AUTHORITY = "AZURE_AUTHORITY_HOST"


class Clock:
    """Replaces the module `time` where the reference reads the time of day."""

    now = 0

    def time(self):
        return self.now


# The situations cause failures on purpose, so the reference's log is not shown.
logging.disable(logging.CRITICAL)

CLOCK = Clock()
for module in (aad_client, aad_client_base, shared_token_cache, silent, msal.application, msal.token_cache):
    module.time = CLOCK
# The cache's own times only decide when to read the file again, which here is always. A damaged
# file stays damaged, so waiting for it would be a waste.
msal_extensions.token_cache.time = types.SimpleNamespace(time=lambda: 0, sleep=lambda seconds: None)


class Answer:
    """A response in azure-core's interface."""

    def __init__(self, request, reply):
        self.request = request
        self.status_code = reply["status"]
        self.reason = "made up"
        self.content_type = reply["content_type"]
        self.headers = {"Content-Type": self.content_type}
        self.content = reply["body"].encode()

    def body(self):
        return self.content

    def text(self, encoding=None):
        return self.content.decode(encoding or "utf-8")

    def read(self):
        return self.content


# The clouds of instance discovery.
CLOUDS = json.loads((Path(__file__).parents[2] / "entra/words.json").read_text(encoding="utf-8"))["clouds"]

# Tenants' domains and ids.
DOMAINS = {
    "contoso.com": "cccccccc-0000-0000-0000-000000000003",
    "fabrikam.com": "ffffffff-0000-0000-0000-000000000004",
}


def metadata(url, discovery):
    """An authority's response to a metadata request: the status and a JSON body."""
    parts = urllib.parse.urlsplit(url)
    if parts.path == "/common/discovery/instance":
        return instance(urllib.parse.parse_qs(parts.query)["authorization_endpoint"][0], discovery)
    tenant, *rest = parts.path.strip("/").split("/")
    if rest not in (["v2.0", ".well-known", "openid-configuration"], [".well-known", "openid-configuration"]):
        raise AssertionError("nobody expected a request to " + url)
    return openid(parts.hostname, tenant, discovery)


def instance(endpoint, discovery):
    """Instance discovery: the clouds, and the metadata URL of `endpoint`."""
    parts = urllib.parse.urlsplit(endpoint)
    if not discovery["any_authority"] and not any(parts.hostname in hosts for hosts in CLOUDS):
        return 400, {"error": "invalid_instance", "error_description": "AADSTS50049: Unknown or invalid instance."}
    tenant = parts.path.split("/")[1]
    clouds = [{"preferred_network": hosts[0], "preferred_cache": hosts[-1], "aliases": hosts} for hosts in CLOUDS]
    configuration = f"https://{parts.hostname}/{tenant}/v2.0/.well-known/openid-configuration"
    return 200, {"api-version": "1.1", "tenant_discovery_endpoint": configuration, "metadata": clouds}


def openid(host, tenant, discovery):
    """The endpoints of a tenant; they contain its id, also where it was requested by domain."""
    known = DOMAINS.get(tenant.lower())
    if not discovery["any_tenant"] and not known and ("." in tenant or tenant.lower() == "adfs"):
        return 400, {"error": "invalid_tenant", "error_description": f"AADSTS90002: Tenant '{tenant}' not found."}
    if discovery["tenants_by_id"]:
        tenant = known or tenant.lower()
    base = f"https://{host}/{tenant}"
    return 200, {
        "issuer": f"{base}/v2.0",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        "token_endpoint": f"{base}/oauth2/v2.0/token",
    }


class Authority(HttpTransport):
    """A fake authority: maps refresh tokens to responses, and records posted forms."""

    def __init__(self, call):
        self.call = call
        self.posted = []

    def send(self, request, **kwargs):
        if request.method == "GET":
            return self.describe(request)
        form = {name: str(value) for name, value in request.body.items()}
        self.posted.append({"url": request.url, "form": form})
        reply = self.call["replies"].get(form.get("refresh_token"), self.call["default_reply"])
        if reply["status"] == 0:
            raise ServiceRequestError("the connection broke")
        return Answer(request, reply)

    def describe(self, request):
        discovery = self.call["discovery"]
        status, body = discovery["status"], {"error": "temporarily_unavailable"}
        if status == 0:
            raise ServiceRequestError("the connection broke")
        if status == 200:
            status, body = metadata(request.url, discovery)
        return Answer(request, {"status": status, "content_type": "application/json", "body": json.dumps(body)})

    def open(self):
        pass

    def close(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *args):
        pass


def persisted(path):
    """A cache in a file, made as azure-identity makes it where no encryption is available."""
    return msal_extensions.PersistedTokenCache(msal_extensions.FilePersistence(path))


def set_variable(name, value):
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


def ask(call, authority):
    """A token, or the exception's class and message."""
    options = {name: call[name] for name in ("claims", "tenant_id") if call[name]}
    options["enable_cae"] = call["enable_cae"]
    try:
        record = {}
        if call["record"] is not None:
            record["authentication_record"] = azure.identity.AuthenticationRecord.deserialize(call["record"])
        credential = azure.identity.SharedTokenCacheCredential(
            call["username"],
            authority=call["authority"],
            tenant_id=call["home_tenant"],
            additionally_allowed_tenants=call["allowed_tenants"],
            transport=authority,
            retry_total=0,
            **record,
            **{"_cae_cache" if call["enable_cae"] else "_cache": persisted(call["path"])},
        )
        token = credential.get_token_info(*call["scopes"], options=options)
    except Exception as error:  # every exception is an outcome of the call
        return {"error": type(error).__name__, "message": str(getattr(error, "message", error))}
    return {
        "token": token.token,
        "expires_on": token.expires_on,
        "refresh_on": token.refresh_on,
        "token_type": token.token_type,
    }


def run(call):
    path = call["path"]
    if call["document"] is None:
        if os.path.exists(path):
            os.remove(path)
    else:
        with open(path, "wb") as file:
            file.write(call["document"].encode())
    set_variable(DISABLE_MULTITENANT, "true" if call["disable_multitenant"] else None)
    set_variable(DEFAULT_AUTHORITY, call["default_authority"])
    CLOCK.now = call["now"]

    authority = Authority(call)
    outcome = ask(call, authority)
    document = None
    if os.path.exists(path):
        with open(path, "rb") as file:
            document = file.read().decode()
    return {"outcome": outcome, "requests": authority.posted, "document": document}


def main():
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
