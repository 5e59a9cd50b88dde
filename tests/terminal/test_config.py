"""A configuration is taken whole or refused with the key and the file."""

from __future__ import annotations

import re

import pytest

from terminal.config import Config, parse_config
from terminal.errors import ConfigError
from terminal.risk import OfflineLimits
from tests.conftest import ROOT

FULL = b"""
[shop]
name = "Caf\xc3\xa9 \xc3\x91and\xc3\xba"
address = ["Calle Mayor 1", "Madrid"]
language = "es"
time_zone = "Europe/Madrid"

[till]
terminal_id = "TAP00001"
merchant_id = "MERCHANT0000001"
currency = "KWD"
country = 414
reader = "pcsc:ACR1252"

[acquirer]
ca_file = "ca.pem"

[timing]
present_s = 30

[offline]
per_sale = "20.500"
total = "200"
count = 10
"""


def test_an_empty_file_is_a_till_on_the_simulator() -> None:
    config = parse_config(b"", "till.toml")
    assert config == Config()
    assert (config.till.reader, config.till.acquirer) == ("sim:", "sim:")


def test_every_table_is_read() -> None:
    config = parse_config(FULL, "till.toml")
    assert config.shop.name == "Caf\u00e9 \u00d1and\u00fa"
    assert config.shop.address == ("Calle Mayor 1", "Madrid")
    assert config.till.currency.code == "KWD"
    assert config.till.reader == "pcsc:ACR1252"
    assert config.acquirer.ca_file == "ca.pem"
    assert config.timing.present_s == 30
    assert (config.offline.per_sale_minor, config.offline.total_minor) == (20_500, 200_000)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"[til]\n", "[til]"),
        (b"till = 3\n", "till must be a table"),
        (b"[till]\nreadr = 'sim:'\n", "[till] readr is not a setting"),
        (b"[till]\ncountry = '724'\n", "[till] country must be a whole number, not text"),
        (b"[till]\ncountry = true\n", "[till] country must be a whole number, not true/false"),
        (b"[till]\ncountry = 0\n", "[till] country = 0 is outside"),
        (b"[till]\ncurrency = 'EURO'\n", "[till] currency = 'EURO'"),
        (b"[till]\nterminal_id = 'short'\n", "[till] terminal_id = 'short'"),
        (b"[till]\nkey_store = 'hsm'\n", "[till] key_store"),
        (b"[shop]\nname = 5\n", "[shop] name must be text, not a number"),
        (b"[shop]\nlanguage = 'de'\n", "[shop] language = 'de'"),
        (b"[shop]\naddress = 'x'\n", "[shop] address must be a list"),
        (b"[offline]\nper_sale = 50.0\n", "[offline] per_sale must be an amount in quotes"),
        (b"[offline]\nper_sale = '50,00'\n", "[offline] per_sale is not an amount"),
        (b"[offline]\nenabled = 'yes'\n", "[offline] enabled must be true or false"),
        (b"[offline]\nper_sale_minor = 1\n", "[offline] per_sale_minor is not a setting"),
        (b"[timing]\nauthorise_s = 3600\n", "[timing] authorise_s = 3600 is outside"),
        (b"[till\n", "is not TOML"),
        (b"\xff\xfe", "is not UTF-8"),
    ],
)
def test_bad_configuration_names_the_file_and_the_key(content: bytes, named: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(content, "till.toml")
    assert caught.value.message.startswith("till.toml")
    assert named in caught.value.message


def test_the_readmes_example_is_a_configuration() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    found = re.search(r"```toml\n(.*?)```", readme, re.DOTALL)
    assert found is not None
    config = parse_config(found[1].encode(), "README.md")
    assert (config.shop.language, config.offline) == ("es", OfflineLimits())
