"""The same hostile cards with coverage as the guide: ``python -m benchmarks.fuzz_atheris CORPUS``.

Needs ``atheris``, which is no dependency: ``pip install atheris``. The arguments are libFuzzer's,
like ``-runs=1000000`` or ``-max_total_time=3600``; new inputs are kept in the folder CORPUS.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any


def main() -> None:
    """Hands every input of the fuzzer to TLV, lists and a whole tap."""
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["terminal.emv"]):
        from benchmarks.hostile import FromBytes, corpus, play  # noqa: PLC0415 - instrumented
        from terminal.emv import dol, explain, tlv  # noqa: PLC0415 - as above
        from terminal.errors import CardError  # noqa: PLC0415 - as above

    corpus()

    def one(data: bytes) -> None:
        try:
            objects = tlv.decode(data)
            tlv.encode_all(objects)
            dol.parse(data)
        except CardError:
            pass
        rows = explain.explain_tlv(data)
        assert sum(row.length for row in rows) == len(data)
        play(FromBytes(data))

    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
