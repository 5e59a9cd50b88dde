"""The configuration: one TOML file, decoded into frozen values, nothing guessed.

Rules of this file: an unknown key, a wrong type or an impossible value is refused with the name
of the key and the file. Secrets are not in the file; it names the files that hold them. Every
key has a default, and the defaults together are a till on the simulator.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from terminal.errors import AmountError, ConfigError
from terminal.money import Amount, Currency
from terminal.refunds import RefundPolicy
from terminal.risk import OfflineLimits
from terminal.transfer_codes import iban_valid

KEY_STORES = ("file", "tpm2", "rpi-otp", "sim")
"""Where the device's root key may live; see ``drivers.device_keys``."""

LANGUAGES = ("en", "es", "fr", "bg", "fa")


@dataclass(frozen=True, slots=True)
class ShopConfig:
    """Who sells, and how the shop speaks. ``time_zone`` is an IANA name."""

    name: str = "Taptill demo shop"
    address: tuple[str, ...] = ()
    contact: str = ""
    return_policy: str = ""
    language: str = "en"
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class TillConfig:
    """This terminal: its numbers at the acquirer, its money, its devices by URL.

    ``country`` is the ISO 3166-1 number of the country it stands in.
    """

    terminal_id: str = "TAPTILL1"
    merchant_id: str = "TAPTILLDEMO0001"
    currency: Currency = field(default_factory=lambda: Currency.of("EUR"))
    country: int = 724
    reader: str = "sim:"
    acquirer: str = "sim:"
    printer: str = "file:"
    lights: str = ""
    beeper: str = ""
    key_store: str = "file"


@dataclass(frozen=True, slots=True)
class AcquirerConfig:
    """Files for the link to a real acquirer, relative to the configuration file. PEM."""

    ca_file: str = ""
    certificate_file: str = ""
    private_key_file: str = ""
    sealing_key_file: str = ""
    manifest_root_file: str = ""
    ca_signer_file: str = ""


@dataclass(frozen=True, slots=True)
class TimingConfig:
    """How long the till waits, in whole seconds.

    ``connect_s`` is all that a cashier waits for an acquirer that cannot be reached, and what an
    echo may take. ``late_booking_s`` takes the place of what the acquirer's profile says of a
    host that books late; -1 leaves it.
    """

    present_s: int = 60
    authorise_s: int = 15
    connect_s: int = 3
    late_booking_s: int = -1


@dataclass(frozen=True, slots=True)
class CashConfig:
    """The smallest coin that the shop gives back, in minor units: cash is rounded to it.

    Whoever takes more than ``pay_out_limit_minor`` out of the drawer needs a supervisor.
    """

    smallest_coin_minor: int = 1
    pay_out_limit_minor: int = 5000


@dataclass(frozen=True, slots=True)
class TransferConfig:
    """Who is paid by bank transfer: see ``terminal.transfer_codes.Payee``.

    ``form`` is ``sepa`` (EPC069-12, euros and an IBAN) or ``merchant`` (EMV merchant-presented).
    """

    form: str = "sepa"
    name: str = ""
    iban: str = ""
    bic: str = ""
    city: str = ""
    country: str = ""
    network: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True)
class Config:
    """All of it."""

    shop: ShopConfig = field(default_factory=ShopConfig)
    till: TillConfig = field(default_factory=TillConfig)
    acquirer: AcquirerConfig = field(default_factory=AcquirerConfig)
    timing: TimingConfig = field(default_factory=TimingConfig)
    offline: OfflineLimits = field(default_factory=OfflineLimits)
    refunds: RefundPolicy = field(default_factory=RefundPolicy)
    cash: CashConfig = field(default_factory=CashConfig)
    transfer: TransferConfig = field(default_factory=TransferConfig)


class _Table:
    """One table of the file, with its place for error messages; keys are taken out one by one."""

    def __init__(self, content: Mapping[str, Any], name: str, source: str) -> None:
        self._left = dict(content)
        self._asked: list[str] = []
        self._name = name
        self._source = source

    def refuse(self, key: str, problem: str, remedy: str = "") -> ConfigError:
        return ConfigError(f"{self._source}: [{self._name}] {key} {problem}", remedy=remedy)

    def _take(self, key: str, default: object) -> object:
        self._asked.append(key)
        return self._left.pop(key, default)

    def text(self, key: str, default: str, *, pattern: str = "", rule: str = "") -> str:
        value = self._take(key, default)
        if not isinstance(value, str):
            raise self.refuse(key, f"must be text, not {_kind(value)}.", "Put it in quotes.")
        if pattern and not re.fullmatch(pattern, value, re.ASCII):
            raise self.refuse(key, f"= {value!r} is not allowed.", rule)
        return value

    def texts(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        value = self._take(key, list(default))
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.refuse(key, "must be a list of texts.", 'Write ["one", "two"].')
        return tuple(value)

    def number(self, key: str, default: int, low: int, high: int) -> int:
        value = self._take(key, default)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.refuse(
                key, f"must be a whole number, not {_kind(value)}.", "Write it without quotes."
            )
        if not low <= value <= high:
            raise self.refuse(key, f"= {value} is outside {low} to {high}.")
        return value

    def switch(self, key: str, *, default: bool) -> bool:
        value = self._take(key, default)
        if not isinstance(value, bool):
            raise self.refuse(key, f"must be true or false, not {_kind(value)}.")
        return value

    def amount(self, key: str, default_minor: int, currency: Currency) -> int:
        """An amount as text, ``"50.00"``: TOML's own fractions would be floats."""
        value = self._take(key, Amount(default_minor, currency).decimal)
        if not isinstance(value, str):
            raise self.refuse(
                key, f"must be an amount in quotes, not {_kind(value)}.", 'Write "50.00".'
            )
        try:
            return Amount.parse(value, currency).minor
        except AmountError as cause:
            raise self.refuse(key, f"is not an amount: {cause}") from cause

    def done(self) -> None:
        """Refuses what is left: a misspelt key must not pass for a setting."""
        if self._left:
            names = ", ".join(self._asked)
            raise self.refuse(
                min(self._left), "is not a setting.", f"Settings of this table: {names}."
            )


def _kind(value: object) -> str:
    names = {bool: "true/false", int: "a number", float: "a fraction", str: "text", list: "a list"}
    return names.get(type(value), "a table")


def parse_config(content: bytes, source: str, *, currency: str | None = None) -> Config:
    """Decodes a configuration file; ``source`` names it in errors.

    ``currency`` takes the place of the file's own, and its amounts are read in it.

    Raises:
        ConfigError: not UTF-8, not TOML, an unknown table or key, a wrong type or value.
    """
    try:
        tables = tomllib.loads(content.decode("utf-8"))
    except UnicodeDecodeError as cause:
        raise ConfigError(f"{source} is not UTF-8 text (byte {cause.start}).") from cause
    except tomllib.TOMLDecodeError as cause:
        raise ConfigError(f"{source} is not TOML: {cause}") from cause
    known = {item.name for item in fields(Config)}
    for name, content_of in tables.items():
        if name not in known:
            raise ConfigError(
                f"{source}: [{name}] is not a table of this file.",
                remedy=f"Tables: {', '.join(sorted(known))}.",
            )
        if not isinstance(content_of, dict):
            raise ConfigError(
                f"{source}: {name} must be a table.", remedy=f"Write [{name}] on a line of its own."
            )

    def table(name: str) -> _Table:
        return _Table(tables.get(name, {}), name, source)

    till = _till(table("till"), currency)
    return Config(
        shop=_shop(table("shop")),
        till=till,
        acquirer=_acquirer(table("acquirer")),
        timing=_timing(table("timing")),
        offline=_offline(table("offline"), till.currency),
        refunds=_refunds(table("refunds"), till.currency),
        cash=_cash(table("cash"), till.currency),
        transfer=_transfer(table("transfer")),
    )


def _shop(table: _Table) -> ShopConfig:
    default = ShopConfig()
    shop = ShopConfig(
        name=table.text("name", default.name, pattern=r"(?s).{1,40}", rule="1 to 40 characters."),
        address=table.texts("address", default.address),
        contact=table.text("contact", default.contact),
        return_policy=table.text("return_policy", default.return_policy),
        language=table.text(
            "language",
            default.language,
            pattern="|".join(LANGUAGES),
            rule=f"Languages: {', '.join(LANGUAGES)}.",
        ),
        time_zone=table.text("time_zone", default.time_zone),
    )
    table.done()
    return shop


def _till(table: _Table, chosen: str | None) -> TillConfig:
    default = TillConfig()
    written = table.text("currency", default.currency.code)
    code = chosen or written
    try:
        currency = Currency.of(code)
    except ConfigError as cause:
        if chosen:
            raise ConfigError(
                f"The currency {code!r} is not known.", remedy=cause.remedy
            ) from cause
        raise table.refuse("currency", f"= {code!r} is not known.", cause.remedy) from cause
    till = TillConfig(
        terminal_id=table.text(
            "terminal_id",
            default.terminal_id,
            pattern=r"[A-Za-z0-9]{8}",
            rule="DE 41 takes 8 letters or digits.",
        ),
        merchant_id=table.text(
            "merchant_id",
            default.merchant_id,
            pattern=r"[A-Za-z0-9]{15}",
            rule="DE 42 takes 15 letters or digits.",
        ),
        currency=currency,
        country=table.number("country", default.country, 1, 999),
        reader=table.text("reader", default.reader),
        acquirer=table.text("acquirer", default.acquirer),
        printer=table.text("printer", default.printer),
        lights=table.text("lights", default.lights),
        beeper=table.text("beeper", default.beeper),
        key_store=table.text(
            "key_store",
            default.key_store,
            pattern="|".join(KEY_STORES),
            rule=f"Levels: {', '.join(KEY_STORES)}.",
        ),
    )
    table.done()
    return till


def _acquirer(table: _Table) -> AcquirerConfig:
    read = {item.name: table.text(item.name, "") for item in fields(AcquirerConfig)}
    table.done()
    return AcquirerConfig(**read)


def _timing(table: _Table) -> TimingConfig:
    default = TimingConfig()
    timing = TimingConfig(
        present_s=table.number("present_s", default.present_s, 5, 600),
        authorise_s=table.number("authorise_s", default.authorise_s, 2, 60),
        connect_s=table.number("connect_s", default.connect_s, 1, 30),
        late_booking_s=table.number("late_booking_s", default.late_booking_s, -1, 86_400),
    )
    table.done()
    return timing


def _refunds(table: _Table, currency: Currency) -> RefundPolicy:
    default = RefundPolicy()
    scale = 10**currency.exponent
    policy = RefundPolicy(
        enabled=table.switch("enabled", default=default.enabled),
        limit_minor=table.amount("limit", default.limit_minor * scale // 100, currency),
        window_days=table.number("window_days", default.window_days, 0, 3650),
        recent_days=table.number("recent_days", default.recent_days, 0, 3650),
        without_card=table.switch("without_card", default=default.without_card),
    )
    table.done()
    return policy


def _cash(table: _Table, currency: Currency) -> CashConfig:
    coin_minor = table.amount("smallest_coin", 1, currency)
    if coin_minor == 0:
        raise table.refuse("smallest_coin", "is nothing.", 'Write "0.05", or leave it out.')
    default = CashConfig().pay_out_limit_minor * 10**currency.exponent // 100
    limit_minor = table.amount("pay_out_limit", default, currency)
    table.done()
    return CashConfig(coin_minor, limit_minor)


def _transfer(table: _Table) -> TransferConfig:
    form = table.text("form", "sepa", pattern="sepa|merchant", rule="Forms: sepa, merchant.")
    iban = table.text("iban", "").replace(" ", "")
    if iban and not iban_valid(iban):
        raise table.refuse("iban", f"= {iban!r} is not an IBAN.", "Check its digits.")
    names = ("name", "bic", "city", "country", "network", "account")
    read = {name: table.text(name, "") for name in names}
    table.done()
    return TransferConfig(form=form, iban=iban, **read)


def _offline(table: _Table, currency: Currency) -> OfflineLimits:
    default = OfflineLimits()

    def amount(key: str, default_minor: int) -> int:
        return table.amount(key, default_minor * 10**currency.exponent // 100, currency)

    limits = OfflineLimits(
        enabled=table.switch("enabled", default=default.enabled),
        per_sale_minor=amount("per_sale", default.per_sale_minor),
        total_minor=amount("total", default.total_minor),
        count=table.number("count", default.count, 0, 100_000),
        card_total_minor=amount("per_card_total", default.card_total_minor),
        card_count=table.number("per_card_count", default.card_count, 0, 100_000),
        hours=table.number("hours", default.hours, 1, 24 * 30),
        deferred=table.switch("deferred", default=default.deferred),
        card_approved=table.switch("card_approved", default=default.card_approved),
        refused_schemes=table.texts("refused_schemes", default.refused_schemes),
        devices=table.texts("devices", default.devices),
    )
    table.done()
    return limits
