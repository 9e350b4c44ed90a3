"""Calls an Azure API as the user of the Azure CLI: `python call_api.py URL SCOPE`."""

import sys

from azure.core import PipelineClient
from azure.core.pipeline.policies import BearerTokenCredentialPolicy
from azure.core.rest import HttpRequest
from shared_token_cache import SharedTokenCacheCredential

url, scope = sys.argv[1:]
with SharedTokenCacheCredential(source="azure-cli") as credential:
    with PipelineClient(url, policies=[BearerTokenCredentialPolicy(credential, scope)]) as client:
        response = client.send_request(HttpRequest("GET", url))
        print(response.status_code, response.text())
