from __future__ import annotations

import pytest

from terminal.emv.account import card_data, parse_date, parse_pan, parse_track1, parse_track2
from terminal.errors import CardError
from tests.conftest import require_vectors
from tests.terminal.emv.replay import load

PAN = bytes.fromhex("4761739001010010")
TRACK = bytes.fromhex("4761739001010010D22122011143844489")


def test_track2_like_nfc_emv_toolkit() -> None:
    for case in load(require_vectors() / "emv" / "decode" / "track2.json")["cases"]:
        digits = case["track2_57"]
        expected = case["expected"]
        if len(digits) % 2:
            digits += "F"
        if not expected["valid"]:
            with pytest.raises(CardError, match="track 2"):
                parse_track2(bytes.fromhex(digits))
            continue
        pan, expiry, track = parse_track2(bytes.fromhex(digits))
        assert pan.reveal() == expected["pan"]
        assert expiry == expected["expiry_yymm"]
        assert track.reveal() == case["track2_57"].removesuffix("F")
        rest = track.reveal().partition("D")[2]
        assert rest[4:7] == expected["service_code"]
        assert rest[7:] == expected["discretionary"]


@pytest.mark.parametrize(
    ("objects", "pan", "expiry", "sequence", "par"),
    [
        ({0x57: TRACK}, "4761739001010010", "2212", None, None),
        ({0x5A: PAN, 0x5F24: b"\x22\x12\x31"}, "4761739001010010", "2212", None, None),
        ({0x57: TRACK, 0x5F24: b"\x25\x01\x31"}, "4761739001010010", "2501", None, None),
        ({0x57: TRACK, 0x5A: PAN, 0x5F34: b"\x07"}, "4761739001010010", "2212", 7, None),
        ({0x57: TRACK, 0x9F24: b"A" * 29}, "4761739001010010", "2212", None, "A" * 29),
        ({0x57: TRACK, 0x9F24: b"a" * 29}, "4761739001010010", "2212", None, None),
        (
            {0x5A: bytes.fromhex("374245001741007F"), 0x5F24: b"\x22\x12\x31"},
            "374245001741007",
            "2212",
            None,
            None,
        ),
    ],
)
def test_account(
    objects: dict[int, bytes], pan: str, expiry: str, sequence: int | None, par: str | None
) -> None:
    card = card_data(objects)
    assert (card.pan.reveal(), card.expiry_yymm) == (pan, expiry)
    assert (card.sequence, card.par) == (sequence, par)
    assert (card.track2 is None) == (0x57 not in objects)


@pytest.mark.parametrize(
    ("objects", "reason"),
    [
        ({}, "no account number"),
        ({0x5A: PAN}, "no expiry"),
        ({0x57: TRACK, 0x5A: bytes.fromhex("4761739001010028")}, "one account in track 2"),
        ({0x5A: bytes.fromhex("47FF739001010010")}, r"PAN \(5A\) is malformed"),
        ({0x5A: b""}, r"PAN \(5A\) is malformed"),
        ({0x57: TRACK, 0x5F34: b"\x0a"}, "5F34"),
        ({0x57: TRACK, 0x5F34: b"\x00\x01"}, "5F34"),
        ({0x57: TRACK, 0x5F24: b"\x22\x13\x31"}, "5F24"),
        ({0x57: TRACK, 0x5F24: b"\x22\x12"}, "5F24"),
    ],
)
def test_account_refused_without_its_digits(objects: dict[int, bytes], reason: str) -> None:
    with pytest.raises(CardError, match=reason) as raised:
        card_data(objects)
    assert "4761" not in str(raised.value)


def test_padding_of_a_pan_and_dates() -> None:
    assert parse_pan(bytes.fromhex("374245001741007FFFFF")).reveal() == "374245001741007"
    assert parse_date(b"\x24\x02\x29", 0x5F24) == "240229"


@pytest.mark.parametrize(
    ("track", "names"),
    [
        (b"B4761739001010010^DOE/JANE^2212201", ("DOE", "JANE")),
        (b"B4761739001010010^ DOE ^22122010000", ("DOE",)),
    ],
)
def test_track_1(track: bytes, names: tuple[str, ...]) -> None:
    found = parse_track1(track)
    assert (found.pan.reveal(), found.expiry_yymm, found.service, found.name) == (
        *("4761739001010010", "2212", "201"),
        names,
    )
    assert "DOE" not in repr(found)


@pytest.mark.parametrize(
    "track",
    [
        b"",
        b"C4761739001010010^DOE^2212201",
        b"B4761739^DOE^2213201",
        b"B4761739001010010^DOE^221220",
        b"B4761739001010010\xff^DOE^2212201",
    ],
)
def test_what_is_no_track_1(track: bytes) -> None:
    with pytest.raises(CardError, match="track 1"):
        parse_track1(track)
