"""Entry Point (EMV Contactless Book B): from an amount and a card to an outcome.

Rules of this file: the order of things and nothing of any scheme. A lost card and a card that
breaks the rules become outcomes here, so ``transact`` raises nothing of a card's making.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from terminal.emv import dol, tags
from terminal.emv.apdu import Command, Dialogue
from terminal.emv.application import Application
from terminal.emv.kernels import c2, c3, c4, c5, c6, c7, issuer_update
from terminal.emv.kernels.activation import Activation
from terminal.emv.outcome import Decision, MessageId, Outcome, Start, UiRequest, UiStatus
from terminal.emv.preprocessing import Indicators, pre_process, terminal_objects
from terminal.emv.selection import PPSE, Candidate, candidates, directory, parse_fci
from terminal.emv.settings import (
    KERNEL_NAMES,
    ActionCodes,
    Combination,
    ReaderSettings,
    TransactionRequest,
    default_settings,
    limited_to,
)
from terminal.errors import CardError, CardLost

__all__ = [
    "ActionCodes",
    "Combination",
    "ReaderSettings",
    "TransactionRequest",
    "default_settings",
    "transact",
    "update",
]

KERNELS: Mapping[int, Callable[[Activation], Dialogue[Outcome]]] = MappingProxyType(
    {2: c2.run, 3: c3.run, 4: c4.run, 5: c5.run, 6: c6.run, 7: c7.run}
)
"""The kernels that this terminal has, by kernel identifier."""

DOMESTIC = MappingProxyType(
    {
        bytes.fromhex("A000000277"): "Interac",
        bytes.fromhex("A000000384"): "eftpos",
        bytes.fromhex("A000000524"): "RuPay",
        bytes.fromhex("A000000359"): "girocard",
    }
)
"""Domestic schemes whose kernels are not public: known by RID, to say what a card is."""

_VISA = bytes.fromhex("A000000003")
_Permitted = list[tuple[Combination, Indicators]]


def transact(request: TransactionRequest, settings: ReaderSettings) -> Dialogue[Outcome]:
    """Runs one tap: pre-processing, PPSE, selection, kernel.

    Every way a card can behave ends in an outcome: a card that leaves is TRY_AGAIN with "present
    card again", one that breaks the rules is END_APPLICATION with "try another card".
    """
    permitted = _permitted(request, settings)
    if not permitted:
        return _ended(
            Decision.TRY_ANOTHER_INTERFACE,
            "no application may be used contactless for this amount",
            MessageId.INSERT_OR_SWIPE,
        )
    try:
        found = yield from _select_ppse(permitted)
        if isinstance(found, Outcome):
            return found
        return (yield from _run_candidates(found, request, settings))
    except CardLost:
        return _ended(
            Decision.TRY_AGAIN,
            "the card left before it was read",
            MessageId.PRESENT_AGAIN,
            start=Start.B,
        )
    except CardError as error:
        return _ended(Decision.END_APPLICATION, error.message, MessageId.TRY_ANOTHER_CARD)


def _permitted(request: TransactionRequest, settings: ReaderSettings) -> _Permitted:
    pairs = (
        (combination, pre_process(combination, request.amount))
        for combination in settings.combinations
    )
    return [(combination, indicators) for combination, indicators in pairs if indicators.allowed]


def _ended(
    decision: Decision,
    reason: str,
    message: MessageId,
    *,
    start: Start = Start.NONE,
    status: UiStatus = UiStatus.PROCESSING_ERROR,
) -> Outcome:
    """An outcome that no kernel made (Book B, 3.3.2.7)."""
    ui = UiRequest(message, status, 1300 if start is Start.B else 0)
    return Outcome(decision=decision, reason=reason, ui=ui, start=start)


def _select(name: bytes) -> Command:
    return Command(0x00, 0xA4, 0x04, 0x00, name)


def _select_ppse(permitted: _Permitted) -> Dialogue[list[Candidate] | Outcome]:
    """Selects the PPSE and builds the candidate list; an outcome when nothing can be run."""
    response = yield _select(PPSE)
    if not response.ok:
        return _ended(
            Decision.END_APPLICATION,
            f"not a payment card: SELECT PPSE was answered with {response.sw:04X}",
            MessageId.TRY_ANOTHER_CARD,
            status=UiStatus.READY_TO_READ,
        )
    entries = directory(response.data)
    shared = candidates(entries, [combination for combination, _ in permitted])
    if not shared:
        names = sorted({DOMESTIC.get(each.adf_name[:5], "") for each in entries} - {""})
        return _ended(
            Decision.END_APPLICATION,
            "the card has no application that this terminal takes"
            + (f", but {', '.join(names)}" if names else ""),
            MessageId.TRY_ANOTHER_CARD,
            status=UiStatus.READY_TO_READ,
        )
    runnable = [each for each in shared if each.combination.kernel_id in KERNELS]
    if not runnable:
        number = shared[0].combination.kernel_id
        return _ended(
            Decision.TRY_ANOTHER_INTERFACE,
            f"{KERNEL_NAMES.get(number, 'the scheme')} needs kernel {number}, which is not here",
            MessageId.INSERT_CARD,
        )
    return runnable


def _run_candidates(
    shared: list[Candidate], request: TransactionRequest, settings: ReaderSettings
) -> Dialogue[Outcome]:
    """Final selection with the next candidate as the fallback (Book B, 3.3.3.5)."""
    last = ""
    for candidate in shared:
        outcome = yield from _run_candidate(candidate, request, settings)
        if outcome.decision is not Decision.SELECT_NEXT:
            return outcome
        last = outcome.reason
    return _ended(
        Decision.END_APPLICATION,
        f"no application of the card can be used; {last}",
        MessageId.TRY_ANOTHER_CARD,
        status=UiStatus.READY_TO_READ,
    )


def _run_candidate(
    candidate: Candidate, request: TransactionRequest, settings: ReaderSettings
) -> Dialogue[Outcome]:
    """SELECT and kernel activation for one candidate (Book B, 3.3.3.4 and 3.4.1)."""
    response = yield _select(candidate.selected_by)
    if not response.ok:
        return _next(f"SELECT was answered with {response.sw:04X}")
    try:
        activation = activated(candidate, response.data, request, settings)
    except CardError as error:
        return _next(error.message)
    return (yield from KERNELS[candidate.combination.kernel_id](activation))


def activated(
    candidate: Candidate, fci: bytes, request: TransactionRequest, settings: ReaderSettings
) -> Activation:
    """What a kernel gets once its application has been selected (Book B, 3.4.1).

    Raises:
        CardError: the answer to SELECT breaks the rules, or names another application, or one
            that the candidate's kernel is not made for.
    """
    application = Application.selected(candidate, parse_fci(fci))
    if not application.df_name.startswith(candidate.combination.aid):
        raise CardError("SELECT answered for another application")
    visa = application.df_name.startswith(_VISA) and candidate.combination.kernel_id == 3
    if visa and not _asks_for_ttq(application):
        # An application of Visa without the TTQ in its PDOL is no qVSDC one (Book B, 3.3.3.6).
        raise CardError("the application is not made for kernel 3")
    program_id = application.objects.get(tags.PROGRAM_ID_9F5A)
    combination = limited_to(candidate.combination, program_id)
    indicators = pre_process(combination, request.amount)
    if not indicators.allowed:
        raise CardError("the amount is over the limit for cards of this program")
    return Activation(
        request=request,
        settings=settings,
        combination=combination,
        indicators=indicators,
        application=application,
        terminal=terminal_objects(request, settings, combination, indicators.ttq),
    )


def _asks_for_ttq(application: Application) -> bool:
    pdol = dol.parse(application.objects.get(tags.PDOL_9F38, b""))
    return any(entry.tag == tags.TTQ_9F66 for entry in pdol)


def _next(reason: str) -> Outcome:
    return _ended(Decision.SELECT_NEXT, reason, MessageId.CLEAR_DISPLAY)


def update(aid: bytes, data: issuer_update.IssuerData) -> Dialogue[issuer_update.Updated | Outcome]:
    """The second tap: selects the application of the first and hands it what its issuer sent.

    An outcome instead when the card is another one or leaves; the payment stands as it is.
    """
    again = _ended(
        Decision.TRY_AGAIN,
        "the card left before it was updated",
        MessageId.PRESENT_AGAIN,
        start=Start.B,
    )
    try:
        response = yield _select(aid)
        if not response.ok:
            return _ended(
                Decision.END_APPLICATION,
                f"another card: SELECT was answered with {response.sw:04X}",
                MessageId.PRESENT_AGAIN,
            )
        return (yield from issuer_update.run(data))
    except CardLost:
        return again
