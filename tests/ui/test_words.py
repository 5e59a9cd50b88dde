"""The catalogues are complete, and money is written as each language writes it."""

# ruff: noqa: RUF001 - Persian digits look like other characters, and are meant.
from __future__ import annotations

import gettext
import string
from decimal import Decimal
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from babel.numbers import format_currency

from terminal.errors import ConfigError
from terminal.money import Amount, Currency
from ui.words import DOMAIN, LANGUAGES, LOCALES, Words, mark

UI = Path(__file__).resolve().parents[2] / "ui"
TRANSLATED = [language for language in LANGUAGES if language != "en"]


def messages() -> set[str]:
    """Every message that the code says or marks."""
    found = extract_from_dir(UI, keywords={"say": None, "mark": None})
    return {str(message) for _, _, message, _, _ in found if message}


def catalogue_path(language: str, suffix: str) -> Path:
    return LOCALES / language / "LC_MESSAGES" / f"{DOMAIN}{suffix}"


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_the_extractor_finds_messages() -> None:
    assert {"Approved", "Charge {amount}", "Hold card, phone or watch here"} <= messages()


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_message_is_translated_and_none_is_left_over(language: str) -> None:
    with catalogue_path(language, ".po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    translated = {str(entry.id): str(entry.string) for entry in catalogue if entry.id}
    assert set(translated) == messages()
    assert not [entry.id for entry in catalogue if entry.id and entry.fuzzy]
    for message, text in translated.items():
        assert text.strip(), message
        assert fields(text) == fields(message), message


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_compiled_catalogue_is_the_written_one(language: str) -> None:
    with catalogue_path(language, ".po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    written = {str(entry.id): str(entry.string) for entry in catalogue if entry.id}
    with catalogue_path(language, ".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    remedy = f"run: pybabel compile -D {DOMAIN} -d ui/locale"
    assert {message: compiled.gettext(message) for message in written} == written, remedy


def test_an_unknown_language_is_refused_with_those_that_exist() -> None:
    with pytest.raises(ConfigError, match=r"'de' is not known.*en, es, fr, bg, fa"):
        Words("de")


def test_english_is_the_source() -> None:
    assert Words("en").say(mark("Approved")) == "Approved"
    assert Words("es").say("Approved") == "Aprobado"
    assert Words("es").say("Still due: {amount}", amount="1 €") == "Falta por pagar: 1 €"


@pytest.mark.parametrize("language", ["en", "es", "fr", "bg"])
@pytest.mark.parametrize("minor", [0, 5, 1250, 100_000, 123_456_789, 999_999_999_999])
@pytest.mark.parametrize("code", ["EUR", "JPY", "KWD", "CHF"])
def test_money_is_written_as_cldr_writes_it(language: str, minor: int, code: str) -> None:
    currency = Currency.of(code)
    words = Words(language)
    ours = words.plain(words.money(Amount(minor, currency)))
    value = Decimal(minor).scaleb(-currency.exponent)
    theirs = format_currency(value, code, locale=language)
    for sign in ("¥", "JP¥", "JPY"):
        # CLDR names the yen differently by language; the sign is ours, the pattern CLDR's.
        theirs = theirs.replace(sign, "¥") if code == "JPY" else theirs
    if language == "en" and code in ("KWD", "CHF"):
        theirs = theirs.replace(code, f"{code}\xa0")
    assert ours == theirs.replace("JP¥", "¥")


@pytest.mark.parametrize(
    ("code", "minor", "text"),
    [
        ("IRR", 125_000_000, "۱٬۲۵۰٬۰۰۰\xa0ریال"),
        ("IRR", 125_000_050, "۱٬۲۵۰٬۰۰۰٫۵۰\xa0ریال"),
        ("EUR", 1250, "۱۲٫۵۰\xa0یورو"),
        ("CHF", 1250, "۱۲٫۵۰\xa0CHF"),
        ("JPY", 1250, "۱٬۲۵۰\xa0¥"),
    ],
)
def test_persian_money(code: str, minor: int, text: str) -> None:
    words = Words("fa")
    assert words.plain(words.money(Amount(minor, Currency.of(code)))) == text


def test_references_keep_their_digits_on_a_console() -> None:
    words = Words("fa")
    assert words.plain(f"7 {words.reference('Visa •••• 1234')} 8") == "۷ Visa •••• 1234 ۸"
