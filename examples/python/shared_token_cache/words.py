"""Words of Microsoft Entra ID and of MSAL's cache, from `words.json`."""

import json
from pathlib import Path

_WORDS = json.loads(Path(__file__).with_name("words.json").read_text(encoding="utf-8"))

# Hosts of Microsoft's clouds that issue tokens.
ENTRA_CLOUDS = tuple(host for cloud in _WORDS["clouds"] for host in cloud)
DEFAULT_HOST = _WORDS["default_host"]

# The header fields that the component may set, and the longest value of one.
HEADERS = tuple(_WORDS["headers"]["allowed"])
LONGEST_VALUE = _WORDS["headers"]["longest_value"]

# The environment variable of an agent session, the field of a request that names it, and the
# longest id of one.
SESSION_VARIABLE = _WORDS["agent_session"]["variable"]
SESSION_PARAMETER = _WORDS["agent_session"]["parameter"]
LONGEST_SESSION = _WORDS["agent_session"]["longest"]
