"""What cards that decide at once wish for, and whether a device is believed."""

from __future__ import annotations

import pytest

from terminal.emv.kernels import (
    c6,
    fast_dda,
)
from terminal.emv.kernels.activation import ARQC, TC, Activation
from terminal.emv.kernels.at_once import Wishes
from terminal.errors import CardError
from tests.terminal.emv.steps import ACCOUNT, account_of, activation

WISHES = (
    *("online_pin", "signature", "on_device", "online_if_unauthenticated"),
    *("switch_if_unauthenticated", "online_if_expired", "or_signature", "or_nothing"),
)


def wishes_of(at: Activation, kernel: int) -> list[str] | None:
    found: Wishes | None = c6._wishes(at) if kernel == 6 else fast_dda.wishes(at)
    return None if found is None else [name for name in WISHES if getattr(found, name)]


@pytest.mark.parametrize(
    ("kernel", "stated", "wishes"),
    [
        (6, "8000", ["online_pin"]),
        (6, "4000", ["signature"]),
        (6, "1000", ["on_device"]),
        (6, "2F00", []),
        (6, "0040", ["online_if_unauthenticated"]),
        (6, "0020", ["switch_if_unauthenticated"]),
        (6, "0008", ["online_if_expired"]),
        (6, "0002", ["or_signature"]),
        (6, "0001", ["or_nothing"]),
        (6, "0094", []),
        (6, None, None),
        (3, "8000", ["online_pin"]),
        (3, "4000", ["signature"]),
        (3, "2000", ["online_if_unauthenticated"]),
        (3, "1000", ["switch_if_unauthenticated"]),
        (3, "0800", ["online_if_expired"]),
        (3, "0080", ["on_device"]),
        (3, "077F", []),
        (3, None, None),
    ],
)
def test_what_a_card_wishes(kernel: int, stated: str | None, wishes: list[str] | None) -> None:
    tag = 0x9F71 if kernel == 6 else 0x9F6C
    at = activation(kernel, {} if stated is None else {tag: stated})
    assert wishes_of(at, kernel) == wishes


@pytest.mark.parametrize("kernel", [3, 6])
@pytest.mark.parametrize("stated", ["", "80", "800000"])
def test_wishes_have_two_bytes(kernel: int, stated: str) -> None:
    at = activation(kernel, {0x9F71 if kernel == 6 else 0x9F6C: stated})
    with pytest.raises(CardError, match="do not have two bytes"):
        wishes_of(at, kernel)


# 9F69 is absent, agrees or differs; strict; a signature is there; the cryptogram; believed?
@pytest.mark.parametrize(
    ("related", "strict", "signed", "kind", "believed"),
    [
        (None, False, False, ARQC, True),
        (None, False, False, TC, False),
        (None, True, False, ARQC, False),
        (None, True, False, TC, False),
        ("0100000000" + "0080", False, False, ARQC, True),
        ("0100000000" + "0080", False, False, TC, True),
        ("0100000000" + "0080", False, True, TC, True),
        ("0100000000" + "0080", True, False, TC, True),
        ("0100000000" + "0080", True, True, ARQC, False),
        ("0100000000" + "0080", True, False, ARQC, False),
        ("0100000000" + "0080", False, True, ARQC, True),
        ("0100000000" + "0000", False, False, ARQC, False),
        ("0100000000" + "00", False, False, ARQC, False),
        ("01000000" + "0080", False, False, ARQC, False),
    ],
)
def test_whether_a_devices_word_is_believed(
    related: str | None, kind: int, *, strict: bool, signed: bool, believed: bool
) -> None:
    objects: dict[int, str | bytes] = {**ACCOUNT, 0x9F6C: "0080"}
    if related is not None:
        objects[0x9F69] = related
    if signed:
        objects[0x9F4B] = bytes(128)
    at = activation(3, objects, aip="2000", signed_device_cvm_only=strict)
    assert fast_dda.confirms_device(at, account_of(), kind) is believed


def test_a_signature_that_does_not_hold_confirms_nothing() -> None:
    objects: dict[int, str | bytes] = {**ACCOUNT, 0x9F6C: "0080", 0x9F69: "01000000000080"}
    objects |= {0x9F4B: bytes(128), 0x8F: "F9"}
    assert not fast_dda.confirms_device(activation(3, objects, aip="2000"), account_of(), ARQC)
    # Without a signature the issuer decides, also where the key is known.
    del objects[0x9F4B]
    assert fast_dda.confirms_device(activation(3, objects, aip="2000"), account_of(), ARQC)
    objects[0x9F4B] = bytes(128)
    unknown = activation(3, {**objects, 0x8F: "F8"}, aip="2000")
    assert fast_dda.confirms_device(unknown, account_of(), ARQC)
