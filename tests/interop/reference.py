"""Real azure-identity, one call at a time: a situation a line in, what came of it a line out, both JSON.

Run by tests/src/differential/reference.rs. Nothing goes to the network: `Authority` answers in its place. Time stands still
at the situation's `now`.
"""

import json
import logging
import os
import sys
import types

import azure.identity
import azure.identity._internal.aad_client as aad_client
import azure.identity._internal.aad_client_base as aad_client_base
import azure.identity._internal.shared_token_cache as shared_token_cache
import msal.token_cache
import msal_extensions
import msal_extensions.token_cache
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline.transport import HttpTransport

DISABLE_MULTITENANT = "AZURE_IDENTITY_DISABLE_MULTITENANTAUTH"
DEFAULT_AUTHORITY = "AZURE_AUTHORITY_HOST"


class Clock:
    """Takes the place of the module `time` where the reference asks for the time of day."""

    now = 0

    def time(self):
        return self.now


# What the reference logs about failures is what the situations are about.
logging.disable(logging.CRITICAL)

CLOCK = Clock()
for module in (aad_client, aad_client_base, shared_token_cache, msal.token_cache):
    module.time = CLOCK
# The cache's own idea of time only decides when to read the file again: always. And a damaged file stays damaged, so waiting
# for it to heal would be a waste.
msal_extensions.token_cache.time = types.SimpleNamespace(time=lambda: 0, sleep=lambda seconds: None)


class Answer:
    """A response as azure-core wants it."""

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


class Authority(HttpTransport):
    """Knows an answer for every refresh token, and keeps what was posted."""

    def __init__(self, call):
        self.call = call
        self.posted = []

    def send(self, request, **kwargs):
        form = {name: str(value) for name, value in request.body.items()}
        self.posted.append({"url": request.url, "form": form})
        reply = self.call["replies"].get(form.get("refresh_token"), self.call["default_reply"])
        if reply["status"] == 0:
            raise ServiceRequestError("the connection broke")
        return Answer(request, reply)

    def open(self):
        pass

    def close(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *args):
        pass


def persisted(path):
    """The cache in a file, made as azure-identity makes it where nothing can encrypt it."""
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
        credential = azure.identity.SharedTokenCacheCredential(
            call["username"],
            authority=call["authority"],
            tenant_id=call["home_tenant"],
            additionally_allowed_tenants=call["allowed_tenants"],
            transport=authority,
            retry_total=0,
            **{"_cae_cache" if call["enable_cae"] else "_cache": persisted(call["path"])},
        )
        token = credential.get_token_info(*call["scopes"], options=options)
    except Exception as error:  # whatever it is, it is what came of the call
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
