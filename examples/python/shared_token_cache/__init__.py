"""Microsoft Entra ID access tokens from the sign-in of this machine's developer tools."""

from .credential import SharedTokenCacheCredential
from .errors import AuthenticationFailedError, CredentialUnavailableError, DeniedError

__all__ = ["AuthenticationFailedError", "CredentialUnavailableError", "DeniedError", "SharedTokenCacheCredential"]
