"""Powers of large numbers, as OpenSSL computes them: a simulated card signs at every tap.

Rules of this file: the same number as ``pow``, ten times as soon. Python's own exponentiation of
a card's private key takes longer than all the rest of a tap. The library is the one that Python's
``hashlib`` has loaded already; where that cannot be reached, ``pow`` does the work. Only public
test keys come here, so nothing has to be cleared or hidden from a stop-watch.
"""

from __future__ import annotations

import _hashlib
import ctypes
from functools import cache


@cache
def _libcrypto() -> ctypes.PyDLL | None:
    """OpenSSL's big numbers, or None where Python's libcrypto cannot be reached by name."""
    try:
        library = ctypes.PyDLL(_hashlib.__file__)
        pointer = ctypes.c_void_p
        for name in ("BN_new", "BN_CTX_new"):
            getattr(library, name).restype = pointer
        library.BN_bin2bn.restype = pointer
        library.BN_bin2bn.argtypes = (ctypes.c_char_p, ctypes.c_int, pointer)
        library.BN_bn2binpad.argtypes = (pointer, ctypes.c_char_p, ctypes.c_int)
        library.BN_mod_exp.argtypes = (pointer,) * 5
        library.BN_free.argtypes = library.BN_CTX_free.argtypes = (pointer,)
    except (AttributeError, OSError):
        return None
    return library


def power(number: int, exponent: int, modulus: int) -> int:
    """``number`` to the ``exponent``, modulo an odd ``modulus``; none of them negative."""
    library = _libcrypto()
    if library is None:
        return pow(number, exponent, modulus)
    size = (modulus.bit_length() + 7) // 8
    context = library.BN_CTX_new()
    numbers = [_number(library, each) for each in (number % modulus, exponent, modulus)]
    result = library.BN_new()
    try:
        written = ctypes.create_string_buffer(size)
        if not library.BN_mod_exp(result, *numbers, context):
            raise MemoryError("OpenSSL has no room for a power")
        library.BN_bn2binpad(result, written, size)
        return int.from_bytes(written.raw, "big")
    finally:
        for each in (result, *numbers):
            library.BN_free(each)
        library.BN_CTX_free(context)


def _number(library: ctypes.PyDLL, value: int) -> int:
    data = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return int(library.BN_bin2bn(data, len(data), None))
