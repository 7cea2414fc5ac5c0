"""Codes written down from their description."""

from hashlib import sha256
from zlib import crc32

import numpy as np
from numpy.typing import NDArray


def bits_of(content: bytes) -> NDArray[np.bool_]:
    """The squares (3, 54) of a code with 16 bytes of content."""
    whole = content + crc32(content).to_bytes(4, "big")
    masked = [byte ^ mask for byte, mask in zip(whole, sha256(b"a form of bpcli").digest(), strict=False)]
    text = "".join(f"{byte:08b}" for byte in masked) + "10"
    return np.array([bit == "1" for bit in text]).reshape(3, 54)
