"""Runs one scene with the example's credential: the bare component with imports in Python."""

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "examples/python"))

from azure.core.exceptions import ServiceRequestError
from shared_token_cache import (
    AuthenticationFailedError,
    CredentialUnavailableError,
    DeniedError,
    SharedTokenCacheCredential,
)

KINDS = {
    CredentialUnavailableError: "credential-unavailable",
    AuthenticationFailedError: "client-authentication",
    DeniedError: "denied",
    ServiceRequestError: "unreachable",
    ValueError: "invalid-argument",
}


def credential_of(scene):
    os.environ["HOME"] = scene["home"]
    return SharedTokenCacheCredential(
        component=scene["components"]["bare"],
        authority=scene["authority"],
        allowed_authorities=None if scene["granted"]["network"] else [],
        ca_file=scene["ca"],
    )


def answer(scene):
    with credential_of(scene) as credential:
        if scene["operation"] == "supported":
            return {"supported": credential.supported()}
        try:
            token = credential.get_token(*scene["scopes"])
        except tuple(KINDS) as error:
            reason, candidates = getattr(error, "reason", None), getattr(error, "candidates", [])
            described = {"kind": KINDS[type(error)], "reason": reason, "message": str(error), "candidates": candidates}
            return {"error": described}
        return {"token": token.token, "expires_on": token.expires_on}


if __name__ == "__main__":
    print(json.dumps(answer(json.load(sys.stdin))))
