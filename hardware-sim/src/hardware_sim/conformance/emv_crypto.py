"""The issuer's side of EMV cryptography: keys, cryptograms, answers, scripts (``crypto/*``).

Rules of this file: one table from the name of a source's function to ours; a case of a function
that is not in it is not run. Versions of cryptograms are data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
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
from hardware_sim.issuer import CRYPTOGRAM_INPUT

Arguments = Mapping[str, Json]


def _padding(args: Arguments) -> Padding:
    stated = args.get("padding_type") or "EMV"
    if args.get("padding_type") == {}:
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
    if not isinstance(stated, str):
        raise ValueError("an encipherment is Visa's, Mastercard's or EMV's")
    how = sm.Encipherment[stated]
    return sm.encipher(unhex(args["sk_smc"]), unhex(args["command_data"]), how)


def _sequence(args: Arguments) -> int:
    return int(args.get("psn") or 0)


FUNCTIONS: Mapping[str, Callable[[Arguments], bytes | str]] = {
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
}
"""The source's functions by name, in ours."""


@dataclass(frozen=True, slots=True)
class Version:
    """One scheme's cryptogram version, as far as an issuer needs it.

    ``ending`` names what follows the common input; ``script_key`` is Visa's own key or the common
    one; with ``counted`` a script's MAC covers ATC and cryptogram; ``visa_pin`` says which PIN
    block a change without the current PIN uses; ``long_accounts`` derives card keys by option B.
    """

    session: SessionKey
    padding: Padding
    ending: tuple[str, ...]
    arpc_method: int
    arpc_session: SessionKey
    script_key: str = "common"
    counted: bool = True
    visa_pin: bool = False
    encipherment: sm.Encipherment = sm.Encipherment.MASTERCARD
    long_accounts: bool = False


_MC, _COMMON, _NONE = SessionKey.MASTERCARD, SessionKey.COMMON, SessionKey.NONE
_EMV, _ZEROS = Padding.MARKED, Padding.ZEROS
_VISA_DATA, _WHOLE_IAD = sm.Encipherment.VISA, ("tag_9f10",)
VERSIONS: Mapping[str, Version] = {
    "VisaCVN10": Version(
        _NONE, _ZEROS, ("cvr",), 1, _NONE, "visa", visa_pin=True, encipherment=_VISA_DATA
    ),
    "VisaCVN18": Version(
        _COMMON,
        _EMV,
        _WHOLE_IAD,
        2,
        _COMMON,
        "visa",
        visa_pin=True,
        encipherment=_VISA_DATA,
        long_accounts=True,
    ),
    "VisaCVN22": Version(
        _COMMON, _EMV, _WHOLE_IAD, 2, _COMMON, encipherment=_VISA_DATA, long_accounts=True
    ),
    "InteracCVN133": Version(_MC, _EMV, _WHOLE_IAD, 1, _MC, counted=False),
    "MasterCardCVN16": Version(_MC, _EMV, ("cvr",), 1, _NONE),
    "MasterCardCVN17": Version(_MC, _EMV, ("cvr", "counters"), 1, _NONE),
    "MasterCardCVN20": Version(_COMMON, _EMV, ("cvr",), 1, _COMMON),
    "MasterCardCVN21": Version(_COMMON, _EMV, ("cvr", "counters"), 1, _COMMON),
}
"""The cryptogram versions by the source's names."""


class Issuer:
    """One card's keys and version: the steps of a scenario, each a method of the source's name."""

    def __init__(self, version: Version, keys: Arguments) -> None:
        self._version = version
        self.seen: dict[str, Json] = {}
        pan, sequence = keys["pan"], int(keys.get("psn") or 0)
        derive = icc_master_key_b if version.long_accounts else icc_master_key_a
        self.keys = {
            name: derive(unhex(keys[f"iss_mk_{name}"]), pan, sequence)
            for name in ("ac", "smi", "smc")
            if keys.get(f"iss_mk_{name}")
        }

    def step(self, operation: str, args: Arguments) -> Json:
        """The result of one operation.

        Raises:
            OutOfScope: there is no such operation here.
        """
        self.seen |= {name: value for name, value in args.items() if value is not None}
        derived: Mapping[str, Callable[[], Json]] = {
            "derive_icc_master_keys": lambda: {
                f"icc_mk_{name}": upper(key) for name, key in self.keys.items()
            },
            "generate_ac": lambda: upper(self._cryptogram(args)),
            "generate_arpc": lambda: upper(self._answer(args)),
            "generate_command_mac": lambda: upper(
                self._command_mac(unhex(args["command_header"]), unhex(args.get("command_data")))
            ),
            "generate_pin_change_command": lambda: upper(self._pin_change(args)),
            "encrypt_command_data": lambda: upper(
                self._enciphered(unhex(args.get("command_data") or args.get("data")))
            ),
        }
        if operation in derived:
            return derived[operation]()
        if operation.startswith("derive_sk_"):
            return upper(self._derived(operation.removeprefix("derive_sk_"), args))
        raise OutOfScope(f"no issuer here does {operation}")

    def _session(self, how: SessionKey) -> bytes:
        atc, number = unhex(self.seen.get("tag_9f36")), unhex(self.seen.get("tag_9f37"))
        return session_key(how, self.keys["ac"], atc, number)

    def _derived(self, name: str, args: Arguments) -> bytes:
        use, _, how = name.partition("_")
        if use == "sm":
            if how == "visa":
                key = unhex(args["icc_mk_sm"]) if args.get("icc_mk_sm") else self.keys["smi"]
                return sm.visa_messaging_key(key, unhex(self.seen["tag_9f36"]))
            key = unhex(args["icc_mk_sm"]) if args.get("icc_mk_sm") else self.keys["smi"]
            return sm.script_session_key(key, unhex(self.seen["tag_9f26"]))
        try:
            return self._session(SessionKey[how.upper()])
        except KeyError as cause:
            raise OutOfScope(f"no session key is derived as {name}") from cause

    def _cryptogram(self, args: Arguments) -> bytes:
        data = b"".join(unhex(args[f"tag_{tag:02x}"]) for tag in CRYPTOGRAM_INPUT)
        data += b"".join(unhex(args[name]) for name in self._version.ending)
        return mac(self._session(self._version.session), data, self._version.padding)

    def _answer(self, args: Arguments) -> bytes:
        key = self._session(self._version.arpc_session)
        cryptogram = unhex(args["tag_9f26"])
        if self._version.arpc_method == 1:
            return arpc_method_1(key, cryptogram, unhex(args["arpc_rc"]))
        extra = unhex(args.get("proprietary_auth_data"))
        return arpc_method_2(key, cryptogram, unhex(args["csu"]), extra)

    def _script_key(self, key: bytes) -> bytes:
        if self._version.script_key == "visa":
            return sm.visa_messaging_key(key, unhex(self.seen["tag_9f36"]))
        return sm.script_session_key(key, unhex(self.seen["tag_9f26"]))

    def _command_mac(self, header: bytes, data: bytes) -> bytes:
        between = b""
        if self._version.counted:
            between = unhex(self.seen["tag_9f36"]) + unhex(self.seen["tag_9f26"])
        return sm.command_mac(self._script_key(self.keys["smi"]), header + between + data)

    def _enciphered(self, data: bytes) -> bytes:
        return sm.encipher(self._script_key(self.keys["smc"]), data, self._version.encipherment)

    def _pin_change(self, args: Arguments) -> bytes:
        current = args.get("current_pin")
        if current is not None or self._version.visa_pin:
            block = sm.visa_pin_block(self.keys["ac"], args["pin"], current)
        else:
            block = sm.iso_2_pin_block(args["pin"])
        data = self._enciphered(block)
        header = bytes((0x84, 0x24, 0x00, 0x01 if current is not None else 0x02, len(data) + 8))
        return header + data + self._command_mac(header, data)


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
