"""The controls of a simulated acquirer, for tests, the bench and the command line.

Rules of this file: it reads the books from the file, which works beside a running acquirer and
after it has ended, and changes anything only through the control channel of a running one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hardware_sim.acquirer_behaviour import Behaviour, as_option
from hardware_sim.acquirer_channel import ControlLink
from hardware_sim.acquirer_folder import AcquirerFolder
from hardware_sim.acquirer_ledger import Capture, CaptureState, Entry, LedgerView
from terminal.errors import ConfigError


class AcquirerControl:
    """Talks to the acquirer in a folder, one short connection for each request.

    Every method that changes something raises ``ConfigError`` when no acquirer runs there, or
    when the request is wrong; the reading ones raise ``StoreError`` when there are no books.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _ask(self, op: str, **details: object) -> dict[str, Any]:
        try:
            link = ControlLink(self.folder)
            try:
                answer = link.ask(op, **details)
            finally:
                link.close()
        except OSError as cause:
            raise ConfigError(
                f"No simulated acquirer is running in {self.folder} ({cause.strerror or cause}).",
                remedy="Start one with: taptill sim acquirer",
            ) from cause
        if not answer["ok"]:
            raise ConfigError(str(answer["error"]))
        return answer

    @property
    def alive(self) -> bool:
        """Whether an acquirer runs here and answers."""
        try:
            self._ask("look")
        except ConfigError:
            return False
        return True

    @property
    def port(self) -> int:
        """The port of the running acquirer."""
        return int(self._ask("look")["port"])

    @property
    def pid(self) -> int:
        """The process of the running acquirer."""
        return int(self._ask("look")["pid"])

    @property
    def behaviour(self) -> Behaviour:
        """How it misbehaves now; counts are what is left of them."""
        return Behaviour().changed(self._ask("look")["options"])

    def set(self, **options: object) -> Behaviour:
        """Changes options (see ``Behaviour``), leaves the others, and returns all of them.

        Whole numbers (``ALWAYS`` too), ``True`` and ``False``, and text as in a URL are
        understood.
        """
        texts = {name: as_option(name, value) for name, value in options.items()}
        return Behaviour().changed(self._ask("set", options=texts)["options"])

    def network_off(self) -> None:
        """Closes every connection and refuses new ones."""
        self.set(refuse=True)

    def network_on(self) -> None:
        """Lets connections in again."""
        self.set(refuse=False)

    def enrol(self, terminal_id: str, merchant_id: str) -> None:
        """Makes a terminal known; once one is known, all others are refused."""
        self._ask("enrol", terminal_id=terminal_id, merchant_id=merchant_id)

    def forget_answers(self) -> None:
        """Ends the duplicate window: a copy that comes now is booked as a new sale."""
        self._ask("forget")

    def restart(self, pause_ms: int = 0) -> None:
        """Breaks every connection; it comes back with what is on disk, on the same port."""
        self._ask("restart", pause_ms=pause_ms)

    def tamper(self, how: str) -> None:
        """Puts the newest sale of its books wrong: ``missing``, ``extra`` or ``amount``."""
        self._ask("tamper", how=how)

    def stop(self) -> None:
        """Asks it to end."""
        self._ask("stop")

    def _view(self) -> LedgerView:
        return LedgerView(AcquirerFolder(self.folder).ledger_file)

    def captures(self, state: CaptureState | None = None) -> list[Capture]:
        """The sales in the books, oldest first; all, or those of one state."""
        view = self._view()
        try:
            return [row for row in view.captures() if state is None or row.state is state]
        finally:
            view.close()

    def ledger(self) -> list[Entry]:
        """Every message that was received, oldest first."""
        view = self._view()
        try:
            return view.entries()
        finally:
            view.close()
