"""``taptill users`` and ``taptill keyring``: PINs at the prompt, keys in and out of use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from ui.cli import main


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """Runs a command in this process, with what is typed at its prompts."""
    monkeypatch.setenv("TAPTILL_DATA", str(tmp_path / "till"))
    return CliRunner()


def say(run: object, *arguments: str, typed: str = "") -> tuple[int, str]:
    assert isinstance(run, CliRunner)
    done = run.invoke(main, arguments, input=typed)
    return done.exit_code, done.output


def test_people_are_added_by_the_merchant_and_the_log_keeps_it(run: object) -> None:
    code, said = say(run, "users", "add", "Ada", "--role", "cashier", typed="2580\n2580\n")
    assert (code, "must be the merchant" in said) == (1, True)
    code, said = say(run, "users", "add", "Grace", "--role", "merchant", typed="583920\n583920\n")
    assert code == 0, said
    assert "583920" not in said
    add_ada = ("users", "add", "Ada", "--role", "cashier", "--by", "Grace")
    code, said = say(run, *add_ada, typed="111222\n2580\n2580\n")
    assert (code, "PIN is wrong" in said) == (1, True)
    code, said = say(run, *add_ada, typed="583920\n2580\n2581\n")
    assert (code, "differ" in said) == (1, True)
    code, said = say(run, *add_ada, typed="583920\n2580\n2580\n")
    assert code == 0, said
    code, said = say(run, "users", "remove", "Grace", "--by", "Ada", typed="2580\n")
    assert (code, "may not manage staff" in said) == (1, True)
    code, said = say(run, "users", "list", "--json")
    assert [(u["name"], u["role"]) for u in json.loads(said)["users"]] == [
        ("Ada", "cashier"),
        ("Grace", "merchant"),
    ]
    code, said = say(run, "users", "log", "--json")
    assert [(e["who"], e["what"]) for e in json.loads(said)["entries"]] == [
        ("Ada", "refused: manage staff and PINs"),
        ("Grace", "staff: added"),
        ("Grace", "wrong PIN"),
        ("nobody", "staff: added"),
    ]


def test_keys_rotate_and_are_shown(run: object) -> None:
    assert say(run, "keyring", "rotate", "ledger")[0] == 1, "there is no ledger yet"
    assert say(run, "sell", "7.00", "--reader", "sim:visa-credit")[0] == 0
    assert say(run, "keyring", "rotate", "ledger") == (
        0,
        "The key of the ledger is now number 2.\n",
    )
    code, said = say(run, "keyring", "rotate", "fingerprints")
    assert (code, said) == (0, "The key of the fingerprints is now number 2.\n")
    code, said = say(run, "keyring", "rotate", "fingerprints")
    assert (code, "not long ago" in said) == (1, True)
    code, said = say(run, "keyring", "show", "--json")
    shown = {row["key"]: row["in_use"] for row in json.loads(said)["keys"]}
    assert shown == {
        "device": "level file",
        "ledger": "epoch 2",
        "fingerprints": "epoch 2 and 1",
    }
    assert say(run, "verify")[0] == 0
    assert say(run, "sell", "7.00", "--reader", "sim:visa-credit")[0] == 0


def test_a_manifest_is_imported_shown_and_never_goes_back(run: object, tmp_path: Path) -> None:
    acquirer, old, new = (str(tmp_path / name) for name in ("acquirer", "old.json", "new.json"))
    assert say(run, "sim", "manifest", "--dir", acquirer, "--out", old)[0] == 0
    assert say(run, "sim", "manifest", "--dir", acquirer, "--rotate", "--out", new)[0] == 0
    config = tmp_path / "till.toml"
    config.write_text(f'[acquirer]\nmanifest_root_file = "{acquirer}/root.pem"\n')
    options = ("--config", str(config))
    code, said = say(run, "keyring", "import", old)
    assert (code, "No root key" in said) == (1, True)
    code, said = say(run, "keyring", "import", old, *options)
    assert (code, "Manifest 1: 1 key" in said) == (0, True), said
    code, said = say(run, "keyring", "import", new, *options)
    assert (code, "Manifest 2: 2 keys" in said) == (0, True), said
    code, said = say(run, "keyring", "import", old, *options)
    assert (code, "this till has seen 2" in said) == (1, True)
    code, said = say(run, "keyring", "show", "--json", *options)
    acquirers = [row for row in json.loads(said)["keys"] if row["key"].startswith("acquirer")]
    assert [row["in_use"] for row in acquirers] == ["seals now", "valid"]


def test_a_key_block_is_injected_once_it_opens(run: object, tmp_path: Path) -> None:
    from hardware_sim.acquirer_keys import initial_key_block  # noqa: PLC0415 - for this test alone

    block, key = tmp_path / "block.txt", tmp_path / "key.txt"
    block.write_text(initial_key_block(bytes(range(32)), bytes(32), "TAPTILL1"))
    key.write_text("11" * 32)
    inject = ("keyring", "inject", str(block), "--protection-key", str(key))
    code, said = say(run, *inject)
    assert (code, "not authentic" in said) == (1, True)
    key.write_text("00" * 32 + "\n")
    code, said = say(run, *inject)
    assert (code, "is loaded. Destroy" in said) == (0, True), said
