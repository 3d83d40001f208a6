"""Hashes and sealed values.

API keys are found by SHA-256 (they carry 256 random bits, so a slow hash adds nothing) and kept
sealed with a key derived from SECRET_KEY, so that a copied database discloses none of them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from plunk.errors import Misconfigured


def key_hash(key: str) -> str:
    """Return the hex digest by which a key is found."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def is_bearer(token: str, header: str | None) -> bool:
    """Tell whether an Authorization header carries this token, as slowly as when it does not."""
    return hmac.compare_digest((header or "").encode(), f"Bearer {token}".encode())


class Seal:
    """Encrypts small secrets for storage; opens what the same SECRET_KEY sealed."""

    def __init__(self, secret_key: str) -> None:
        derived = HKDF(SHA256(), 32, salt=None, info=b"plunk seal v1").derive(secret_key.encode())
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))

    def close(self, text: str) -> str:
        """Return the sealed form of a text."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """Return the text that was sealed; Misconfigured when SECRET_KEY is another one."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise Misconfigured(
                "A stored secret cannot be opened: SECRET_KEY is not the one it was sealed with."
            ) from None
