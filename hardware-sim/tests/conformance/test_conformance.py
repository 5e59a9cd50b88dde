"""Third-party cases against the product, and wrong ones against the runner."""

from __future__ import annotations

import json
import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hardware_sim.conformance.case import Document, Library, Verdict
from hardware_sim.conformance.runner import format_of, load, run, run_document

# What a case expects stands under these keys. Prose in them (the outcome of a contact terminal,
# an error message of the source) means something and is compared by meaning, so it is no hex.
EXPECTATION = re.compile(
    r"expected|^(output|result|recovered|cipher|ac|kd|z|fields|encrypted_pin_block|initial_key)$"
    r"|^(txn_key|update_key|kcv|ciphertext|ct|nonce|exported_value|shared_secret|base_nonce)$"
    r"|^(exporter_secret|pkRm|mac_re\w+_4|clear_pin_block_iso0|arqc)$|_key_aes\d+$"
)
# What stands there and is an input, or belongs to a purse and a log that are no EMV.
INPUTS = frozenset(
    {
        *("response", "5F2A", "9F1A", "9F37", "9C", "9A", "terminal_9F02"),
        *("cvr_of_arqc", "iban", "bic", "first_log_record"),
    }
)
PURSE = "GELDKARTE"
HEX = re.compile(r"[0-9A-Fa-f]{2,}")


def failures(folder: Path) -> list[str]:
    return [
        f"{each.file}: {each.case}: {each.remark}"
        for each in run(folder)
        if each.verdict is Verdict.FAIL
    ]


def test_every_shared_case_passes(vectors_dir: Path) -> None:
    results = run(vectors_dir)
    assert not failures(vectors_dir)
    assert sum(each.verdict is Verdict.PASS for each in results) >= 1015
    assert all(each.remark for each in results if each.verdict is Verdict.NOT_RUN)


def test_names_and_folders_do_not_matter(vectors_dir: Path, tmp_path: Path) -> None:
    """Files that refer to one another keep their names; everything else is renamed and mixed."""
    library = load(vectors_dir)
    named = {
        str(document.content.get(key))
        for document in library.documents
        if isinstance(document.content, dict)
        for key in ("base_case",)
    } | {
        str(document.content["expected"].get("equivalent_to"))
        for document in library.documents
        if document.kind == "apdu_transcript"
    }
    for number, document in enumerate(library.documents):
        keeps = document.path.stem in named
        name = document.path.name if keeps else f"{number}.txt"
        shutil.copy(document.path, tmp_path / name)
    assert not failures(tmp_path)
    plain = [each for each in run(vectors_dir) if each.verdict is Verdict.PASS]
    moved = [each for each in run(tmp_path) if each.verdict is Verdict.PASS]
    assert len(moved) == len(plain)


CARD = {"kind": "apdu_transcript", "exchanges": [], "expected": {}}
MESSAGE = {"id": "a", "hex": "zz", "profile": "mine", "fields": {}}
TABLE = {"t": {"data_enc": "b", "max_len": 2}, "p": {"data_enc": "b", "max_len": 8}}


@pytest.mark.parametrize(
    ("name", "text", "verdict", "said"),
    [
        ("cut.json", '{"kind": "capk",\n "cases": [', Verdict.FAIL, "line 2, column 12"),
        ("cut.case", '{"kind": ', Verdict.FAIL, "the file is no JSON: line 1, column 10"),
        ("latin.json", '{"kind": "caf\xe9"}', Verdict.FAIL, "no UTF-8 from byte 13 on"),
        ("deep.json", "[" * 100_000, Verdict.FAIL, "recursion"),
        ("other.json", '{"kind": "recipe", "cases": []}', Verdict.NOT_RUN, "no format"),
        (
            "card.json",
            json.dumps(CARD | {"exchanges": [{"command": "00A4"}]}),
            Verdict.FAIL,
            "resp",
        ),
        (
            "hex.json",
            json.dumps([{"vectors": [MESSAGE]}, {"mine": TABLE}]),
            Verdict.FAIL,
            "'zz' is no",
        ),
    ],
)
def test_a_broken_file_is_named_with_its_place(
    tmp_path: Path, name: str, text: str, verdict: Verdict, said: str
) -> None:
    folder = tmp_path / "of" / "somebody"
    folder.mkdir(parents=True)
    parts = json.loads(text) if name == "hex.json" else [None]
    for number, part in enumerate(parts):
        whole = text if part is None else json.dumps(part)
        (folder / (f"{number}{name}" if number else name)).write_bytes(whole.encode("latin-1"))
    (tmp_path / "README.md").write_bytes(b"no case file, \xff")
    results = run(tmp_path)
    assert {each.file for each in results} == {f"of/somebody/{name}"}
    assert {each.verdict for each in results if said in each.remark} == {verdict}


def leaves(content: Any, *, inside: bool = False) -> Iterator[tuple[Any, Any]]:
    """Each place of hexadecimal that a document expects: container and key."""
    if isinstance(content, dict):
        refusal = "expected_error" in content or content.get("result") == "invalid"
        if refusal or ("hex" in content and content["hex"] is None):
            # What is refused has no result, and a message without bytes has no other witness.
            return
        if content.get("event") == "test_kernel_apdu" or content.get("scheme") == PURSE:
            return
    pairs = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in pairs:
        if key in INPUTS:
            continue
        expected = inside or bool(EXPECTATION.search(str(key)))
        if isinstance(value, dict | list):
            yield from leaves(value, inside=expected)
        elif expected and isinstance(value, str) and HEX.fullmatch(value):
            yield content, key


def pieces(document: Document) -> list[Document]:
    """A file of many cases as files of one case each."""
    content = document.content
    for name in ("cases", "vectors", "keys"):
        if isinstance(content, dict) and isinstance(content.get(name), list):
            return [Document(document.path, content | {name: [each]}) for each in content[name]]
    return [document]


def mutants(document: Document, chance: random.Random) -> Iterator[tuple[str, Document]]:
    """A mutant for each expected value: a hexadecimal digit changed."""
    for piece in pieces(document):
        text = json.dumps(piece.content)
        for number in range(len(list(leaves(json.loads(text))))):
            content = json.loads(text)
            place, key = list(leaves(content))[number]
            value = place[key]
            at = chance.randrange(len(value))
            digit = str((int(value[at], 16) + 1 + chance.randrange(8)) % 10)
            place[key] = value[:at] + digit + value[at + 1 :]
            if place[key] != value:
                yield f"{key}: {value[:20]} -> {place[key][:20]}", Document(piece.path, content)


def files() -> list[str]:
    root = Path(__file__).resolve().parents[4] / "shared" / "vectors"
    return sorted(str(path.relative_to(root)) for path in root.rglob("*.json"))


@pytest.mark.parametrize("name", files())
def test_a_wrong_expectation_fails(vectors_dir: Path, name: str) -> None:
    path = vectors_dir / name
    whole = load(path.parent)
    document = next(each for each in whole.documents if each.path == path)
    if format_of(document) is None:
        return
    seed = 8
    chance = random.Random(seed)
    others = tuple(each for each in whole.documents if each.path != path)
    chosen = list(mutants(document, chance))
    survivors = []
    for what, mutant in chance.sample(chosen, min(len(chosen), 40)):
        results = list(run_document(mutant, Library((*others, mutant)), path.parent))
        runs = [each for each in results if each.verdict is not Verdict.NOT_RUN]
        if runs and not any(each.verdict is Verdict.FAIL for each in runs):
            survivors.append(what)
    assert not survivors, f"seed {seed}: {survivors}"
