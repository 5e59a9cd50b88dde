"""An acquirer's address and files: every mistake is named, with what to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from drivers.acquirer import open_acquirer
from drivers.registry import AcquirerSettings
from drivers.registry import open_acquirer as open_by_scheme
from terminal.errors import ConfigError, KeyStoreError
from terminal.iso8583.hostside import compose_answer, parse_request
from terminal.iso8583.messages import Action, compose_echo, is_answer_to, read_answer
from terminal.iso8583.profiles import BASE87
from tests.drivers.tls_server import PATIENCE_S, Peer, Pki, Server

URL = "iso8583+tls://host.example:5000"


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def settings(pki: Pki) -> AcquirerSettings:
    return AcquirerSettings(
        terminal_id="T0000001",
        merchant_id="SHOP",
        state_dir=pki.folder,
        ca_file=pki.ca.file,
        certificate_file=pki.till.certificate,
        private_key_file=pki.till.key,
        sealing_key_file=pki.sealing_key,
    )


def test_an_echo_makes_the_whole_way(pki: Pki, settings: AcquirerSettings) -> None:
    def serve(peer: Peer) -> None:
        request = parse_request(BASE87, peer.receive())
        peer.send(compose_answer(BASE87, request, "00"))

    with Server(pki.server_context(pki.server, clients=pki.ca), serve) as server:
        url = f"iso8583+tls://127.0.0.1:{server.port}?profile=base87&mode=test"
        acquirer = open_by_scheme(url, settings)
        assert server.connections == 0
        link = acquirer.link()
        echo = compose_echo(
            BASE87, stan=1, at=datetime(2026, 3, 31, tzinfo=UTC), terminal_id="T0000001"
        )
        answer = link.exchange(echo, is_answer=is_answer_to(BASE87, echo), timeout_s=PATIENCE_S)
        assert read_answer(BASE87, echo, answer).action is Action.APPROVED
        link.close()
        acquirer.close()
        acquirer.close()


def test_an_acquirer_says_who_it_is(settings: AcquirerSettings) -> None:
    acquirer = open_acquirer(URL, settings)
    assert (acquirer.name, acquirer.profile) == ("host.example:5000", "base87")
    assert len(acquirer.sealer.key_id) == 16
    assert acquirer.sealer.seal(b"card", b"info") != acquirer.sealer.seal(b"card", b"info")


@pytest.mark.parametrize(
    ("query", "production"),
    [("", True), ("?profile=base87", True), ("?mode=production", True), ("?mode=test", False)],
)
def test_real_money_is_assumed(settings: AcquirerSettings, query: str, production: bool) -> None:  # noqa: FBT001 - a table's column.
    assert open_acquirer(URL + query, settings).production is production


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("iso8583+tls:", "host and a port"),
        ("iso8583+tls://", "host and a port"),
        ("iso8583+tls://host.example", "host and a port"),
        ("iso8583+tls://:5000", "host and a port"),
        ("iso8583+tls://host.example:0", "host and a port"),
        ("iso8583+tls://host.example:65536", "malformed"),
        ("iso8583+tls://host.example:five", "malformed"),
        ("iso8583+tls://[::1:5000", "malformed"),
        ("iso8583+tls://user:word@host.example:5000", "nothing else"),
        ("iso8583+tls://host.example:5000/path", "nothing else"),
        ("iso8583+tls://host.example:5000#part", "nothing else"),
        (URL + "?profile", "malformed"),
        (URL + "?profile=base87&profile=base87", "twice"),
        (URL + "?profile=base93", "base93"),
        (URL + "?timeout=3", "'timeout'"),
        (URL + "?mode=prod", "mode"),
    ],
)
def test_a_wrong_address_is_named_with_the_right_one(
    settings: AcquirerSettings, url: str, named: str
) -> None:
    with pytest.raises(ConfigError, match=named) as failed:
        open_acquirer(url, settings)
    assert "base87" in failed.value.remedy


def _files(pki: Pki) -> dict[str, Path]:
    folder = pki.folder
    (folder / "empty.pem").write_bytes(b"")
    (folder / "noise.pem").write_bytes(b"-----BEGIN CERTIFICATE-----\nnoise\n")
    return {
        "missing": folder / "missing.pem",
        "folder": folder,
        "empty": folder / "empty.pem",
        "noise": folder / "noise.pem",
        "ca": pki.ca.file,
        "till key": pki.till.key,
        "server key": pki.server.key,
        "locked": pki.locked.certificate,
        "locked key": pki.locked.key,
    }


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"ca_file": None}, "No CA file"),
        ({"ca_file": "missing"}, r"CA file .*missing\.pem cannot be read"),
        ({"ca_file": "folder"}, "CA file .* cannot be read"),
        ({"ca_file": "empty"}, r"CA file .*empty\.pem cannot be used"),
        ({"ca_file": "noise"}, r"CA file .*noise\.pem cannot be used"),
        ({"ca_file": "till key"}, "CA file .* cannot be used"),
        ({"certificate_file": "missing"}, r"certificate .*missing\.pem cannot be read"),
        ({"certificate_file": "noise"}, "till's certificate .* cannot be used"),
        ({"certificate_file": None}, "no certificate"),
        ({"private_key_file": None}, "certificate .* comes without its private key"),
        ({"private_key_file": "missing"}, r"private key .*missing\.pem cannot be read"),
        ({"private_key_file": "empty"}, r"private key .*empty\.pem cannot be used"),
        ({"private_key_file": "server key"}, "does not belong"),
        ({"certificate_file": "locked", "private_key_file": "locked key"}, "locked-key.* used"),
        ({"sealing_key_file": None}, "No sealing key"),
        ({"sealing_key_file": "missing"}, r"missing\.pem"),
        ({"sealing_key_file": "empty"}, r"empty\.pem"),
        ({"sealing_key_file": "ca"}, r"ca\.pem"),
        ({"sealing_key_file": "till key"}, r"till-key\.pem"),
    ],
)
def test_a_wrong_file_is_named_with_a_remedy(
    pki: Pki, settings: AcquirerSettings, changes: dict[str, str | None], named: str
) -> None:
    files = _files(pki)
    wrong = {key: files[name] if name else None for key, name in changes.items()}
    with pytest.raises(KeyStoreError, match=named) as failed:
        open_acquirer(URL, replace(settings, **wrong))  # type: ignore[arg-type] # A table of Paths.
    assert failed.value.remedy
    assert "PRIVATE KEY" not in str(failed.value)


def test_a_certificate_and_key_may_share_a_file(pki: Pki, settings: AcquirerSettings) -> None:
    both = pki.folder / "both.pem"
    both.write_bytes(pki.till.certificate.read_bytes() + pki.till.key.read_bytes())
    open_acquirer(URL, replace(settings, certificate_file=both, private_key_file=None))


def test_a_till_without_a_certificate_is_fine(settings: AcquirerSettings) -> None:
    open_acquirer(URL, replace(settings, certificate_file=None, private_key_file=None))
