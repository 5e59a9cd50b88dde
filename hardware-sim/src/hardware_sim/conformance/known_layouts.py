"""Wire layouts that case files name without describing them, as data.

Rules of this file: a layout is what its source's own field table says, in pyiso8583's keys, with
three more. ``right_pad`` fills an odd number of digits at their end; ``notation`` is how the
source writes a value that the codec reads as bytes (``_NOTATIONS``); ``stands_for`` is the number
that the case files give to a field of another number on the wire.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from hardware_sim.conformance.case import Json

_ALWAYS = {"len_enc": "ascii", "len_type": 0}
_TRACK = bytes.maketrans(b"ABCDEF", b":;<=>?")
_NOTATIONS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        # A letter in ASCII, the digits in BCD.
        "x+n": lambda value: chr(int(value[:2], 16)) + value[2:],
        # The low half of each ASCII character from 30 to 3F.
        "z": lambda value: value.encode().translate(_TRACK).decode(),
        # A number, without the zeros in front.
        "number": lambda value: str(int(value)),
    }
)

# ISO 8583:1987, with what erl8583 (github.com/mgwidmann/erl8583, erl8583_fields.erl at 104c69e)
# says where the standard leaves a choice: fields, class, length; dots stand for a length prefix.
_BINARY_1987 = """
2 n..19, 3 n6, 4-6 n12, 7 n10, 8-10 n8, 11-12 n6, 13-18 n4, 19-24 n3, 25-26 n2, 27 n1, 28-31 x8,
32-33 n..11, 34 ans..28, 35 z..37, 36 ans...104, 37 ans12, 38 ans6, 39 ans2, 40 ans3, 41 ans8,
42 ans15, 43 ans40, 44 ans..25, 45 ans..76, 46-48 ans...999, 49-51 ans3, 52 b8, 53 n16,
54 ans...120, 55-63 ans...999, 64 b8, 66 n1, 67 n2, 68-70 n3, 71-72 n4, 73 n6, 74-81 n10,
82-85 n12, 86-89 n16, 90 n42, 91 ans1, 92 ans2, 93 ans5, 94 ans7, 95 ans42, 96 b8, 97 x16,
98 ans25, 99-100 n..11, 101 ans..17, 102-103 ans..28, 104 ans...100, 105-127 ans...999, 128 b8
"""


def _binary_1987() -> Iterator[tuple[str, Json]]:
    """Digits in BCD, odd ones with a zero: in front where the length is fixed, else behind."""
    yield "t", _ALWAYS | {"data_enc": "b", "max_len": 2}
    yield "p", _ALWAYS | {"data_enc": "b", "max_len": 8}
    for entry in _BINARY_1987.replace("\n", " ").split(","):
        numbers, form = entry.split()
        first, _, last = numbers.partition("-")
        dots = form.count(".")
        kind, length = form.replace(".", " ").split() if dots else _divided(form)
        prefix = {"len_enc": "bcd", "len_type": dots - 1} if dots else {}
        made = _ALWAYS | prefix | _KINDS[kind] | {"max_len": int(length)}
        if kind == "x":
            made["max_len"] = 1 + int(length) // 2
        if kind in {"n", "z"}:
            made["right_pad" if dots else "left_pad"] = "0"
        for number in range(int(first), int(last or first) + 1):
            yield str(number), made


_KINDS: Mapping[str, Json] = MappingProxyType(
    {
        "n": {"data_enc": "b", "len_count": "nibbles"},
        "z": {"data_enc": "b", "len_count": "nibbles", "notation": "z"},
        "x": {"data_enc": "b", "notation": "x+n"},
        "b": {"data_enc": "b"},
        "ans": {"data_enc": "ascii"},
    }
)


def _divided(form: str) -> tuple[str, str]:
    kind = form.rstrip("0123456789")
    return kind, form.removeprefix(kind)


def _digits(length: int, **more: Json) -> Json:
    digits = {"data_enc": "b", "len_count": "nibbles", "left_pad": "0", "max_len": length}
    return _ALWAYS | digits | more


# The moov-io/iso8583 specification in github.com/alovak/cardflow-playground,
# examples/message_test.go at 66e3c94: few fields, with numbers of their own.
_CARDFLOW: Mapping[str, Json] = MappingProxyType(
    {
        "t": _ALWAYS | {"data_enc": "b", "max_len": 2},
        "p": _ALWAYS | {"data_enc": "b", "max_len": 8},
        "2": _digits(19, len_type=2),
        "3": _digits(6, notation="number", stands_for="4"),
        "4": _digits(12, stands_for="7"),
        "5": _digits(2, stands_for="39"),
        "6": _digits(6, stands_for="38"),
        "7": _digits(3, stands_for="49"),
        "8": _digits(4),
        "9": _digits(4, stands_for="14"),
        "10": _ALWAYS | {"data_enc": "ascii", "len_type": 3, "max_len": 999},
        "11": _digits(6),
    }
)

LAYOUTS: Mapping[str, Mapping[str, Json]] = MappingProxyType(
    {"erl8583-binary": dict(_binary_1987()), "cardflow-custom": _CARDFLOW}
)
"""The layouts by name; a file that describes one of the same name is followed instead."""


def as_stated(spec: Mapping[str, Json], number: int, value: str) -> tuple[str, str]:
    """Number and value of a field as the case files write them.

    Raises:
        ValueError: the value is none of its notation.
    """
    form = spec[str(number)]
    notation = _NOTATIONS.get(form.get("notation", ""))
    return form.get("stands_for", str(number)), notation(value) if notation else value
