"""The signature over a manifest: a DSSE envelope with one Ed25519 signature.

DSSE, https://github.com/secure-systems-lab/dsse, protocol 1.0.2: what is signed is the pre-authentication encoding of
type and payload, so that nothing signed for one purpose can pass for another.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import UserMistake
from pipelines.home import Home
from pipelines.reports.canonical import canonical_json, read_canonical_json
from pipelines.settings import SIGNING_KEY_VARIABLE, signing_key_file

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ENVELOPE_NAME = "manifest.dsse.json"
PAYLOAD_TYPE = "application/vnd.in-toto+json"


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """PAE of DSSE 1.0.2: what is signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def signing_key(home: Home) -> Ed25519PrivateKey | None:
    """The key that UPHELD_SIGNING_KEY names; None where it names none.

    Raises UserMistake where the file is no unencrypted Ed25519 key in PEM, or lies in the home: what vouches for a home
    must not be kept with it.
    """
    path = signing_key_file()
    if path is None:
        return None
    if path.resolve().is_relative_to(home.root):
        raise UserMistake(f"{SIGNING_KEY_VARIABLE}: {path} lies in the home. Keep the key somewhere else.")
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as problem:
        raise UserMistake(
            f"{SIGNING_KEY_VARIABLE}: {path} can't be read as an unencrypted private key in PEM ({_first_line(problem)})."
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise UserMistake(
            f"{SIGNING_KEY_VARIABLE}: {path} is no Ed25519 key. Make one: openssl genpkey -algorithm ed25519."
        )
    return key


def trusted_key(path: Path) -> Ed25519PublicKey:
    """A public key that somebody trusts. Raises UserMistake where the file is no Ed25519 public key in PEM."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as problem:
        raise UserMistake(f"{path} can't be read as a public key in PEM ({_first_line(problem)}).") from None
    if not isinstance(key, Ed25519PublicKey):
        raise UserMistake(f"{path} is no Ed25519 public key.")
    return key


def key_id(key: Ed25519PublicKey) -> str:
    """SHA-256 of the key as DER: what `openssl pkey -pubin -outform DER | sha256sum` prints."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def envelope(payload: bytes, key: Ed25519PrivateKey) -> bytes:
    """The DSSE envelope of a manifest. Ed25519 is deterministic: the same payload and key give the same bytes."""
    signature = key.sign(pre_authentication_encoding(PAYLOAD_TYPE, payload))
    return canonical_json(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": key_id(key.public_key()), "sig": base64.b64encode(signature).decode()}],
        }
    )


def signer_of(raw: bytes) -> str | None:
    """The id of the key that an envelope claims to be signed with; None where it can't be read."""
    try:
        return str(_read(raw)["signatures"][0]["keyid"])
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return None


def faults_of_envelope(raw: bytes, payload: bytes, key: Ed25519PublicKey | None) -> Iterator[str]:
    """What is wrong with an envelope of this payload. Without a trusted `key` a signature can't be checked."""
    from cryptography.exceptions import InvalidSignature

    try:
        content = _read(raw)
        signed = _bytes_of(content["payload"])
        (signature,) = content["signatures"]
        name, value = signature["keyid"], _bytes_of(signature["sig"])
        if content["payloadType"] != PAYLOAD_TYPE:
            raise ValueError(f"payloadType is {content['payloadType']!r}")
    except (ValueError, KeyError, TypeError, RecursionError) as problem:
        yield f"is no DSSE envelope with one signature ({problem})."
        return
    if signed != payload:
        yield "signs another manifest than the one beside it."
    if key is None:
        return
    if name != key_id(key):
        yield f"names the key {name}, not the trusted one, {key_id(key)}."
    try:
        key.verify(value, pre_authentication_encoding(PAYLOAD_TYPE, payload))
    except InvalidSignature:
        yield "holds no valid signature of the manifest by the trusted key."


def _read(raw: bytes) -> dict[str, Any]:
    content = read_canonical_json(raw)
    if not isinstance(content, dict):
        raise ValueError("not an object")
    return content


def _bytes_of(text: str) -> bytes:
    """Base64 in its one form: a second spelling of the same bytes would be an alteration nobody notices."""
    try:
        found = base64.b64decode(text, validate=True)
    except binascii.Error as problem:
        raise ValueError(str(problem)) from None
    if base64.b64encode(found).decode() != text:
        raise ValueError("base64 with stray bits")
    return found


def _first_line(problem: Exception) -> str:
    return str(problem).splitlines()[0] if str(problem) else type(problem).__name__
