"""Certification authority keys: lists, checksums, live against test, overrides (``capk/*``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from functools import partial

from hardware_sim.conformance.case import (
    Case,
    Document,
    Format,
    Json,
    Library,
    OutOfScope,
    refused,
    require,
    same,
    unhex,
    upper,
)
from terminal.emv.oda import CaKeys, CaPublicKey
from terminal.errors import ConfigError

_MODULUS_MAX = 512
_EXPONENTS = frozenset({3, 65537})
_PARTS = frozenset({"rid", "index", "modulus", "exponent"})


def ca_key(stated: Mapping[str, str], *, checksum: str | None = None) -> CaPublicKey:
    """A key as the files state it, with its expiry where they do.

    Raises:
        ConfigError: the product refuses the key.
    """
    return CaPublicKey(
        unhex(stated["rid"]),
        int(stated["index"], 16),
        unhex(stated["modulus"]),
        unhex(stated["exponent"]),
        expires=_expiry(stated.get("expiry_yymmdd")),
        checksum=unhex(checksum) if checksum else None,
    )


def _expiry(yymmdd: str | None) -> date | None:
    return datetime.strptime(yymmdd, "%y%m%d").replace(tzinfo=UTC).date() if yymmdd else None


def is_usable(stated: Mapping[str, str]) -> bool:
    """Whether the terminal takes the key's size and exponent: public lists hold others too."""
    exponent = int(stated["exponent"], 16)
    return len(stated["modulus"]) // 2 <= _MODULUS_MAX and exponent in _EXPONENTS


def trusted(listed: Json) -> list[CaKeys]:
    """Key stores for keys that a case lists: one for each choice among those of equal name."""
    by_name: dict[tuple[str, str], list[CaPublicKey]] = {}
    for each in listed or []:
        if is_usable(each):
            by_name.setdefault((each["rid"], each["index"]), []).append(ca_key(each))
    most = max((len(each) for each in by_name.values()), default=1)
    return [
        CaKeys(tuple(each[min(number, len(each) - 1)] for each in by_name.values()))
        for number in range(most)
    ]


def _listed(each: Json) -> str:
    stated = each.get("sha1_rid_index_modulus_exponent")
    if not is_usable(each):
        why = refused("the key", lambda: ca_key(each), by=ConfigError)
        return f"refused: {why}"
    key = ca_key(each, checksum=stated)
    if stated:
        same("the checksum", upper(key.sha1()), stated)
        wrong = f"{int(stated[:2], 16) ^ 1:02X}{stated[2:]}"
        refused("a wrong checksum", lambda: ca_key(each, checksum=wrong), by=ConfigError)
    if "modulus_bits" in each:
        same("the size in bits", 8 * len(key.modulus), each["modulus_bits"])
    found = CaKeys((key,)).find(key.rid, key.index)
    require(found is key, "the store doesn't find its key")
    return "" if each.get("sha1_published", True) else "no source prints this checksum"


def _environment(keys: Json, status: str) -> str:
    """A store takes each name once, so that live and test keys never stand side by side."""
    by_name: dict[tuple[str, str], CaPublicKey] = {}
    twice = 0
    for each in filter(is_usable, keys):
        key = ca_key(each)
        known = by_name.setdefault((each["rid"], each["index"]), key)
        if known is not key:
            twice += 1
            refused("a name with two keys", partial(CaKeys, (known, key)), by=ConfigError)
    store = CaKeys(tuple(by_name.values()))
    require(len(store.keys) == len(by_name), "the store lost a key")
    return f"{len(by_name)} {status} keys in one store; {twice} names have a second key".strip()


def _list_cases(document: Document, _: Library) -> Iterator[Case]:
    content = document.content
    status = str(content.get("status", ""))
    for each in content["keys"]:
        yield Case(
            f"{each['rid']} {each['index']} {status}".rstrip(),
            "size, exponent and checksum, right and wrong",
            partial(_listed, each),
        )
    yield Case(
        f"{status} key list".lstrip(),
        "one key per RID and index; a second one is refused",
        lambda: _environment(content["keys"], status),
    )


def _checksum(content: Json) -> str:
    expected = content["expected"]
    printed = content["checksum_in_source"]
    key = ca_key(content)
    same("the checksum", upper(key.sha1()), expected["computed_sha1"])
    if printed != expected["computed_sha1"]:
        same("whether it matches", False, expected.get("checksum_matches", False))
        why = refused("the key", lambda: ca_key(content, checksum=printed), by=ConfigError)
        return f"refused: {why}"
    ca_key(content, checksum=printed)
    if expected.get("checksum_matches", True):
        return ""
    return "the file prints the very checksum that it computes, so nothing is wrong with this key"


def _checksum_cases(document: Document, _: Library) -> Iterator[Case]:
    content = document.content
    for each in content.get("cases") or [content]:
        yield Case(
            f"{each['rid']} {each['index']}",
            "a key whose printed checksum is to be checked",
            partial(_checksum, each),
        )


def _key_lists(content: Json, path: str = "") -> Iterator[tuple[str, list[Json]]]:
    """Every list of keys, or single key, in a document, with the path to it."""
    if isinstance(content, dict):
        if content.keys() >= _PARTS:
            yield path, [content]
            return
        for name, value in content.items():
            yield from _key_lists(value, f"{path}.{name}" if path else name)
    elif isinstance(content, list):
        keys = [each for each in content if isinstance(each, dict) and each.keys() >= _PARTS]
        if keys:
            yield path, keys
        for number, each in enumerate(content):
            if each not in keys:
                yield from _key_lists(each, f"{path}.{number}")


def _override(document: Document) -> str:
    """Keys that replace others of the same name: the store then has the new one alone."""
    found = list(_key_lists(document.content))
    if not found:
        raise OutOfScope("the file has no keys")
    replacing = [keys for path, keys in found if "overrid" in path.lower()] or [found[-1][1]]
    others = [each for _, keys in found if keys not in replacing for each in keys]
    for keys in [*replacing, others]:
        for each in keys:
            _listed(each)
    new = tuple(ca_key(each) for keys in replacing for each in keys if is_usable(each))
    base: dict[tuple[bytes, int], CaPublicKey] = {}
    for key in (ca_key(each) for each in others if is_usable(each)):
        base[key.rid, key.index] = key
    store = CaKeys(tuple(base.values())).replaced_by(new)
    for key in new:
        kept = store.find(key.rid, key.index)
        require(kept is not None and kept.modulus == key.modulus, "the older key is still used")
    for name, key in base.items():
        if name not in {(each.rid, each.index) for each in new}:
            require(store.find(*name) == key, "a key that nothing replaces is lost")
    return f"{len(new)} keys replace those of the same name"


def _override_cases(document: Document, _: Library) -> Iterator[Case]:
    yield Case("override list", "a replaced key is not used any more", lambda: _override(document))


def _is_key(document: Document) -> bool:
    return document.kind.startswith("ca_public_key")


def _is_list(document: Document) -> bool:
    content = document.content
    return _is_key(document) and isinstance(content.get("keys"), list) and not _overrides(document)


def _is_checksum(document: Document) -> bool:
    content = document.content
    listed = content.get("cases") if isinstance(content, dict) else None
    first = listed[0] if listed else content
    return _is_key(document) and isinstance(first, dict) and "checksum_in_source" in first


def _overrides(document: Document) -> bool:
    content = document.content if isinstance(document.content, dict) else {}
    words = f"{document.kind} {content.get('status', '')} {' '.join(content)}".lower()
    return (_is_key(document) or "capk" in document.kind) and "overrid" in words


FORMATS = (
    Format("ca_public_key_override", "CA key overrides", _overrides, _override_cases),
    Format("ca_public_keys", "CA key lists", _is_list, _list_cases),
    Format("ca_public_key_checksum", "CA key checksums", _is_checksum, _checksum_cases),
)
"""The formats of this file; the first that recognises a document has it."""
