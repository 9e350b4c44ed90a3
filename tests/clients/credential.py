"""Prints the token that a credential of azure-identity gets: CREDENTIAL SCOPE.

The output is a JSON object with `token` and `expires_on`, or with `error`.
"""

import json
import logging
import sys

from azure.core.exceptions import ClientAuthenticationError
from azure.identity import (
    AzureCliCredential,
    AzureDeveloperCliCredential,
    DefaultAzureCredential,
    ManagedIdentityCredential,
)

CREDENTIALS = {
    "managed": ManagedIdentityCredential,
    "default": DefaultAzureCredential,
    "az": AzureCliCredential,
    "azd": AzureDeveloperCliCredential,
}

# Errors are printed below.
logging.disable()
name, scope = sys.argv[1:]
try:
    token = CREDENTIALS[name]().get_token(scope)
    print(json.dumps({"token": token.token, "expires_on": token.expires_on}))
except ClientAuthenticationError as error:
    print(json.dumps({"error": str(error)}))
