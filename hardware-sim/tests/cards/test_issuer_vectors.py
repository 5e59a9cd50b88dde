"""The issuer's cryptography against values that payment HSMs and real cards have produced."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from hardware_sim.cryptogram import (
    Padding,
    arpc_method_1,
    arpc_method_2,
    common_session_key,
    icc_master_key_a,
    icc_master_key_b,
    mac,
    pad,
    session_key,
)
from hardware_sim.issuer import VERSIONS, CryptogramVersion, application_cryptogram

Arguments = Mapping[str, Any]


def unhex(text: str | None) -> bytes:
    return bytes.fromhex(text or "")


def padding_of(args: Arguments) -> Padding:
    return Padding.ZEROS if args.get("padding_type") == "VISA" else Padding.MARKED


FUNCTIONS: Mapping[str, Callable[[Arguments], bytes]] = {
    "generate_ac": lambda a: mac(unhex(a["sk_ac"]), unhex(a["data"]), padding_of(a)),
    "generate_arpc_1": lambda a: arpc_method_1(
        unhex(a["sk_ac"]), unhex(a["arqc"]), unhex(a["arpc_rc"])
    ),
    "generate_arpc_2": lambda a: arpc_method_2(
        unhex(a["sk_ac"]), unhex(a["arqc"]), unhex(a["csu"]), unhex(a.get("prop_auth_data"))
    ),
    "derive_common_sk": lambda a: common_session_key(unhex(a["icc_mk"]), unhex(a["r"])),
    "derive_icc_mk_a": lambda a: icc_master_key_a(
        unhex(a["iss_mk"]), a["pan"], int(a.get("psn") or 0)
    ),
    "derive_icc_mk_b": lambda a: icc_master_key_b(
        unhex(a["iss_mk"]), a["pan"], int(a.get("psn") or 0)
    ),
    "mac_iso9797_3": lambda a: mac(
        unhex(a["key1"]) + unhex(a["key2"]), unhex(a["data"]), Padding.ZEROS
    ),
    "pad_iso9797_1": lambda a: pad(unhex(a["data"]), Padding.ZEROS),
    "pad_iso9797_2": lambda a: pad(unhex(a["data"]), Padding.MARKED),
}


def test_hsm_values(vectors_dir: Path) -> None:
    file = json.loads((vectors_dir / "crypto" / "emv_cryptograms.json").read_text("utf-8"))
    seen: Counter[str] = Counter()
    for case in file["vectors"]:
        function = case["op"].rpartition(".")[2]
        if "_scheme" not in case["args"] and function in FUNCTIONS:
            assert FUNCTIONS[function](case["args"]).hex().upper() == case["result"], case["id"]
            seen[function] += 1
    assert seen == {
        "generate_ac": 6,
        "generate_arpc_1": 3,
        "generate_arpc_2": 3,
        "derive_common_sk": 12,
        "derive_icc_mk_a": 4,
        "derive_icc_mk_b": 3,
    }


@pytest.mark.parametrize(
    ("name", "count"),
    [("application_cryptogram", 21), ("key_derivation", 14), ("mac_and_padding", 11)],
)
def test_function_values(vectors_dir: Path, name: str, count: int) -> None:
    file = json.loads((vectors_dir / "emv" / "crypto" / f"{name}.json").read_text("utf-8"))
    checked = 0
    for case in file["cases"]:
        args = case["input"]
        # Blocks of 16 belong to AES, and our padding is an enum, which cannot be a dict.
        foreign = args.get("block_size", 8) != 8 or args.get("padding_type") == {}
        known = case["function"] in FUNCTIONS and args.get("padding", 1) in {1, 2}
        if foreign or not known:
            continue
        if "expected_error" in case:
            with pytest.raises(ValueError, match=r"bytes|needs"):
                FUNCTIONS[case["function"]](args)
        else:
            result = FUNCTIONS[case["function"]](args).hex().upper()
            assert result == case["output"], case["from"]
        checked += 1
    assert checked == count


def version_of(name: str) -> CryptogramVersion:
    scheme = "Visa" if name.startswith("Visa") else "Mastercard"
    return VERSIONS[scheme][int(name[-2:])]


def chip_data(args: Arguments) -> dict[int, bytes]:
    """The tags of a case, and 9F10 put together where the case has its parts."""
    data = {
        int(name.removeprefix("tag_"), 16): unhex(value)
        for name, value in args.items()
        if name.startswith("tag_")
    }
    if "cvr" in args:
        cvr = unhex(args["cvr"])
        prefix = bytes(3) if len(cvr) == 4 else bytes(2)
        data[0x9F10] = prefix + cvr + bytes(2) + unhex(args.get("counters") or "00" * 8)
    return data


@pytest.mark.parametrize(
    "name", ["visa_cvn10", "visa_cvn18", "mastercard_cvn16", "mastercard_cvn20"]
)
def test_whole_scenarios(vectors_dir: Path, name: str) -> None:
    file = json.loads((vectors_dir / "emv" / "crypto" / f"{name}.json").read_text("utf-8"))
    version = version_of(file["cryptogram_version"])
    first: Arguments = {}
    card_key, seen = b"", 0
    for step in file["steps"]:
        args, output = step["input"], step.get("output")
        match step["operation"]:
            case "derive_icc_master_keys":
                card_key = icc_master_key_b(unhex(args["iss_mk_ac"]), args["pan"], int(args["psn"]))
                assert card_key.hex().upper() == output["icc_mk_ac"]
            case "generate_ac":
                first = args
                made = application_cryptogram(version, card_key, chip_data(args))
                assert made.hex().upper() == output
            case "derive_sk_ac_none" | "derive_sk_ac_common" | "derive_sk_ac_mastercard":
                key = session_key(
                    version.session, card_key, unhex(first["tag_9f36"]), unhex(first["tag_9f37"])
                )
                assert key.hex().upper() == output
            case "generate_arpc":
                key = session_key(
                    version.arpc_session,
                    card_key,
                    unhex(first["tag_9f36"]),
                    unhex(first["tag_9f37"]),
                )
                arqc = unhex(args["tag_9f26"])
                if version.arpc_method == 1:
                    made = arpc_method_1(key, arqc, unhex(args["arpc_rc"]))
                else:
                    made = arpc_method_2(key, arqc, unhex(args["csu"]))
                assert made.hex().upper() == output
            case _:
                continue
        seen += 1
    assert seen >= 4


@pytest.mark.parametrize(
    ("case_id", "version"),
    [
        ("test_cvn_hsm::test_mastercard_cvn17-160", ("Mastercard", 17)),
        ("test_cvn_hsm::test_mastercard_cvn21-177", ("Mastercard", 21)),
        ("test_cvn_hsm::test_visa_cvn18-119", ("Visa", 18)),
    ],
)
def test_scheme_cryptograms(vectors_dir: Path, case_id: str, version: tuple[str, int]) -> None:
    file = json.loads((vectors_dir / "crypto" / "emv_cryptograms.json").read_text("utf-8"))
    (case,) = [each for each in file["vectors"] if each["id"] == case_id]
    args = case["args"]
    key = icc_master_key_b(unhex(args["ctor_iss_mk_ac"]), args["ctor_pan"], int(args["ctor_psn"]))
    scheme, number = version
    made = application_cryptogram(VERSIONS[scheme][number], key, chip_data(args))
    assert made.hex().upper() == case["result"]


def test_cryptograms_of_real_cards(vectors_dir: Path) -> None:
    path = vectors_dir / "emv" / "crypto" / "hardware_cryptograms.json"
    mastercard, visa = json.loads(path.read_text("utf-8"))["cases"]
    made = mac(unhex(mastercard["session_key"]), unhex(mastercard["ac_input"]))
    assert made.hex().upper() == mastercard["arqc"]
    card_key = icc_master_key_a(unhex(visa["issuer_mk_ac"]), visa["pan"], int(visa["psn"]))
    assert card_key.hex().upper() == visa["icc_mk_ac"]
    key = session_key(VERSIONS["Visa"][18].session, card_key, unhex(visa["atc"]), bytes(4))
    assert key.hex().upper() == visa["session_key"]
    assert mac(key, unhex(visa["ac_input"])).hex().upper() == visa["arqc"]
