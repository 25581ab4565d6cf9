"""Whose request it is: signatures of both kinds, timestamps, and the sandbox's own clock.

Owns the credentials that are accepted. RSA signatures are checked with the public half of a key;
`ccpay sandbox` takes it from the file that CCPAY_RSA_KEY_FILE names. Called by server.py.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from base64 import b64decode
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ccpay_io.sandbox.replies import Refused

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

TIMESTAMP_VALID_S = 120


class Verifier:
    """Checks the three headers of each request.

    Args:
        secrets: app id -> secret; an account that signs with RSA only has an empty one.
        rsa_key: the private key (PEM) whose signatures are accepted for every account.

    Attributes:
        skew_s: seconds that the sandbox's clock is ahead of this machine's.
    """

    def __init__(self, secrets: Mapping[str, str], rsa_key: str | None = None) -> None:
        self._secrets = secrets
        self._public = _public_key(rsa_key.encode()) if rsa_key else None
        self.skew_s = 0.0

    @property
    def clock(self) -> float:
        """Seconds since the epoch by the sandbox's clock."""
        return time.time() + self.skew_s

    def app_of(self, headers: Mapping[str, str], body: bytes) -> str:
        """The app id of a correctly signed request.

        Raises:
            Refused: it is not.
        """
        app_id, timestamp = headers.get("Appid", ""), headers.get("Timestamp", "")
        if app_id not in self._secrets:
            raise Refused(12001)
        if not (timestamp.isdecimal() and len(timestamp) == 10):
            raise Refused(11001)
        if abs(self.clock - int(timestamp)) > TIMESTAMP_VALID_S:
            raise Refused(11006)
        message, given = (app_id + timestamp).encode() + body, headers.get("Sign", "")
        if not (self._is_hmac(app_id, message, given) or self._is_rsa(message, given)):
            raise Refused(11005)
        return app_id

    def _is_hmac(self, app_id: str, message: bytes, given: str) -> bool:
        secret = self._secrets[app_id]
        wanted = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
        return bool(secret) and hmac.compare_digest(wanted.encode(), given.encode())

    def _is_rsa(self, message: bytes, given: str) -> bool:
        if self._public is None:
            return False
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        try:
            signature = b64decode(given, validate=True)
            self._public.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        except (ValueError, InvalidSignature):
            return False
        return True


def _public_key(pem: bytes) -> RSAPublicKey:
    """The public half of a private RSA key.

    Raises:
        ValueError: it is none.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = serialization.load_pem_private_key(pem, password=None).public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("not an RSA key")
    return key
