"""The issuer's side of EMV cryptography: keys, cryptograms, answers, scripts (``crypto/*``).

Rules of this file: one table from the name of a source's function to ours; a case of a function
that is not in it is not run. Versions of cryptograms are data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from hardware_sim import secure_messaging as sm
from hardware_sim.conformance.case import (
    Case,
    Document,
    Format,
    Json,
    Library,
    Mismatch,
    OutOfScope,
    kinds,
    refused,
    same,
    unhex,
    upper,
)
from hardware_sim.conformance.issuer_steps import VERSIONS, Arguments, Issuer, Version
from hardware_sim.cryptogram import (
    Padding,
    SessionKey,
    arpc_method_1,
    arpc_method_2,
    common_session_key,
    icc_master_key_a,
    icc_master_key_b,
    mac,
    pad,
    session_key,
)


def _padding(args: Arguments) -> Padding:
    stated = args.get("padding_type") or "EMV"
    if stated not in ("VISA", "EMV") or args.get("padding_type") == {}:
        raise ValueError("a padding is Visa's or EMV's")
    return Padding.ZEROS if stated == "VISA" else Padding.MARKED


def _iso_mac(args: Arguments) -> bytes:
    methods = {1: Padding.ZEROS, 2: Padding.MARKED}
    if args.get("padding") not in methods:
        raise ValueError("there are the padding methods 1 and 2")
    made = mac(
        unhex(args["key1"]) + unhex(args["key2"]), unhex(args["data"]), methods[args["padding"]]
    )
    return made[: args.get("length") or 8]


def _padded(padding: Padding, args: Arguments) -> bytes:
    """Padding to blocks of 8, or of 16 as AES has them (ISO/IEC 9797-1, 6.3)."""
    size = args.get("block_size") or 8
    data = unhex(args["data"])
    if size == 8:
        return pad(data, padding)
    data += b"\x80" if padding is Padding.MARKED else b""
    return data.ljust(max(size, -(-len(data) // size) * size), b"\0")


def _enciphered(args: Arguments) -> bytes:
    stated = args.get("encryption_type")
    if not isinstance(stated, str) or stated not in sm.Encipherment.__members__:
        raise ValueError("an encipherment is Visa's, Mastercard's or EMV's")
    how = sm.Encipherment[stated]
    return sm.encipher(unhex(args["sk_smc"]), unhex(args["command_data"]), how)


def _odd_parity(key: bytes) -> bytes:
    """The key with the low bit of each byte as DES wants it."""
    return bytes(byte ^ (byte.bit_count() % 2 == 0) for byte in key)


def _sequence(args: Arguments) -> int:
    return int(args.get("psn") or 0)


FUNCTIONS: Mapping[str, Callable[[Arguments], bytes | str | int]] = {
    "generate_ac": lambda a: mac(unhex(a["sk_ac"]), unhex(a["data"]), _padding(a))[
        : a.get("length") or 8
    ],
    "generate_arpc_1": lambda a: arpc_method_1(
        unhex(a["sk_ac"]), unhex(a["arqc"]), unhex(a["arpc_rc"])
    ),
    "generate_arpc_2": lambda a: arpc_method_2(
        unhex(a["sk_ac"]), unhex(a["arqc"]), unhex(a["csu"]), unhex(a.get("prop_auth_data"))
    ),
    "derive_common_sk": lambda a: common_session_key(unhex(a["icc_mk"]), unhex(a["r"])),
    "derive_visa_sm_sk": lambda a: sm.visa_messaging_key(unhex(a["icc_mk"]), unhex(a["atc"])),
    "derive_emv2000_tree_sk": lambda a: sm.tree_session_key(
        unhex(a["icc_mk"]),
        unhex(a["atc"]),
        height=a.get("height") or 8,
        branches=a.get("branch_factor") or 4,
        iv=unhex(a["iv"]) if a.get("iv") else bytes(16),
    ),
    "derive_icc_mk_a": lambda a: icc_master_key_a(unhex(a["iss_mk"]), a["pan"], _sequence(a)),
    "derive_icc_mk_b": lambda a: icc_master_key_b(unhex(a["iss_mk"]), a["pan"], _sequence(a)),
    "mac_iso9797_3": _iso_mac,
    "pad_iso9797_1": partial(_padded, Padding.ZEROS),
    "pad_iso9797_2": partial(_padded, Padding.MARKED),
    "generate_command_mac": lambda a: sm.command_mac(
        unhex(a["sk_smi"]), unhex(a["command"]), a.get("length") or 8
    ),
    "encrypt_command_data": _enciphered,
    "format_vis_pin_block": lambda a: sm.visa_pin_block(
        unhex(a["icc_mk_ac"]), a["pin"], a.get("current_pin")
    ),
    "format_iso9564_2_pin_block": lambda a: sm.iso_2_pin_block(a["pin"]),
    "generate_cvc3": lambda a: str(
        sm.cvc3(unhex(a["icc_cvc3"]), unhex(a["track_template"]), unhex(a["atc"]), unhex(a["un"]))
    ),
    "xor": lambda a: bytes(x ^ y for x, y in zip(unhex(a["data"]), unhex(a["key"]), strict=False)),
    "odd_parity": lambda a: int(a["v"]).bit_count() % 2,
    "adjust_key_parity": lambda a: _odd_parity(unhex(a["key"])),
    "key_check_digits": lambda a: sm.encrypted(unhex(a["key"]), bytes(8))[: a.get("length") or 2],
    "encrypt_tdes_ecb": lambda a: sm.encrypted(unhex(a["key"]), unhex(a["data"])),
    "encrypt_tdes_cbc": lambda a: sm.encrypted(
        unhex(a["key"]), unhex(a["data"]), iv=unhex(a["iv"])
    ),
}
"""The source's functions by name, in ours."""


def _function(name: str, args: Arguments, case: Json) -> str:
    function = FUNCTIONS.get(name.rpartition(".")[2])
    if function is None:
        raise OutOfScope(f"no issuer here does {name}")
    if "expected_error" in case:
        return f"refused: {refused('it', partial(function, args), by=ValueError)}"
    made = function(args)
    same("the result", upper(made) if isinstance(made, bytes) else made, _expected(case))
    return ""


def _expected(case: Json) -> Json:
    for name in ("result", "output"):
        if name in case:
            return case[name]
    raise Mismatch("the case states no result")


def _function_cases(document: Document, _: Library) -> Iterator[Case]:
    for number, case in enumerate(document.content["cases"], 1):
        yield Case(
            f"{number}: {case.get('from', case['function'])}",
            f"{case['function']}, {'refused' if 'expected_error' in case else 'byte for byte'}",
            partial(_function, case["function"], case["input"], case),
        )


def _version(name: str) -> Version:
    if name not in VERSIONS:
        raise OutOfScope(f"no issuer here knows {name}")
    return VERSIONS[name]


def _scenario(content: Json) -> str:
    version = _version(content["cryptogram_version"])
    first = next(
        step["input"] for step in content["steps"] if step["operation"] == "derive_icc_master_keys"
    )
    issuer = Issuer(version, first)
    done = 0
    # A source may write a session key after or before the step that uses it.
    for step in content["steps"]:
        issuer.seen |= {name: value for name, value in step["input"].items() if value is not None}
    for step in content["steps"]:
        made = issuer.step(step["operation"], step["input"])
        expected = step.get("output")
        if expected is None:
            continue
        if isinstance(expected, dict):
            made = {name: made.get(name) for name in expected}
        same(step["operation"], made, expected)
        done += 1
    return f"{done} steps"


def _scenario_cases(document: Document, _: Library) -> Iterator[Case]:
    yield Case(
        document.content["cryptogram_version"],
        "an issuer's whole work for one card, step by step",
        partial(_scenario, document.content),
    )


def _vector(case: Json) -> str:
    args = case["args"]
    scheme = args.get("_scheme")
    if scheme is None:
        return _function(case["op"], args, case)
    keys = {name.removeprefix("ctor_"): v for name, v in args.items() if name.startswith("ctor_")}
    issuer = Issuer(_version(scheme), keys)
    rest = {name: value for name, value in args.items() if not name.startswith(("ctor_", "_"))}
    same("the result", issuer.step(case["op"], rest), _expected(case))
    return ""


def _is_vectors(document: Document) -> bool:
    first = document.content["vectors"][0]
    return isinstance(first, dict) and {"op", "args"} <= first.keys()


def _vector_cases(document: Document, _: Library) -> Iterator[Case]:
    for case in document.content["vectors"]:
        scheme = case["args"].get("_scheme", "")
        yield Case(
            case.get("id", case["op"]),
            f"{scheme} {case['op']}, byte for byte".lstrip(),
            partial(_vector, case),
        )


def _hardware(case: Json) -> str:
    """A chain from an issuer's key, or from a session key, to a cryptogram that a card made."""
    steps = []
    if "issuer_mk_ac" in case:
        card = icc_master_key_a(unhex(case["issuer_mk_ac"]), case["pan"], int(case.get("psn") or 0))
        same("the card's key", upper(card), case.get("icc_mk_ac", upper(card)))
        key = session_key(SessionKey.COMMON, card, unhex(case["atc"]), bytes(4))
        same("the session key", upper(key), case.get("session_key", upper(key)))
        steps = ["card key", "session key"]
    else:
        key = unhex(case["session_key"])
    padding = Padding.ZEROS if "padding 1" in case.get("algorithm", "") else Padding.MARKED
    made = mac(key, unhex(case["ac_input"]), padding)
    stated = next((case[name] for name in ("arqc", "ac", "tc", "aac") if name in case), None)
    same("the cryptogram", upper(made), stated)
    if "arpc" in case:
        steps.append("ARPC")
        same("the ARPC", upper(_arpc_of(case, key)), case["arpc"])
    return ", ".join([*steps, "cryptogram"])


def _arpc_of(case: Json, key: bytes) -> bytes:
    cryptogram = unhex(case.get("arqc") or case.get("ac"))
    if "csu" in case:
        return arpc_method_2(key, cryptogram, unhex(case["csu"]), unhex(case.get("prop_auth_data")))
    code = unhex(case.get("arpc_rc") or case.get("arc"))
    return arpc_method_1(key, cryptogram, code)


def _hardware_cases(document: Document, _: Library) -> Iterator[Case]:
    for number, case in enumerate(document.content["cases"], 1):
        yield Case(
            case.get("name", str(number)),
            "a cryptogram of a real card, recomputed",
            partial(_hardware, case),
        )


FORMATS = (
    Format("function_vectors", "EMV cryptography", kinds("function_vectors"), _function_cases),
    Format(
        "issuer_cryptogram_scenario",
        "Issuer scenarios",
        kinds("issuer_cryptogram_scenario"),
        _scenario_cases,
    ),
    Format(
        "hardware_cryptograms",
        "Cryptograms of real cards",
        kinds("hardware_cryptograms"),
        _hardware_cases,
    ),
    Format("emv_cryptograms", "EMV cryptography of an HSM", _is_vectors, _vector_cases),
)
"""The formats of this file."""
