"""Third-party wire layouts, read from pyiso8583's form into the till's own.

The form has encodings and lengths; the classes of content come from ISO 8583:1987.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from terminal.iso8583.profile import Content, Field, Layout

C = Content

# ISO 8583:1987, table of data elements; what is not here is free text (ans).
CONTENT_1987: Mapping[int, Content] = {
    **dict.fromkeys([*range(2, 7), *range(8, 12), *range(18, 28), 32, 33, 53, 70], C.N),
    **dict.fromkeys(range(66, 90), C.N),
    90: C.N,
    7: C.MMDDHHMMSS,
    12: C.HHMMSS,
    **dict.fromkeys([13, 15, 16, 17], C.MMDD),
    14: C.YYMM,
    **dict.fromkeys([28, 29, 30, 31, 97], C.XN),
    **dict.fromkeys([35, 36], C.Z),
    **dict.fromkeys([37, 38, 40, 95], C.ANP),
    **dict.fromkeys([49, 50, 51], C.AN),
    **dict.fromkeys([39, *range(91, 95)], C.AN),
    **dict.fromkeys([52, 55, 64, 96, 128], C.B),
}


def layout_from_spec(
    name: str, spec: Mapping[str, Mapping[str, Any]], deviations: Mapping[int, Content]
) -> Layout:
    """The layout of a pyiso8583 spec; ``deviations`` replace the standard's content classes."""
    content = {**CONTENT_1987, **deviations}
    fields: dict[int, Field] = {}
    for key, form in spec.items():
        if key in {"h", "t", "p", "1", "65"}:
            continue
        number = int(key)
        kind = content.get(number, C.ANS)
        if form["data_enc"] == "b" and kind in {C.ANS, C.AN, C.ANP}:
            kind = C.B
        fields[number] = Field(
            form.get("desc", "unnamed"),
            kind,
            form["max_len"],
            form["len_type"],
            form["data_enc"],
            form["len_enc"],
            nibbles=form.get("len_count") == "nibbles",
        )
    return Layout(
        name,
        fields,
        mti_encoding=spec["t"]["data_enc"],
        bitmap_encoding=spec["p"]["data_enc"],
        # npm's iso_8583 always writes sixteen bytes of bitmap.
        secondary_always=name == "npm-iso_8583",
    )
