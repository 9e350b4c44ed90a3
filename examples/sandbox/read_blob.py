"""Reads a blob, as a program in Azure does: it has no option for where it runs."""

import sys

from azure.identity import DefaultAzureCredential
from azure.storage.blob import BlobClient

blob = BlobClient.from_blob_url(sys.argv[1], credential=DefaultAzureCredential())
sys.stdout.write(blob.download_blob().readall().decode())
