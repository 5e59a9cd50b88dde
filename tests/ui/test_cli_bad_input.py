"""Bad input at the command line: each is named with its remedy, and nothing that was is lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.ui.certificates import Pems, make_pems
from ui.cli import main

OURS = "iso8583+tls://127.0.0.1:9?mode=test"


def run(tmp_path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(
        main, list(arguments), env={"TAPTILL_DATA": str(tmp_path / "till")}, prog_name="taptill"
    )


def assert_refused(result: Result, code: int, *words: str) -> None:
    """One message on standard error, without a traceback, that holds each of ``words``."""
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    assert result.stdout == ""
    said = " ".join(result.stderr.split())
    for word in words:
        assert word in said


# -- amounts -------------------------------------------------------------------------------------

EUR_EXAMPLE = "Type digits with a dot before the decimals, like 12.50."
AMOUNTS = {
    "comma": ("12,505", EUR_EXAMPLE),
    "negative": ("-1", EUR_EXAMPLE),
    "negative fraction": ("-12.50", EUR_EXAMPLE),
    "plus": ("+1", EUR_EXAMPLE),
    "exponent": ("1e9", EUR_EXAMPLE),
    "Devanagari": ("१२", EUR_EXAMPLE),
    "full width": ("\uff11\uff12", EUR_EXAMPLE),
    "space": ("1 250", EUR_EXAMPLE),
    "line end": ("12.50\n", EUR_EXAMPLE),
    "hexadecimal": ("0x10", EUR_EXAMPLE),
    "underscore": ("1_000", EUR_EXAMPLE),
    "not a number": ("nan", EUR_EXAMPLE),
    "empty": ("", EUR_EXAMPLE),
    "dot alone": (".", EUR_EXAMPLE),
    "three decimals": ("12.505", "has more decimals than EUR, which has 2"),
    "thirteen digits": ("12345678901.23", "Take it in parts of at most EUR 9999999999.99."),
    "zero": ("0", "An amount of zero is nothing to pay"),
    "zero with decimals": ("0.00", "An amount of zero is nothing to pay"),
}


@pytest.mark.parametrize("case", AMOUNTS)
def test_an_amount_is_refused_before_anything_is_opened(tmp_path: Path, case: str) -> None:
    text, remedy = AMOUNTS[case]
    result = run(tmp_path, "sell", text)
    named = "zero" if case.startswith("zero") else repr(text)
    assert_refused(result, 1, "taptill:", named, remedy)
    assert not (tmp_path / "till").exists()


def test_twelve_digits_are_an_amount(tmp_path: Path) -> None:
    """The control: the largest amount gets as far as the reader's address."""
    assert_refused(run(tmp_path, "sell", "9999999999.99", "--reader", "x:"), 1, "'x:'")


# -- the command line itself ---------------------------------------------------------------------

COMMANDS = {
    "unknown option": (("sell", "12.50", "--jsn"), "--jsn"),
    "option for an amount": (("sell", "--jsn"), "No such option '--jsn'"),
    "no amount": (("sell",), "Missing argument 'AMOUNT'"),
    "two amounts": (("sell", "1", "2"), "unexpected extra argument (2)"),
    "unknown command": (("sel", "1"), "No such command 'sel'"),
    "unknown report": (("report", "y"), "'y' is not one of 'x', 'z'"),
}


@pytest.mark.parametrize("case", COMMANDS)
def test_a_wrong_command_line(tmp_path: Path, case: str) -> None:
    arguments, said = COMMANDS[case]
    assert_refused(run(tmp_path, *arguments), 2, said, "--help")


# -- the configuration ---------------------------------------------------------------------------

CONFIGS: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "unknown key": (
        b"[till]\nraeder = 'sim:'\n",
        ("till.toml: [till] raeder is not a setting.", "reader"),
    ),
    "unknown table": (b"[tlil]\n", ("[tlil] is not a table", "till")),
    "key outside a table": (b"reader = 'sim:'\n", ("[reader] is not a table",)),
    "table that is none": (b"till = 1\n", ("till must be a table", "[till]")),
    "number for text": (b"[till]\nreader = 5\n", ("[till] reader must be text", "quotes")),
    "text for a number": (
        b"[timing]\npresent_s = '60'\n",
        ("[timing] present_s must be a whole number, not text", "without quotes"),
    ),
    "fraction for an amount": (
        b"[offline]\ntotal = 50.00\n",
        ("[offline] total must be an amount in quotes, not a fraction", '"50.00"'),
    ),
    "number out of range": (b"[timing]\npresent_s = 9999\n", ("present_s = 9999 is outside 5",)),
    "true for a number": (b"[timing]\npresent_s = true\n", ("a whole number, not true/false",)),
    "unknown language": (b"[shop]\nlanguage = 'xx'\n", ("language = 'xx'", "en, es")),
    "unknown currency": (b"[till]\ncurrency = 'XXX'\n", ("currency = 'XXX' is not known", "EUR")),
    "terminal id": (b"[till]\nterminal_id = 'T1'\n", ("terminal_id = 'T1'", "8 letters")),
    "not TOML": (b"[till\n", ("till.toml is not TOML", "line 1")),
    "not UTF-8": (b"[shop]\nname = 'Caf\xe9'\n", ("till.toml is not UTF-8 text (byte 18)",)),
    "a byte order mark of UTF-16": (b"\xff\xfe[\x00", ("till.toml is not UTF-8 text (byte 0)",)),
    "key twice": (b"[till]\nreader='sim:'\nreader='sim:'\n", ("till.toml is not TOML",)),
}


@pytest.mark.parametrize("command", [("sell", "1"), ("queue",), ("doctor",), ("run", "--demo")])
@pytest.mark.parametrize("case", CONFIGS)
def test_a_wrong_configuration(tmp_path: Path, case: str, command: tuple[str, ...]) -> None:
    content, words = CONFIGS[case]
    config = tmp_path / "till.toml"
    config.write_bytes(content)
    assert_refused(run(tmp_path, *command, "--config", str(config)), 1, *words)
    assert not (tmp_path / "till" / "ledger.db").exists()


@pytest.mark.parametrize("command", [("sell", "1"), ("run", "--demo")])
def test_a_time_zone_that_does_not_exist(tmp_path: Path, command: tuple[str, ...]) -> None:
    config = tmp_path / "till.toml"
    config.write_text("[shop]\ntime_zone = 'Mars/Olympus'\n")
    result = run(tmp_path, *command, "--config", str(config))
    assert_refused(result, 1, "[shop] time_zone = 'Mars/Olympus' is not known", "Europe/Madrid")
    assert not (tmp_path / "till" / "ledger.db").exists()


def test_a_configuration_that_is_missing(tmp_path: Path) -> None:
    result = run(tmp_path, "sell", "1", "--config", str(tmp_path / "none.toml"))
    assert_refused(result, 1, "none.toml cannot be read (No such file", "Check the path")


def test_a_configuration_that_is_a_folder(tmp_path: Path) -> None:
    result = run(tmp_path, "sell", "1", "--config", str(tmp_path))
    assert_refused(result, 1, f"{tmp_path} cannot be read (Is a directory)", "Check the path")


def test_a_currency_of_the_command_line(tmp_path: Path) -> None:
    result = run(tmp_path, "sell", "1", "--currency", "EURO")
    assert_refused(result, 1, "The currency 'EURO' is not known", "EUR")


# -- addresses -----------------------------------------------------------------------------------

READERS = {
    "no scheme": ("ACR1252", ("'ACR1252' begins with no known scheme", "pcsc:", "sim:")),
    "unknown scheme": ("usb:1", ("'usb:1' begins with no known scheme", "nfcpy:")),
    "unknown card": ("sim:visa-gold", ("'visa-gold', which does not exist", "visa-credit")),
    "unknown option": ("sim:visa-credit?sed=7", ("'sed', which does not exist", "seed:")),
    "bad number": ("sim:visa-credit?seed=x", ("seed='x' is not a whole number",)),
    "profile that is missing": ("sim:./none.toml", ("none.toml",)),
    "recording that is missing": ("replay:none.json", ("none.json",)),
    "serial port that is missing": ("nfcpy:tty:NONE9:pn532", ("NONE9",)),
}


@pytest.mark.parametrize("case", READERS)
def test_a_reader_that_cannot_be_used(tmp_path: Path, case: str) -> None:
    url, words = READERS[case]
    assert_refused(run(tmp_path, "sell", "1", "--reader", url), 1, *words)
    result = run(tmp_path, "queue", "--json")
    nothing: dict[str, object] = {"pending": 0, "totals": {}, "queue": [], "for_others": []}
    assert json.loads(result.stdout) == nothing


ACQUIRERS = {
    "no scheme": ("host.example", ("'host.example' begins with no known scheme", "sim:")),
    "unknown scheme": ("http://host:1", ("begins with no known scheme", "iso8583+tls:")),
    "unknown option": ("sim:?latancy_ms=4", ("latancy_ms",)),
    "no port": ("iso8583+tls://host", ("needs a host and a port", "host.example:5000")),
    "port out of range": ("iso8583+tls://host:99999", ("is malformed", "host.example:5000")),
    "unknown profile": (OURS + "&profile=x", ("no ISO 8583 profile 'x'", "base87")),
    "unknown mode": ("iso8583+tls://host:1?mode=tset", ("neither test nor production",)),
}


@pytest.mark.parametrize("case", ACQUIRERS)
def test_an_acquirer_that_cannot_be_used(tmp_path: Path, case: str) -> None:
    url, words = ACQUIRERS[case]
    assert_refused(run(tmp_path, "sell", "1", "--acquirer", url), 1, *words)
    assert not (tmp_path / "till" / "ledger.db").exists()


PRINTERS = {
    "unknown scheme": ("lpt1:", ("'lpt1:' begins with no known scheme", "file:")),
    "malformed": ("escpos:usb:zz", ("'escpos:usb:zz' is malformed",)),
    "width": ("file:receipts?width=9", ("width '9' is outside 24 to 64",)),
    "folder that is a file": ("file:{config}", ("{config} cannot be made", "file:receipts/")),
}


@pytest.mark.parametrize("case", PRINTERS)
def test_a_printer_that_cannot_be_used(tmp_path: Path, case: str) -> None:
    url, words = PRINTERS[case]
    config = tmp_path / "till.toml"
    config.touch()
    named = [text.format(config=config) for text in (url, *words)]
    result = run(tmp_path, "sell", "1", "--printer", named[0], "--config", str(config))
    assert_refused(result, 1, *named[1:])


# -- certificates --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pems(tmp_path_factory: pytest.TempPathFactory) -> Pems:
    return make_pems(tmp_path_factory.mktemp("pems"))


CERTIFICATES: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "no sealing key": ({"sealing_key_file": ""}, ("No sealing key of the acquirer",)),
    "sealing key missing": (
        {"sealing_key_file": "none.pem"},
        ("sealing key", "none.pem cannot be read (No such file"),
    ),
    "sealing key of another kind": (
        {"sealing_key_file": "certificate_public.pem"},
        ("certificate_public.pem holds a key of another kind", "X25519"),
    ),
    "sealing key that is text": ({"sealing_key_file": "text.pem"}, ("text.pem holds no public",)),
    "no CA": ({"ca_file": ""}, ("No CA file for the acquirer", "PEM")),
    "CA missing": ({"ca_file": "none.pem"}, ("CA file", "none.pem cannot be read: No such file")),
    "CA that is text": ({"ca_file": "text.pem"}, ("CA file", "text.pem cannot be used", "PEM")),
    "CA that is a folder": ({"ca_file": "."}, ("CA file", "cannot be read: Is a directory")),
    "certificate missing": (
        {"certificate_file": "none.pem"},
        ("till's certificate", "none.pem cannot be read"),
    ),
    "key missing": (
        {"private_key_file": "none.pem"},
        ("till's private key", "none.pem cannot be read"),
    ),
    "key without certificate": (
        {"certificate_file": ""},
        ("a private key", "and no certificate", "Set certificate_file"),
    ),
    "key of another certificate": (
        {"private_key_file": "other_key.pem"},
        ("does not belong to the certificate",),
    ),
    "key with a password": (
        {"private_key_file": "locked_key.pem"},
        ("locked_key.pem cannot be used", "without a password"),
    ),
}


@pytest.mark.parametrize("case", CERTIFICATES)
def test_certificate_files(tmp_path: Path, pems: Pems, case: str) -> None:
    changes, words = CERTIFICATES[case]
    files = {**pems.right, **changes}
    config = pems.folder / f"{tmp_path.name}.toml"
    rows = "".join(f"{name} = '{file}'\n" for name, file in files.items() if file)
    config.write_text(f"[acquirer]\n{rows}")
    arguments = ("sell", "1", "--config", str(config), "--acquirer", OURS)
    assert_refused(run(tmp_path, *arguments), 1, *words)
    assert not (tmp_path / "till" / "ledger.db").exists()


def test_the_right_certificate_files(tmp_path: Path, pems: Pems) -> None:
    """The control: with the files as they are, the sale is stored, since nobody answers there."""
    config = pems.folder / "right.toml"
    rows = "".join(f"{name} = '{file}'\n" for name, file in pems.right.items())
    config.write_text(f"[acquirer]\n{rows}")
    arguments = ("sell", "1", "--config", str(config), "--acquirer", OURS)
    result = run(tmp_path, *arguments, "--reader", "sim:visa-credit", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["state"] == "stored"


def test_a_production_acquirer_refuses_the_key_file(tmp_path: Path, pems: Pems) -> None:
    config = pems.folder / "production.toml"
    rows = "".join(f"{name} = '{file}'\n" for name, file in pems.right.items())
    config.write_text(f"[acquirer]\n{rows}")
    url = "iso8583+tls://127.0.0.1:9"
    result = run(tmp_path, "sell", "1", "--config", str(config), "--acquirer", url)
    assert_refused(result, 1, "level 'file' are refused", "mode=test")
    assert not (tmp_path / "till" / "ledger.db").exists()
    checked = json.loads(
        run(tmp_path, "doctor", "--config", str(config), "--acquirer", url, "--json").stdout
    )
    [found] = [row for row in checked["checks"] if row["thing"] == "acquirer"]
    assert (found["health"], "are refused" in found["finding"]) == ("failed", True)
