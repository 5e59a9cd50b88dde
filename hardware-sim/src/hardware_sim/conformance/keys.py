"""DUKPT and key blocks (``crypto/*``).

Rules of this file: a vector's format is told by its keys, since these files have no other name
for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from drivers import dukpt as till_dukpt
from drivers.key_blocks import unwrap as till_unwrap
from hardware_sim import dukpt
from hardware_sim.conformance.case import (
    Case,
    Document,
    Format,
    Json,
    Library,
    refused,
    require,
    same,
    unhex,
    upper,
)
from hardware_sim.cryptogram import Padding, mac
from hardware_sim.key_blocks import unwrap
from terminal.errors import KeyStoreError

_STEPS_MAX = 10_000
"""How many transactions the till's own registers are walked through for one case."""

_USAGES = {
    "pin_encryption_key": dukpt.PIN_ENCRYPTION,
    "mac_generation_key": dukpt.MAC_GENERATION,
    "mac_verification_key": dukpt.MAC_VERIFICATION,
    "mac_both_key": dukpt.MAC_BOTH,
    "mac_both_ways_key": dukpt.MAC_BOTH,
    "data_encryption_encrypt_key": dukpt.DATA_ENCRYPT,
    "data_encryption_decrypt_key": dukpt.DATA_DECRYPT,
    "data_encryption_both_key": dukpt.DATA_BOTH,
    "data_encryption_both_ways_key": dukpt.DATA_BOTH,
    "key_encryption_key": dukpt.KEY_ENCRYPTION,
}


def _aes(case: Json) -> str:
    initial = dukpt.aes_initial_key(unhex(case["bdk"]), unhex(case["initial_key_id"]))
    same("the initial key", upper(initial), case.get("initial_key", upper(initial)))
    steps = ["initial key"]
    if "update_key" in case:
        # X9.24-3, 6.6: the last counter derives nothing but the key for the next initial key.
        serial = unhex(case["initial_key_id"]) + b"\xff" * 4
        key = dukpt.aes_transaction_key(initial, serial)
        kind = case.get("update_key_type", "AES128")
        made = dukpt.aes_working_key(key, dukpt.KEY_ENCRYPTION, kind, serial)
        same("the update key", upper(made), case["update_key"])
        steps.append("update key")
    if "ksn" not in case:
        return ", ".join(steps)
    serial = unhex(case["ksn"])
    key = dukpt.aes_transaction_key(initial, serial)
    if "txn_key" in case:
        same("the transaction key", upper(key), case["txn_key"])
        steps.append("transaction key")
    same("the counter", len(serial), 12)
    tills = _by_the_till(initial, serial[:8], int.from_bytes(serial[8:]))
    if tills is not None:
        same("the transaction key that the till comes to", upper(tills), upper(key))
        steps.append("the till's registers")
    for name, value in case.items():
        usage, _, kind = name.rpartition("_")
        if usage in _USAGES:
            made = dukpt.aes_working_key(key, _USAGES[usage], kind.upper(), serial)
            same(name, upper(made), value)
            same(
                f"{name} of the till",
                upper(till_dukpt.working_key(key, _USAGES[usage], serial, len(made))),
                value,
            )
            steps.append(name.replace("_", " "))
    if "pin_block" in case:
        stated = case["pin_block"]
        pin_key = dukpt.aes_working_key(key, dukpt.PIN_ENCRYPTION, "AES128", serial)
        field = stated["pin_field_with_published_random"]
        same(
            "the PIN field",
            field[: 2 + len(stated["pin"])],
            f"4{len(stated['pin']):X}{stated['pin']}",
        )
        made = dukpt.iso_4_pin_block(pin_key, unhex(field), stated["pan"])
        same("the PIN block", upper(made), stated["encrypted_pin_block"])
        steps.append("PIN block")
    return ", ".join(steps)


def _tdes(case: Json) -> str:
    serial = unhex(case["ksn"])
    initial = dukpt.tdes_initial_key(
        unhex(case["bdk"]), unhex(case.get("initial_ksn", case["ksn"]))
    )
    same("the initial key", upper(initial), case.get("initial_key", upper(initial)))
    key = dukpt.tdes_transaction_key(initial, serial)
    same("the transaction key", upper(key), case.get("txn_key", upper(key)))
    steps = ["initial key", "transaction key"]
    if "pin" in case:
        clear = dukpt.iso_0_pin_block(case["pin"], case["pan"])
        same("the clear PIN block", upper(clear), case.get("clear_pin_block_iso0", upper(clear)))
        if "encrypted_pin_block" in case:
            made = dukpt.tdes_pin_block(key, clear)
            same("the PIN block", upper(made), case["encrypted_pin_block"])
        steps.append("PIN block")
    for name, response in (("mac_request_4", False), ("mac_response_4", True)):
        if name in case:
            mac_key = dukpt.tdes_mac_key(key, response=response)
            made = mac(mac_key, case["mac_input_ascii"].encode("ascii"), Padding.ZEROS)
            same(name, upper(made[:4]), case[name])
            steps.append(name.replace("_4", "").replace("_", " "))
    return ", ".join(steps)


def _by_the_till(initial: bytes, key_id: bytes, counter: int) -> bytes | None:
    """The transaction key as the till comes to it: through its registers, one by one."""
    if counter > _STEPS_MAX:
        return None
    state = till_dukpt.State.begin(key_id, initial)
    reached, key = 0, b""
    while reached < counter:
        reached, key, state = state.next()
    return key if reached == counter else None


def _key_block(case: Json) -> str:
    block = case["key_block"]
    open_block = partial(unwrap, unhex(case["kbpk"]), block)
    by_the_till = partial(till_unwrap, unhex(case["kbpk"]), block)
    if case.get("result", "valid") != "valid":
        refused("the block, by the till,", by_the_till, by=KeyStoreError)
        return f"refused: {refused('the block', open_block, by=ValueError)}"
    found = open_block()
    same("the key", upper(found.key), case["key"])
    if found.version == "D":
        same("the key that the till finds", upper(by_the_till().key), case["key"])
    else:
        # The till takes AES keys only: an older version is refused, however well it is made.
        refused(f"version {found.version}, by the till,", by_the_till, by=KeyStoreError)
    twin = block[:-1] + ("0" if block[-1] != "0" else "1")
    refused("a changed block", partial(unwrap, unhex(case["kbpk"]), twin), by=ValueError)
    for name, value in (
        ("usage", found.usage),
        ("algorithm", found.algorithm),
        ("mode", found.mode),
    ):
        same(name, value, case.get(name, value))
    if "kcv" in case:
        return f"version {found.version}; {_check_value(found.key, found.algorithm, case['kcv'])}"
    return f"version {found.version}"


def _check_value(key: bytes, algorithm: str, stated: str) -> str:
    """The key check value: zeros under TDES, or a CMAC of zeros for AES (X9.24-1, Annex A)."""
    size = len(stated) // 2
    made = {upper(each[:size]) for each in dukpt.check_values(key)}
    require(stated in made, f"the check value is not {stated} (algorithm {algorithm})")
    return "check value right"


def _vectors(
    check: Callable[[Json], str], proves: str, document: Document, _: Library
) -> Iterator[Case]:
    for number, case in enumerate(document.content["vectors"], 1):
        wrong = case.get("result", "valid") != "valid"
        yield Case(
            str(case.get("id", number)),
            f"refused: {case.get('reason', '')}" if wrong else proves,
            partial(check, case),
        )


def _with_keys(*names: str) -> Callable[[Document], bool]:
    def recognises(document: Document) -> bool:
        first = document.content["vectors"][0]
        return isinstance(first, dict) and set(names) <= first.keys()

    return recognises


FORMATS = (
    Format(
        "aes_dukpt",
        "AES DUKPT",
        _with_keys("bdk", "initial_key_id"),
        partial(_vectors, _aes, "every key derived at a key serial number"),
    ),
    Format(
        "tdes_dukpt",
        "Triple DES DUKPT",
        _with_keys("bdk", "ksn"),
        partial(_vectors, _tdes, "keys, PIN blocks and MACs of older readers"),
    ),
    Format(
        "tr31_key_blocks",
        "Key blocks",
        _with_keys("kbpk", "key_block"),
        partial(_vectors, _key_block, "the key; a changed block is refused"),
    ),
)
"""The formats of this file."""
