"""The exception file on this till: what is believed, and whom it stops."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from drivers.exception_store import ExceptionStore, exception_file
from terminal.card import Pan
from terminal.errors import ConfigError, KeyStoreError
from ui.cli import main

SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = bytes(range(16))
VISA, AMEX = "4761739001010010", "374245001741007"


def entry(text: str) -> str:
    """By the documented recipe, and not by the code that is tested."""
    return hmac.new(KEY, text.encode(), hashlib.sha256).hexdigest()[:32]


def listed(*accounts: str, version: int = 3, **changes: Any) -> dict[str, Any]:
    table = {"version": version, "issued": "2026-11-25", "key": KEY.hex()}
    return table | {"accounts": [entry(each) for each in accounts]} | changes


def written(folder: Path, table: Any) -> tuple[Path, Path]:
    content = table if isinstance(table, bytes) else json.dumps(table).encode()
    path = folder / "blocked.json"
    path.write_bytes(content)
    signature = folder / "blocked.json.sig"
    signature.write_bytes(SIGNER.sign(content))
    return path, signature


@pytest.fixture
def signer_file(tmp_path: Path) -> Path:
    (tmp_path / "till").mkdir()
    pem = SIGNER.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    path = tmp_path / "signer.pem"
    path.write_bytes(pem)
    return path


@pytest.mark.parametrize(
    ("on_the_list", "pan", "sequence", "blocked"),
    [
        ([VISA], VISA, 1, True),
        ([VISA], VISA, None, True),
        ([VISA], AMEX, 1, False),
        ([f"{VISA}-01"], VISA, 1, True),
        ([f"{VISA}-01"], VISA, 2, False),
        ([f"{VISA}-01"], VISA, None, False),
        ([f"{VISA}-12", AMEX], VISA, 12, True),
        ([f"{VISA}-12", AMEX], AMEX, 12, True),
        ([], VISA, 1, False),
    ],
)
def test_an_account_or_one_of_its_cards_is_blocked(
    tmp_path: Path,
    signer_file: Path,
    on_the_list: list[str],
    pan: str,
    sequence: int | None,
    blocked: object,
) -> None:
    store = ExceptionStore.opened(tmp_path / "till", signer_file)
    store.install(*written(tmp_path, listed(*on_the_list)))
    asked = exception_file(tmp_path / "till", signer_file)
    assert asked is not None
    assert asked(Pan(pan), sequence) is blocked
    assert VISA[:6] not in repr(store.load())


def test_none_is_installed(tmp_path: Path, signer_file: Path) -> None:
    assert exception_file(tmp_path / "till", signer_file) is None
    assert exception_file(tmp_path / "till", None) is None


def test_an_older_issue_does_not_come_back(tmp_path: Path, signer_file: Path) -> None:
    store = ExceptionStore.opened(tmp_path / "till", signer_file)
    store.install(*written(tmp_path, listed(VISA)))
    with pytest.raises(KeyStoreError, match="issue 3 is installed") as refused:
        store.install(*written(tmp_path, listed()))
    assert refused.value.remedy.endswith("let a blocked card pay again.")
    assert store.install(*written(tmp_path, listed(version=4))).accounts == frozenset()


def test_a_changed_file_is_refused(tmp_path: Path, signer_file: Path) -> None:
    store = ExceptionStore.opened(tmp_path / "till", signer_file)
    store.install(*written(tmp_path, listed(VISA)))
    path = tmp_path / "till" / "exceptions.signed"
    path.write_bytes(path.read_bytes().replace(entry(VISA).encode(), entry(AMEX).encode()))
    with pytest.raises(KeyStoreError, match="acquirer's key has signed"):
        exception_file(tmp_path / "till", signer_file)


Change = Callable[[dict[str, Any]], Any]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda _: b"no json", "is not JSON"),
        (lambda _: b"[" * 100_000, "is not JSON"),
        (lambda _: [], "exactly the fields accounts, issued, key, version"),
        (lambda table: table | {"more": 1}, "exactly the fields"),
        (lambda table: table | {"version": 0}, "whole number from 1"),
        (lambda table: table | {"version": True}, "whole number from 1"),
        (lambda table: table | {"issued": "2026-02-30"}, "no day"),
        (lambda table: table | {"issued": 20261125}, "no day"),
        (lambda table: table | {"key": "00"}, "key is not 32"),
        (lambda table: table | {"key": 7}, "key is not 32"),
        (lambda table: table | {"accounts": {}}, "accounts is no list"),
        (lambda table: table | {"accounts": [entry("1"), "FF"]}, "account 2 is not 32"),
        (lambda table: table | {"accounts": [7]}, "account 1 is not 32"),
    ],
)
def test_what_is_no_exception_file(
    tmp_path: Path, signer_file: Path, change: Change, reason: str
) -> None:
    store = ExceptionStore.opened(tmp_path / "till", signer_file)
    with pytest.raises(ConfigError, match=reason):
        store.install(*written(tmp_path, change(listed(VISA))))


def test_a_clear_account_is_refused_and_not_shown(tmp_path: Path, signer_file: Path) -> None:
    store = ExceptionStore.opened(tmp_path / "till", signer_file)
    with pytest.raises(ConfigError) as refused:
        store.install(*written(tmp_path, listed() | {"accounts": [VISA]}))
    assert VISA not in str(refused.value)


def test_the_command_takes_it_in_and_shows_it(tmp_path: Path, signer_file: Path) -> None:
    config = tmp_path / "till.toml"
    config.write_text('[acquirer]\nca_signer_file = "signer.pem"\n')
    path, _ = written(tmp_path, listed(VISA, AMEX))
    options = ["--config", str(config), "--data", str(tmp_path / "till")]

    def said(*arguments: str) -> str:
        done = CliRunner().invoke(main, ["exceptions", *arguments, *options])
        assert done.exit_code == 0, done.output
        return done.output

    assert "No exception file is installed" in said()
    assert "2 blocked" in said("--load", str(path))
    assert json.loads(said("--json")) == {"issue": 3, "issued": "2026-11-25", "accounts": 2}
    without = CliRunner().invoke(main, ["exceptions", "--data", str(tmp_path / "till")])
    assert without.exit_code == 1
    assert "ca_signer_file" in without.output
