"""Entry Point as Book A and Book B tell it whole: idle, starts A to D, outcomes, restarts.

Rules of this file: ``entry_point.transact`` is one tap of it, for a till that shows its own words;
this is the reader that drives its field and its display by itself, for terminals that want one and
for the suites that test one. It yields what is to be done and is sent what came of it. The kernels
are handed in. Where Book A leaves room (what is shown while the host is asked) it does as libpay
does, whose recorded suite the tests replay.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from terminal.emv import tags
from terminal.emv.apdu import Command, Response
from terminal.emv.entry_point import activated
from terminal.emv.kernels.activation import Activation
from terminal.emv.outcome import Cvm, Decision, MessageId, Outcome, Start, UiRequest, UiStatus
from terminal.emv.preprocessing import Indicators, pre_process
from terminal.emv.selection import PPSE, Candidate, candidates, directory
from terminal.emv.settings import Combination, ReaderSettings, TransactionRequest
from terminal.errors import CardError


class OnlineResponse(Enum):
    """Which answer of the host brings a kernel back (Book A, 6.2: online response data)."""

    NONE = "N/A"
    EMV_DATA = "EMV Data"
    ANY = "Any"


@dataclass(frozen=True, slots=True)
class Shown:
    """A user interface request with the amount or balance that it may carry (Book A, 7.1)."""

    request: UiRequest
    qualifier: str = ""
    value: str = ""
    currency: str = ""


@dataclass(frozen=True, slots=True)
class OutcomeParameters:
    """The outcome parameter set (Book A, table 6-1), as a kernel hands it to Entry Point."""

    decision: Decision | None
    start: Start = Start.NONE
    online_response: OnlineResponse = OnlineResponse.NONE
    cvm: Cvm = Cvm.NOT_APPLICABLE
    receipt: bool = False
    ui: Shown | None = None
    restart_ui: Shown | None = None
    data_record: bytes = field(default=b"", repr=False)
    field_off_ms: int | None = None
    removal_timeout: int = 0
    outcome: Outcome | None = None

    @classmethod
    def of(cls, outcome: Outcome) -> OutcomeParameters:
        """Those of one of this product's kernels."""
        return cls(
            outcome.decision,
            outcome.start,
            cvm=outcome.cvm,
            receipt=outcome.cvm is Cvm.SIGNATURE,
            ui=Shown(outcome.ui) if outcome.ui else None,
            outcome=outcome,
        )


@dataclass(frozen=True, slots=True)
class FieldOn:
    """Switch the field on and wait for a card; the answer is whether it is one card."""


@dataclass(frozen=True, slots=True)
class FieldOff:
    """Switch the field off; with ``hold_ms`` for that long, before the card is asked again."""

    hold_ms: int = 0


@dataclass(frozen=True, slots=True)
class WaitForOneCard:
    """Several cards are in the field: wait until one is left."""


@dataclass(frozen=True, slots=True)
class Show:
    """Show this to the cardholder."""

    shown: Shown


@dataclass(frozen=True, slots=True)
class Report:
    """Hand this outcome to the terminal."""

    parameters: OutcomeParameters


@dataclass(frozen=True, slots=True)
class GoOnline:
    """Ask the host; the answer is its data for the card, empty where it has none."""

    parameters: OutcomeParameters


@dataclass(frozen=True, slots=True)
class Restart:
    """The transaction starts again, at A, B, C or D."""

    start: Start


Action = FieldOn | FieldOff | WaitForOneCard | Show | Report | GoOnline | Restart
Sent = Response | bool | bytes | None
T = TypeVar("T")
Reader = Generator[Action | Command, Sent, T]


@dataclass(frozen=True, slots=True)
class KernelStart:
    """What Entry Point hands to a kernel (Book B, 3.4.1): where from, and what the host said."""

    activation: Activation
    start: Start
    restarted: bool
    select_response: Response = field(repr=False)
    online_data: bytes = field(default=b"", repr=False)


Kernel = Callable[[KernelStart], Generator[Command, Response, OutcomeParameters]]

_PRESENT = Shown(UiRequest(MessageId.PRESENT_CARD, UiStatus.READY_TO_READ))


def kernel_of(run: Callable[[Activation], Generator[Command, Response, Outcome]]) -> Kernel:
    """One of this product's kernels in the form that a session takes."""

    def kernel(begun: KernelStart) -> Generator[Command, Response, OutcomeParameters]:
        return OutcomeParameters.of((yield from run(begun.activation)))

    return kernel


def idle(*, autorun: bool) -> Reader[None]:
    """What a reader does before there is an amount (Book A, 5.1 and 5.2).

    With ``autorun`` amounts are fixed and the field is on at once.
    """
    if autorun:
        yield FieldOn()
        yield Show(_PRESENT)
        return
    yield FieldOff()
    yield Show(Shown(UiRequest(MessageId.WELCOME, UiStatus.IDLE)))


class Session:
    """One transaction on a reader.

    Args:
        request: the amount and its kind.
        settings: the reader's.
        kernels: by kernel identifier.
        autorun: whether it starts at B, without pre-processing of an amount.
    """

    def __init__(
        self,
        request: TransactionRequest,
        settings: ReaderSettings,
        kernels: Mapping[int, Kernel],
        *,
        autorun: bool = False,
    ) -> None:
        self._request = request
        self._settings = settings
        self._kernels = kernels
        self._autorun = autorun
        self._start = Start.B if autorun else Start.A
        self._restarted = False
        self._online = b""
        self._last: KernelStart | None = None

    def run(self) -> Reader[OutcomeParameters]:
        """The transaction to its end.

        Raises:
            CardError: the card broke the rules in a kernel.
            CardLost: it left, when that is thrown in.
        """
        yield Show(_PRESENT)
        if not self._permitted():
            message = UiRequest(MessageId.INSERT_OR_SWIPE, UiStatus.PROCESSING_ERROR)
            return (yield from self._end(_ended(Decision.TRY_ANOTHER_INTERFACE, message)))
        yield from self._find_card()
        start = Start.B
        while True:
            found = yield from self._round(start)
            if found.ui is not None:
                yield Show(found.ui)
            if found.decision is Decision.TRY_AGAIN:
                if found.field_off_ms is not None:
                    yield FieldOff(found.field_off_ms)
                # Start B with the field as it is; no restart in Book A's sense (6.3).
                yield from self._find_card()
                continue
            yield Report(found)
            again = yield from self._goes_again(found)
            if not again:
                yield FieldOff()
                return found
            start = found.start
            if found.field_off_ms is not None:
                yield FieldOff(found.field_off_ms)
            yield Restart(start)
            self._restarted, self._start = True, start
            yield Show(found.restart_ui or _PRESENT)
            if start in {Start.A, Start.B}:
                yield from self._find_card()

    def _goes_again(self, found: OutcomeParameters) -> Reader[bool]:
        """Whether the outcome starts the transaction again (Book A, 6.3)."""
        if found.start is Start.NONE:
            return False
        if found.decision is not Decision.ONLINE_REQUEST:
            return True
        answer = yield GoOnline(found)
        self._online = answer if isinstance(answer, bytes) else b""
        if not self._online:
            yield Show(Shown(UiRequest(MessageId.CARD_READ_OK, UiStatus.CARD_READ)))
        return bool(self._online) or found.online_response is OnlineResponse.ANY

    def _end(self, found: OutcomeParameters) -> Reader[OutcomeParameters]:
        assert found.ui is not None
        yield Show(found.ui)
        yield Report(found)
        yield FieldOff()
        return found

    def _find_card(self) -> Reader[None]:
        """Protocol activation (Book B, 3.2): one card, or "present one card only"."""
        alone = yield FieldOn()
        if alone is False:
            yield Show(Shown(UiRequest(MessageId.ONE_CARD_ONLY, UiStatus.PROCESSING_ERROR)))
            yield WaitForOneCard()

    def _permitted(self) -> list[Combination]:
        pairs = (
            (each, pre_process(each, self._request.amount)) for each in self._settings.combinations
        )
        return [each for each, indicators in pairs if indicators.allowed]

    def _round(self, start: Start) -> Reader[OutcomeParameters]:
        """From the card to a kernel's outcome, entered at B, C or D (Book B, figure 3-1)."""
        last = self._last
        if last is not None and start is Start.D:
            return (yield from self._activate(last.activation, last.select_response))
        if last is not None and (start is Start.C or (start is Start.B and self._online)):
            shared = [last.activation.application.candidate]
        else:
            shared = yield from self._candidates()
        for candidate in shared:
            found = yield from self._select(candidate)
            if found is not None and found.decision is not Decision.SELECT_NEXT:
                return found
        message = UiRequest(MessageId.TRY_ANOTHER_CARD, UiStatus.READY_TO_READ)
        return _ended(Decision.END_APPLICATION, message)

    def _candidates(self) -> Reader[list[Candidate]]:
        response = yield from _asked(Command(0x00, 0xA4, 0x04, 0x00, PPSE))
        if not response.ok:
            return []
        try:
            listed = directory(response.data)
        except CardError:
            return []
        return candidates(listed, self._permitted())

    def _select(self, candidate: Candidate) -> Reader[OutcomeParameters | None]:
        """The final selection of one candidate (Book B, 3.3.3); None says "the next one"."""
        response = yield from _asked(Command(0x00, 0xA4, 0x04, 0x00, candidate.selected_by))
        if not response.ok:
            return None
        try:
            activation = activated(candidate, response.data, self._request, self._settings)
        except CardError:
            return None
        if self._autorun:
            # Autorun has no pre-processing: indicators and TTQ are as configured (Book B, 3.1.2).
            activation.indicators = _as_configured(candidate)
            activation.terminal[tags.TTQ_9F66] = activation.indicators.ttq
        return (yield from self._activate(activation, response))

    def _activate(
        self, activation: Activation, select_response: Response
    ) -> Reader[OutcomeParameters]:
        self._last = KernelStart(
            activation, self._start, self._restarted, select_response, self._online
        )
        kernel = self._kernels[activation.combination.kernel_id](self._last)
        try:
            command = next(kernel)
            while True:
                response = yield from _asked(command)
                command = kernel.send(response)
        except StopIteration as end:
            found: OutcomeParameters = end.value
            return found


def _as_configured(candidate: Candidate) -> Indicators:
    return Indicators(
        allowed=True,
        status_check=False,
        zero_amount=False,
        limit_exceeded=False,
        floor_limit_exceeded=False,
        cvm_required=False,
        ttq=candidate.combination.ttq or bytes(4),
    )


def _asked(command: Command) -> Reader[Response]:
    answer = yield command
    if not isinstance(answer, Response):
        raise AssertionError("a command is answered with a response")
    return answer


def _ended(decision: Decision, message: UiRequest) -> OutcomeParameters:
    return OutcomeParameters(decision, ui=Shown(message))
