"""Kernel configurations of other implementations, as this product's settings (``kernel_config``).

Rules of this file: a configuration is right when every combination in it becomes settings that the
product accepts, with the values that the file states.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hardware_sim.conformance.case import (
    Case,
    Document,
    Format,
    Json,
    Library,
    OutOfScope,
    kinds,
    require,
    same,
)
from terminal.emv.relay import RelayResistance
from terminal.emv.settings import ActionCodes, Combination, ReaderSettings

SCHEMES = {2: "Mastercard", 3: "Visa"}


def combination(
    kernel: int, transaction: Json, values: Mapping[str, str], features: Json = None
) -> Combination:
    """One AID of a configuration (Daniel Hu's form) as a combination of this product.

    ``features`` are the kernel's own switches in that form.

    Raises:
        OutOfScope: it is for a kernel that this form says nothing about.
        ConfigError: a value is outside its range.
    """
    shared: dict[str, Any] = {
        "aid": bytes.fromhex(transaction["aid"]),
        "scheme": SCHEMES.get(kernel, f"kernel {kernel}"),
        "kernel_id": kernel,
        "zero_amount_allowed": transaction.get("zeroAmountAllowedFlag", True),
        "status_check": transaction.get("statusCheckSupportFlag", False),
        "extended_selection": transaction.get("extendedSelectionSupportFlag", False),
    }
    if kernel == 3:
        return Combination(
            **shared,
            ttq=bytes.fromhex(values["9F66"]),
            contactless_limit_minor=transaction.get("readerContactlessTransactionLimit"),
            cvm_limit_minor=transaction.get("readerCVMRequiredLimit"),
            floor_limit_minor=transaction.get("readerContactlessFloorLimit"),
        )
    if kernel != 2:
        raise OutOfScope(f"the form says nothing about kernel {kernel}")
    return Combination(**shared, **_mastercard(values), **_modes(values, features or {}))


def _modes(values: Mapping[str, str], features: Mapping[str, Json]) -> dict[str, Any]:
    """What kernel 2 may do at all: its configuration (DF811B) and the form's own switches."""
    configured = int(values.get("DF811B") or "00", 16)
    relay = bool(features.get("relayResistenceSupported"))
    return {
        "mag_stripe_mode": features.get("emvModeOnly") is False and not configured & 0x80,
        "relay_resistance": RelayResistance() if relay else None,
    }


def _mastercard(values: Mapping[str, str]) -> dict[str, Any]:
    """Kernel 2's own settings; what the file leaves out has the kernel's default (Book C-2)."""

    def limit(tag: str) -> int:
        return int(values.get(tag) or "0")

    def code(tag: str) -> bytes:
        return bytes.fromhex(values.get(tag) or "840000000C")

    return {
        "contactless_limit_minor": limit("DF8124"),
        "on_device_limit_minor": limit("DF8125"),
        "cvm_limit_minor": limit("DF8126"),
        "floor_limit_minor": limit("DF8123"),
        "action_codes": ActionCodes(
            denial=code("DF8121"), online=code("DF8122"), default=code("DF8120")
        ),
        "cvm_capability": int(values.get("DF8118") or "00", 16),
        "no_cvm_capability": int(values.get("DF8119") or "00", 16),
        "relay_resistance_in_tvr": True,
    }


def _inherited(document: Document, library: Library) -> dict[int, dict[str, Any]]:
    """The kernels of a configuration with what its parents say, the own values last."""
    content = document.content
    parent = content.get("parent")
    found: dict[int, dict[str, Any]] = {}
    if parent:
        other = next(
            (each for each in library.of_kind(document.kind) if each.content.get("name") == parent),
            None,
        )
        if other is None:
            raise OutOfScope(f"the parent {parent!r} is not here")
        found = _inherited(other, library)
    for kernel in content.get("kernels", []):
        known = found.setdefault(kernel["kernelId"], {"config": {}, "override": {}})
        known["config"] = {**known["config"], **kernel.get("config", {})}
        known["override"] = {**known["override"], **kernel.get("override", {})}
        if "application" in kernel:
            known["application"] = kernel["application"]
    return found


def _configured(document: Document, library: Library) -> str:
    content = document.content
    if "data_objects" in content:
        return _defaults(content)
    count = 0
    for number, kernel in _inherited(document, library).items():
        for application in kernel.get("application", []):
            for transaction in application.get("transaction", []):
                values = {**kernel["config"], **application.get("config", {})}
                values |= {**transaction.get("config", {}), **kernel["override"]}
                stated = {"aid": application["aid"], **transaction}
                made = combination(number, stated, values)
                ReaderSettings(int(values.get("9F1A") or 840), (made,))
                _as_stated(made, stated, values)
                count += 1
    require(count, "the configuration has no application")
    return f"{count} combinations"


def _as_stated(made: Combination, stated: Json, values: Mapping[str, str]) -> None:
    if made.kernel_id == 3:
        same("9F66", made.ttq, bytes.fromhex(values["9F66"]))
        same("limit", made.contactless_limit_minor, stated.get("readerContactlessTransactionLimit"))
        same("CVM limit", made.cvm_limit_minor, stated.get("readerCVMRequiredLimit"))
        return
    for tag, limit in (
        ("DF8123", made.floor_limit_minor),
        ("DF8124", made.contactless_limit_minor),
        ("DF8125", made.on_device_limit_minor),
        ("DF8126", made.cvm_limit_minor),
    ):
        same(tag, limit, int(values.get(tag) or "0"))


def _defaults(content: Json) -> str:
    values = content["data_objects"]
    made = combination(content["kernel_id"], {"aid": "A0000000041010"}, values)
    same("DF8120", made.action_codes.default, bytes.fromhex(values["DF8120"]))
    same("DF8121", made.action_codes.denial, bytes.fromhex(values["DF8121"]))
    same("DF8122", made.action_codes.online, bytes.fromhex(values["DF8122"]))
    return f"{len(values)} data objects"


def _cases(document: Document, library: Library) -> Iterator[Case]:
    name = document.content.get("name") or "default values"
    yield Case(name, "accepted, with the values stated", lambda: _configured(document, library))


FORMATS = (
    Format("kernel_configuration", "Kernel configurations", kinds("kernel_configuration"), _cases),
)
"""The formats of this file."""
