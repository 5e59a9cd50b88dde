"""BER-TLV decode and encode against every peer on PyPI, on the templates of published transcripts.

The peers are no dependencies: they are installed at fixed versions into ``.bench/peers`` by the
first run, each alone. What a peer cannot read at all is taken out for everybody.
"""

from __future__ import annotations

import importlib
import io
import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, ratio
from terminal.emv.tlv import Tlv, decode, encode, encode_all, split

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / ".bench" / "peers"
PINNED = ("ber-tlv==0.0.6", "pytlv==0.71", "uttlv==0.7.1", "tlvdict==1.2.0", "emv==1.0.14")
# What tlvdict and emv import.
NEEDED = ("pyobjict==2.1.3", "pycountry==24.6.1")
VECTORS = ROOT.parent / "shared" / "vectors" / "emv" / "transcripts"
ROUNDS = 30
AT_LEAST = 3.0
OUTER_ONLY = frozenset({"uttlv"})
"""Peers that read the outer object alone: their tags have one fixed size."""

FLAT = frozenset({"uttlv", "pytlv"})
"""Peers that write values as they are and know no templates."""

# For a machine without the vectors: the directory of a made-up card of nfc-emv-toolkit.
MADE_UP = ("6F23840E325041592E5359532E4444463031A511BF0C0E610C4F07A0000000031010870101",)

Decoder = Callable[[bytes], object]


def templates() -> list[bytes]:
    """Each distinct template that a card of the transcripts answered; it reads in one way only."""
    found: dict[bytes, None] = {}
    for path in sorted(VECTORS.glob("*.json")) if VECTORS.is_dir() else []:
        for exchange in json.loads(path.read_text())["exchanges"]:
            answer = bytes.fromhex(exchange["response"] or "")[:-2]
            if answer[:1] in {b"\x6f", b"\x70", b"\x77"} and _is_plain(answer):
                found[answer] = None
    return list(found) or [bytes.fromhex(each) for each in MADE_UP]


def _is_plain(answer: bytes) -> bool:
    """Whether writing what was read gives the same bytes: no padding, no long forms."""
    try:
        return encode_all(decode(answer)) == answer
    except ValueError:
        return False
    except Exception:  # noqa: BLE001 - the recorded card's own faults are no matter here.
        return False


def _install() -> str:
    """Installs the peers once; what went wrong, or nothing."""
    if not PEERS.is_dir():
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target"]
        done = subprocess.run(
            [*command, str(PEERS), *PINNED, *NEEDED], capture_output=True, text=True, check=False
        )
        if done.returncode:
            return done.stderr.strip().splitlines()[-1] if done.stderr else "pip failed"
    if str(PEERS) not in sys.path:
        sys.path.append(str(PEERS))
    logging.getLogger("emv").setLevel(logging.ERROR)
    return ""


def _decoders() -> dict[str, Decoder]:
    """Each peer's way to read a template of bytes, nested objects included where it can."""
    ber = importlib.import_module("ber_tlv.tlv").Tlv
    emv = importlib.import_module("emv.protocol.structures").TLV
    py = importlib.import_module("pytlv.TLV").TLV
    fixed = importlib.import_module("uttlv").TLV

    def pytlv(data: bytes) -> object:
        """It reads hexadecimal and opens no template by itself."""
        flat = py().parse(data.hex().upper())
        for tag, value in list(flat.items()):
            if int(tag[:2], 16) & 0x20:
                flat[tag] = pytlv(bytes.fromhex(value))
        return flat

    def uttlv(data: bytes) -> object:
        """It has tags of one fixed size, so it reads the outer object alone."""
        parser = fixed(tag_size=1)
        parser.parse_array(data)
        return parser

    found: dict[str, Decoder] = {"ber-tlv": ber.parse, "emv": emv.unmarshal, "pytlv": pytlv}
    found["uttlv"] = uttlv
    try:
        parse = importlib.import_module("tlvdict").TLVDict.ParseBytes
        found["tlvdict"] = lambda data: parse(bytearray(data))
    except ImportError as missing:
        print(f"  tlvdict: {missing}")
    return found


def _encoders() -> dict[str, tuple[Callable[[list[Tlv]], Any], Callable[[Any], object]]]:
    """For each peer that nests: objects in its own form, and how it writes them."""
    ber = importlib.import_module("ber_tlv.tlv").Tlv
    found: dict[str, tuple[Callable[[list[Tlv]], Any], Callable[[Any], object]]] = {
        "ber-tlv": (_pairs, ber.build)
    }
    fixed = importlib.import_module("uttlv").TLV

    def own_form(objects: list[Tlv]) -> object:
        parser = fixed(tag_size=1)
        for each in objects:
            parser[each.tag] = each.value
        return parser

    found["uttlv"] = (own_form, lambda parser: parser.to_byte_array())
    py = importlib.import_module("pytlv.TLV").TLV
    found["pytlv"] = (
        lambda objects: {f"{each.tag:02X}": each.value.hex() for each in objects},
        lambda objects: py().build(objects),
    )
    try:
        other = importlib.import_module("tlvdict").TLVDict
        found["tlvdict"] = (lambda objects: other(_hexed(objects)), lambda made: made.encode())
    except ImportError:
        pass
    return found


def _pairs(objects: list[Tlv] | tuple[Tlv, ...]) -> list[tuple[int, Any]]:
    return [(each.tag, _pairs(each.children) if each.children else each.value) for each in objects]


def _hexed(objects: list[Tlv] | tuple[Tlv, ...]) -> dict[str, Any]:
    return {
        f"{each.tag:02X}": _hexed(each.children) if each.children else each.value.hex().upper()
        for each in objects
    }


def _encode_outer(objects: list[Tlv]) -> bytes:
    """The one object of a template's answer, its value as it is."""
    tag, value, _ = objects[0]
    return encode(tag, value)


def _each(work: Callable[[Any], object], inputs: list[Any]) -> None:
    for each in inputs:
        work(each)


def _timed(work: Callable[[], object]) -> list[float]:
    seconds = []
    for _ in range(ROUNDS):
        # A peer talks about what it does not like; that is not timed as a terminal would take it.
        with redirect_stdout(io.StringIO()):
            start = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - start)
    return seconds


def _readable(read: Decoder, data: bytes) -> bool:
    try:
        read(data)
    except Exception:  # noqa: BLE001 - whatever a peer raises, it cannot read this.
        return False
    return True


def tlv() -> Iterator[Figure]:
    """BER-TLV decode and encode against each PyPI peer, same templates, same run."""
    wires = templates()
    yield Figure("templates", f"{len(wires)}, {sum(map(len, wires))} bytes")
    missing = _install()
    if missing:
        yield Figure("peers", f"not installed: {missing}")
        return
    for name, read in _decoders().items():
        own = [wire for wire in wires if _readable(read, wire)]
        if not own:
            yield Figure(f"decode against {name}", "it reads none of them")
            continue
        # Against a peer that reads the outer object alone, ours does no more than that either.
        peer = _timed(partial(_each, read, own))
        ours = _timed(partial(_each, split if name in OUTER_ONLY else decode, own))
        yield ratio(f"decode against {name} ({len(own)} read)", ours, peer, at_least=AT_LEAST)
    objects = [decode(wire) for wire in wires]
    for name, (form, write) in _encoders().items():
        pairs = [(each, form(each)) for each in objects]
        usable = [(each, theirs) for each, theirs in pairs if _writable(write, theirs)]
        if not usable:
            yield Figure(f"encode against {name}", "it writes none of them")
            continue
        peer = _timed(partial(_each, write, [each for _, each in usable]))
        write_ours = _encode_outer if name in FLAT else encode_all
        ours = _timed(partial(_each, write_ours, [each for each, _ in usable]))
        yield ratio(f"encode against {name} ({len(usable)})", ours, peer, at_least=AT_LEAST)


def _writable(write: Callable[[Any], object], objects: object) -> bool:
    try:
        write(objects)
    except Exception:  # noqa: BLE001 - as above.
        return False
    return True
