"""Events as JSON and back: total over ``terminal.transaction.Event``, and strict on reading.

Rules of this file: what was written can be read for ever, so a type or field that is not known
is an error that names it and never a guess; a field that an older Taptill did not write takes
its default. Times are UTC to the microsecond, in one fixed form that sorts as text.
"""

from __future__ import annotations

import json
import re
import types
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import MISSING, dataclass, fields
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from terminal.day_events import DayEvent
from terminal.errors import AmountError, ConfigError, StoreError
from terminal.money import Amount, Currency
from terminal.terms import Part, Tender, Terms, TransactionKind
from terminal.transaction import CardSummary, Event

EVENT_TYPES: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}
"""Every event by the name under which it is stored."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as the columns of its row: the type's name, the time, the rest as JSON."""

    type: str
    at: str
    payload: str


_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)


_NAMES: dict[type[Any], tuple[str, ...]] = {}
_PAYLOAD_NAMES: dict[type[Any], tuple[str, ...]] = {}


def _names(kind: type[Any]) -> tuple[str, ...]:
    """The fields of a dataclass, looked up once."""
    if kind not in _NAMES:
        _NAMES[kind] = tuple(field.name for field in fields(kind))
    return _NAMES[kind]


def _payload_names(kind: type[Any]) -> tuple[str, ...]:
    """The fields of an event that go into its payload."""
    if kind not in _PAYLOAD_NAMES:
        _PAYLOAD_NAMES[kind] = tuple(name for name in _names(kind) if name != "at")
    return _PAYLOAD_NAMES[kind]


class _Unreadable(Exception):
    """Carries the reason up to where the type is known."""


# A commit writes the same time several times.
@lru_cache(maxsize=64)
def write_time(moment: datetime) -> str:
    """``2026-11-23T16:21:00.000000Z``: fixed width, so that text order is time order."""
    if moment.tzinfo is None:
        raise AssertionError("a time without its zone cannot be recorded")
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    # Of "+00:00", which is how Python ends it.
    return f"{moment.isoformat(timespec='microseconds')[:-6]}Z"


def read_time(text: str) -> datetime:
    """The time that ``write_time`` wrote.

    Raises:
        StoreError: the text has another form.
    """
    # Python reads many forms of ISO 8601; here there is one, or text order were no time order.
    if _TIME.fullmatch(text):
        # What looks like a time may still have a 31st of February.
        with suppress(ValueError):
            return datetime.fromisoformat(text)
    raise StoreError(f"The ledger holds an unreadable time: {text!r}.")


def encode(event: Event | DayEvent) -> StoredEvent:
    """The event as it is stored."""
    kind: type[Any] = type(event)
    payload = _JSON.encode(_plain_fields(event, _payload_names(kind)))
    return StoredEvent(kind.__name__, write_time(event.at), payload)


def decode(stored: StoredEvent) -> Event:
    """The event that was stored.

    Raises:
        StoreError: the type, a field or a value is not known. The row stays as it is.
    """
    return decode_as(EVENT_TYPES, stored)


T = TypeVar("T")


def decode_as(known: Mapping[str, type[T]], stored: StoredEvent) -> T:
    """The event that was stored, one of those that are ``known`` by name.

    Raises:
        StoreError: the type, a field or a value is not known. The row stays as it is.
    """
    kind = known.get(stored.type)
    if kind is None:
        raise _unreadable(stored.type, "no such type of event")
    try:
        event: T = _build(kind, {**_object(stored.payload), "at": stored.at})
    except (_Unreadable, ValueError, AssertionError, AmountError, ConfigError) as cause:
        raise _unreadable(stored.type, str(cause)) from cause
    return event


def _object(payload: str) -> dict[str, object]:
    values = json.loads(payload)
    if not isinstance(values, dict):
        raise _Unreadable("the payload is no object")
    if "at" in values:
        raise _Unreadable("the time is there twice")
    return values


def _unreadable(name: str, reason: str) -> StoreError:
    return StoreError(
        f"The ledger holds an unreadable event {name!r}: {reason}.",
        remedy="Nothing was changed. Use the version of Taptill that wrote it.",
    )


def _plain_fields(value: object, names: tuple[str, ...]) -> dict[str, object]:
    plain = {}
    for name in names:
        found = getattr(value, name)
        write = _WRITERS.get(found.__class__)
        plain[name] = write(found) if write is not None else found
    return plain


def _plain_list(values: tuple[Any, ...]) -> list[object]:
    return [
        _WRITERS[value.__class__](value) if value.__class__ in _WRITERS else value
        for value in values
    ]


def _plain_object(value: object) -> dict[str, object]:
    return _plain_fields(value, _names(type(value)))


def _plain_enum(value: Enum) -> object:
    return value.value


# Whatever is not here is written as it is: texts, numbers, truth values, None.
_WRITERS: dict[type[Any], Callable[[Any], object]] = {
    Amount: lambda value: {"currency": value.currency.code, "minor": value.minor},
    CardSummary: _plain_object,
    Terms: _plain_object,
    Part: _plain_object,
    datetime: write_time,
    TransactionKind: _plain_enum,
    Tender: _plain_enum,
    tuple: _plain_list,
}


@dataclass(frozen=True, slots=True)
class _Field:
    """How one field of a dataclass is read."""

    read: Callable[[object], object]
    required: bool
    may_be_none: bool
    several: bool


_FIELDS: dict[type[Any], dict[str, _Field]] = {}


def _fields_of(kind: type[Any]) -> dict[str, _Field]:
    """The fields of a dataclass and how each is read, looked up once."""
    if kind not in _FIELDS:
        hints = get_type_hints(kind)
        _FIELDS[kind] = {
            field.name: _field(hints[field.name], required=field.default is MISSING)
            for field in fields(kind)
        }
    return _FIELDS[kind]


def _field(hint: Any, *, required: bool) -> _Field:
    may_be_none = isinstance(hint, types.UnionType) and types.NoneType in get_args(hint)
    if isinstance(hint, types.UnionType):
        (hint,) = (part for part in get_args(hint) if part is not types.NoneType)
    several = get_origin(hint) is tuple
    return _Field(_READERS[get_args(hint)[0] if several else hint], required, may_be_none, several)


def _build(kind: type[Any], values: dict[str, object]) -> Any:
    """An instance of this dataclass from its fields, each checked against its type."""
    known = _fields_of(kind)
    unknown = values.keys() - known.keys()
    if unknown:
        raise _Unreadable(f"unknown field {', '.join(sorted(unknown))}")
    arguments = {}
    for name, field in known.items():
        if name in values:
            arguments[name] = _value(name, field, values[name])
        elif field.required:
            raise _Unreadable(f"field {name} is missing")
    return kind(**arguments)


def _value(name: str, field: _Field, value: object) -> object:
    if value is None and field.may_be_none:
        return None
    try:
        if field.several:
            return tuple([field.read(item) for item in _list(value)])
        return field.read(value)
    except _Unreadable as cause:
        raise _Unreadable(f"field {name}: {cause}") from cause


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise _Unreadable("not a list")
    return value


def _exactly(kind: type[object]) -> Callable[[object], object]:
    def read(value: object) -> object:
        # An exact type, since True is an int to isinstance.
        if type(value) is not kind:
            raise _Unreadable(f"not {kind.__name__}")
        return value

    return read


def _read_moment(value: object) -> datetime:
    if not isinstance(value, str):
        raise _Unreadable("not a time")
    try:
        return read_time(value)
    except StoreError as cause:
        raise _Unreadable("not a time") from cause


def _read_amount(value: object) -> Amount:
    match value:
        # An exact type, since True is an int to a pattern too.
        case {"currency": str(code), "minor": minor, **rest} if type(minor) is int and not rest:
            return Amount(minor, Currency.of(code))
        case _:
            raise _Unreadable("not an amount")


def _object_of(kind: type[Any], name: str) -> Callable[[object], object]:
    def read(value: object) -> object:
        if not isinstance(value, dict):
            raise _Unreadable(f"not {name}")
        return _build(kind, value)

    return read


_READERS: dict[Any, Callable[[object], object]] = {
    str: _exactly(str),
    int: _exactly(int),
    bool: _exactly(bool),
    datetime: _read_moment,
    Amount: _read_amount,
    CardSummary: _object_of(CardSummary, "a card"),
    Terms: _object_of(Terms, "terms"),
    Part: _object_of(Part, "a part"),
    TransactionKind: TransactionKind,
    Tender: Tender,
}
