"""The exception file on this till: blocked accounts, in a file that the acquirer has signed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from drivers.signed_store import SignedStore, signer_in
from terminal.emv.exception_list import ExceptionList, parse_exception_list
from terminal.emv.risk_management import ExceptionFile

INSTALLED_NAME = "exceptions.signed"


@dataclass(frozen=True, slots=True)
class ExceptionStore(SignedStore[ExceptionList]):
    """The exception file; it has room for a million accounts."""

    installed_name: ClassVar[str] = INSTALLED_NAME
    what: ClassVar[str] = "exception file"
    danger: ClassVar[str] = "let a blocked card pay again"
    file_max: ClassVar[int] = 40 * 1024 * 1024

    @classmethod
    def opened(cls, folder: Path, signer_file: Path) -> ExceptionStore:
        """The store whose files the key in ``signer_file`` (PEM, Ed25519) has signed.

        Raises:
            KeyStoreError: the file is missing, unreadable or holds another kind of key.
        """
        return cls(folder, signer_in(signer_file))

    def parse(self, content: bytes, source: str) -> ExceptionList:
        """Reads an exception file (``terminal.emv.exception_list``).

        Raises:
            ConfigError: it is none.
        """
        return parse_exception_list(content, source=source)


def exception_file(folder: Path, signer_file: Path | None) -> ExceptionFile | None:
    """What the kernels ask about blocked accounts; None where no such file is installed.

    Raises:
        KeyStoreError: the file is not what the acquirer has signed.
        ConfigError: what was signed is no exception file.
    """
    if signer_file is None:
        return None
    installed = ExceptionStore.opened(folder, signer_file).load()
    return installed.has if installed else None
