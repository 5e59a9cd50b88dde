"""The simulated cards that come with the simulator, by name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from hardware_sim.profile import Account, Profile, read_profile
from terminal.errors import ConfigError

_FOLDER = Path(__file__).parent / "profiles"


@cache
def card_ids() -> tuple[str, ...]:
    """The names of all cards, in the order of the bench."""
    profiles = [load_profile(path.stem) for path in _FOLDER.glob("*.toml")]
    return tuple(each.id for each in sorted(profiles, key=lambda each: (each.card.order, each.id)))


@cache
def accounts() -> Mapping[str, Account]:
    """What the simulated issuers know of the accounts on these cards, by card number."""
    profiles = [load_profile(name) for name in card_ids()]
    return {each.account.pan: each.account for each in profiles if each.account is not None}


def load_profile(name: str) -> Profile:
    """The profile called ``name``, or in the file ``name`` when it ends in ``.toml``.

    Raises:
        ConfigError: there is no such card, or its profile is wrong.
    """
    if name.endswith(".toml"):
        path = Path(name)
        return read_profile(path, lambda base: _beside(path, base))
    return _load_built_in(name)


@cache
def _load_built_in(name: str) -> Profile:
    return read_profile(_built_in(name), _built_in)


def _beside(path: Path, base: str) -> Path:
    sibling = path.with_name(f"{base}.toml")
    return sibling if sibling.is_file() else _built_in(base)


def _built_in(name: str) -> Path:
    path = _FOLDER / f"{name}.toml"
    if path.parent != _FOLDER or not path.is_file():
        known = ", ".join(sorted(each.stem for each in _FOLDER.glob("*.toml")))
        raise ConfigError(f"There is no simulated card {name!r}.", remedy=f"Use one of: {known}.")
    return path
