"""One issuer's keys and cryptogram versions, as the steps of a recorded scenario.

Rules of this file: versions are data; a scheme's differences are fields of them and no branches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hardware_sim import secure_messaging as sm
from hardware_sim.conformance.case import Json, OutOfScope, unhex, upper
from hardware_sim.cryptogram import (
    Padding,
    SessionKey,
    arpc_method_1,
    arpc_method_2,
    icc_master_key_a,
    icc_master_key_b,
    mac,
    session_key,
)
from hardware_sim.issuer import CRYPTOGRAM_INPUT

Arguments = Mapping[str, Json]


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
