"""The simulated acquirer's desk: one message in, its effect on the books and its answers out.

Rules of this file: what a message does and the answer that it gets are committed together,
before the answer is given away, so the answer to a copy is the first answer again. Faults are
put on afterwards: they change what the till sees and never what was booked.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from hardware_sim.acquirer_amounts import NOT_FINAL, code_for
from hardware_sim.acquirer_behaviour import Behaviour, Fault
from hardware_sim.acquirer_keys import CannotOpen, OpeningKeys
from hardware_sim.acquirer_later import COMPLETION, HOLD, REFUND, judge_later, kind_of
from hardware_sim.acquirer_ledger import (
    AcquirerLedger,
    Capture,
    CaptureState,
    Entry,
    MessageKey,
    StoredAnswer,
    timestamp,
)
from hardware_sim.acquirer_rules import IssuerRules, Judgement
from hardware_sim.acquirer_server import Reply
from hardware_sim.acquirer_settlement import (
    SETTLEMENTS,
    UPLOADS,
    batch_for,
    reconcile,
    tamper,
    upload,
)
from hardware_sim.acquirer_transfers import INQUIRIES, inquire
from hardware_sim.message_check import check_message
from terminal.errors import HostGarbled
from terminal.iso8583.answer_mac import mac_of
from terminal.iso8583.codec import Message
from terminal.iso8583.hostside import Request, compose_answer, parse_request
from terminal.iso8583.messages import pack, unpack
from terminal.iso8583.profile import Profile
from terminal.iso8583.profiles import BASE87_DUKPT, BASE87_MAC

UNREADABLE = "----"
_TILLS_MAX = 1000
_SALES = frozenset({"0100", "0200", "0220", "0221"})
_REVERSALS = frozenset({"0420", "0421"})
CUSTOMER_CANCELLATION = "17"
"""DE 39 of a 0420 by which a person voids; a till that waited in vain says 68."""


class AcquirerDesk:
    """Answers messages from many threads, one at a time.

    Args:
        profile: the dialect.
        keys: open the envelopes of card data.
        hash_key: keys the hashes of card numbers and the approval codes; 32 bytes.
        ledger: the books; closed with the desk.
        behaviour: the misbehaviour to begin with.
        now: the time of day.
        watch: called with each message once it is in the books.
    """

    def __init__(
        self,
        *,
        profile: Profile,
        keys: OpeningKeys,
        hash_key: bytes,
        ledger: AcquirerLedger,
        behaviour: Behaviour,
        now: Callable[[], datetime],
        watch: Callable[[Entry], None] | None = None,
    ) -> None:
        self._profile = profile
        self._keys = keys
        self._answer_keys: dict[str, bytes | None] = {}
        self._rules = IssuerRules(keys, hash_key)
        self._hash_key = hash_key
        self._ledger = ledger
        self._behaviour = behaviour
        self._lock = threading.Lock()
        self._now = now
        self._watch = watch

    @property
    def behaviour(self) -> Behaviour:
        """The misbehaviour as it stands: counts are what is left of them."""
        return self._behaviour

    def change(self, options: Mapping[str, str]) -> Behaviour:
        """Changes options of the misbehaviour.

        Raises:
            ConfigError: an option is not known, or its value does not fit.
        """
        with self._lock:
            self._behaviour = self._behaviour.changed(options)
            return self._behaviour

    def enrol(self, terminal_id: str, merchant_id: str) -> None:
        """Makes a terminal known. Once one is known, all others are refused."""
        with self._ledger.transaction():
            self._ledger.enrol(terminal_id, merchant_id)

    def forget_answers(self) -> None:
        """Ends the duplicate window."""
        with self._ledger.transaction():
            self._ledger.forget_answers()

    def close(self) -> None:
        """Closes the books. Harmless when called twice."""
        self._ledger.close()

    def handle(self, wire: bytes) -> Reply:
        """Judges one message, books it, and says what to send back.

        Raises:
            StoreError: the books failed; nothing was booked and nothing may be answered.
        """
        try:
            request = self._parsed(wire)
        except HostGarbled as error:
            note = "; ".join(self._faults_of(wire)) or error.message
            self._note(Entry(timestamp(self._now()), UNREADABLE, note=note))
            return Reply(close=True)
        with self._lock:
            faults, self._behaviour = self._behaviour.hit(request.mti)
            behaviour = self._behaviour
        if Fault.DROP_BEFORE in faults:
            self._note(self._entry(request, note="lost before it was processed"))
            return Reply()
        with self._ledger.transaction():
            answer, entry = self._process(request)
            names = ", ".join(sorted(fault.value for fault in faults))
            entry = replace(entry, note="; ".join(part for part in (entry.note, names) if part))
            self._ledger.record(entry)
        if self._watch is not None:
            self._watch(entry)
        return self._reply(self._with_mac(request, answer), faults, behaviour)

    def _with_mac(self, request: Request, answer: bytes) -> bytes:
        """The answer with its MAC, for a till that has sent a key. It is kept without."""
        sent = request.fields.get(BASE87_MAC.key_field)
        if sent is None:
            return answer
        key = self._answer_key(sent)
        if key is None:
            # A till that goes by another key takes no answer of ours, with or without a MAC.
            return answer
        message = unpack(BASE87_MAC, answer)
        mac = mac_of(BASE87_MAC, key, Message(request.mti, request.fields), message)
        fields = {**message.fields, BASE87_MAC.mac_field: mac}
        return pack(BASE87_MAC, Message(message.mti, fields))

    def _answer_key(self, sent: str) -> bytes | None:
        """The key that goes with a till's, agreed once."""
        if sent not in self._answer_keys:
            if len(self._answer_keys) >= _TILLS_MAX:
                self._answer_keys.clear()
            try:
                self._answer_keys[sent] = self._keys.answer_key(bytes.fromhex(sent))
            except CannotOpen:
                self._answer_keys[sent] = None
        return self._answer_keys[sent]

    def _parsed(self, wire: bytes) -> Request:
        """The message in any of the dialects: which one says how its card is sealed."""
        with suppress(HostGarbled):
            # Its fields include those of base87.
            return parse_request(BASE87_MAC, wire)
        return parse_request(BASE87_DUKPT, wire)

    def _faults_of(self, wire: bytes) -> Sequence[str]:
        """All that is wrong with a message, in the dialect that it comes closer to."""
        profiles = (self._profile, BASE87_MAC, BASE87_DUKPT)
        return min((check_message(each, wire).faults for each in profiles), key=len)

    def _note(self, entry: Entry) -> None:
        with self._ledger.transaction():
            self._ledger.record(entry)
        if self._watch is not None:
            self._watch(entry)

    def _entry(self, request: Request, *, code: str = "", note: str = "") -> Entry:
        return Entry(
            at=timestamp(self._now()),
            mti=request.mti,
            terminal_id=request.terminal_id,
            stan=request.fields[11],
            transmitted=request.fields[7],
            rrn=request.rrn,
            amount_minor=request.amount_minor if 4 in request.fields else None,
            currency=request.fields.get(49, ""),
            response_code=code,
            note=note,
        )

    def _process(self, request: Request) -> tuple[bytes, Entry]:
        """The answer to one message and its line in the books; inside a SQL transaction."""
        if refusal := self._unknown_terminal(request):
            return self._answered(request, refusal)
        if request.mti in INQUIRIES:
            after = self._behaviour.transfer_after
            told = inquire(self._ledger, self._profile, request, after)
            return told.answer, self._entry(request, code=told.code, note=told.note)
        if request.mti not in _SALES | _REVERSALS | SETTLEMENTS | UPLOADS:
            return self._answered(request, Judgement("00"))
        key = _key_of(request)
        digest = _digest_of(request)
        first = self._ledger.first_answer(key)
        if first is None and request.mti in SETTLEMENTS | UPLOADS:
            return self._settled(request, key, digest)
        if first is None:
            judgement = self._sale(request, key) if request.mti in _SALES else self._undo(request)
            answer, entry = self._answered(request, judgement)
            if judgement.code not in NOT_FINAL:
                self._ledger.remember(key, StoredAnswer(digest, answer, judgement.code))
            return answer, entry
        if hmac.compare_digest(first.digest, digest):
            note = "a copy: answered as before"
            return first.answer, self._entry(request, code=first.response_code, note=note)
        return self._answered(request, Judgement("94", "another message under the same numbers"))

    def _settled(self, request: Request, key: MessageKey, digest: bytes) -> tuple[bytes, Entry]:
        """The answer to a message that closes a batch."""
        if request.mti in UPLOADS:
            done = upload(self._ledger, self._profile, request, timestamp(self._now()))
        else:
            done = reconcile(self._ledger, self._profile, request)
        self._ledger.remember(key, StoredAnswer(digest, done.answer, done.code))
        return done.answer, self._entry(request, code=done.code, note=done.note)

    def tamper(self, how: str) -> None:
        """Puts the books wrong on purpose, so that a till can find it out.

        Raises:
            ConfigError: there is no such way, or no sale.
        """
        with self._ledger.transaction():
            tamper(self._ledger, how)

    def _unknown_terminal(self, request: Request) -> Judgement | None:
        known = self._ledger.terminals()
        if not known:
            return None
        if request.terminal_id not in known:
            return Judgement("89", "the terminal is not known")
        merchant_id = request.fields.get(42)
        if merchant_id is not None and merchant_id.rstrip() != known[request.terminal_id]:
            return Judgement("03", "the terminal belongs to another merchant")
        return None

    def _sale(self, request: Request, key: MessageKey) -> Judgement:
        if self._ledger.reversed_before(key):
            judgement = Judgement("12", "a reversal of this sale came before it")
        elif request.repeat and (booked := self._ledger.booked(key)):
            # The answer is forgotten, and the repeat flag says to look whether the sale is not.
            return _as_booked(booked)
        elif kind_of(request) in {REFUND, COMPLETION}:
            judgement = judge_later(self._rules, self._ledger, request)
        else:
            judgement = self._rules.judge(
                request,
                now=self._now(),
                trouble_over=code_for(request.amount_minor) in NOT_FINAL
                and self._ledger.seen(key, code_for(request.amount_minor)),
                spent_minor=lambda card: self._ledger.captured_minor(request.terminal_id, card),
            )
        if judgement.code not in NOT_FINAL:
            self._book(request, judgement)
        return judgement

    def _book(self, request: Request, judgement: Judgement) -> None:
        approved = judgement.approved_minor > 0
        kind = kind_of(request)
        if approved and kind == COMPLETION:
            self._ledger.take_hold(request.terminal_id, request.rrn)
        booked = CaptureState.HELD if kind == HOLD else CaptureState.CAPTURED
        self._ledger.book(
            Capture(
                at=timestamp(self._now()),
                terminal_id=request.terminal_id,
                stan=request.fields[11],
                transmitted=request.fields[7],
                rrn=request.rrn,
                amount_minor=judgement.approved_minor or request.amount_minor,
                currency=request.fields[49],
                card=judgement.card,
                card_hash=judgement.card_hash,
                approval_code=self._approval_code(request) if approved else "",
                state=booked if approved else CaptureState.REFUSED,
                response_code=judgement.code,
                kind="sale" if kind == COMPLETION else kind,
                batch=batch_for(
                    self._ledger,
                    request.terminal_id,
                    request.fields.get(self._profile.batch_field, ""),
                ),
                original_rrn=request.rrn if kind == REFUND else "",
            )
        )

    def _undo(self, request: Request) -> Judgement:
        original = request.original
        if original is None:
            return Judgement("30", "a reversal without DE 90")
        key = MessageKey(
            original.mti[1], request.terminal_id, f"{original.stan:06d}", original.transmitted
        )
        voided = request.fields[39] == CUSTOMER_CANCELLATION
        if self._ledger.undo(key, timestamp(self._now()), voided=voided):
            return Judgement("00", f"reverses {key.stan}")
        return Judgement("25", f"nothing was captured under {key.stan}")

    def _approval_code(self, request: Request) -> str:
        """Six digits that are the same for every copy of one message."""
        mark = hmac.digest(self._hash_key, b"approval" + _digest_of(request), "sha256")
        return f"{int.from_bytes(mark[:8], 'big') % 999_999 + 1:06d}"

    def _answered(self, request: Request, judgement: Judgement) -> tuple[bytes, Entry]:
        approved = judgement.approved_minor > 0
        partial = approved and judgement.approved_minor != request.amount_minor
        answer = compose_answer(
            self._profile,
            request,
            judgement.code,
            approval_code=self._approval_code(request) if approved else "",
            amount_minor=judgement.approved_minor if partial else None,
            chip_data=judgement.chip_data,
            at=self._now(),
        )
        entry = self._entry(request, code=judgement.code, note=judgement.note)
        return answer, replace(entry, card=judgement.card, card_hash=judgement.card_hash)

    def _reply(self, answer: bytes, faults: frozenset[Fault], behaviour: Behaviour) -> Reply:
        if Fault.CLOSE in faults:
            return Reply(close=True)
        if Fault.DROP_AFTER in faults:
            return Reply()
        if Fault.OTHER_STAN in faults:
            answer = _with_other_stan(answer)
        if Fault.GARBLE in faults:
            answer = _garbled(answer)
        late_ms = behaviour.late_ms if Fault.LATE in faults else 0
        copies = 2 if Fault.TWICE in faults else 1
        return Reply(answers=((behaviour.latency_ms + late_ms, answer),) * copies)


def _as_booked(booked: Capture) -> Judgement:
    """The answer to a repeat whose first copy stands in the books."""
    approved_minor = booked.amount_minor if booked.state is CaptureState.CAPTURED else 0
    note = "a repeat: found in the books"
    return Judgement(
        booked.response_code, note, approved_minor, booked.card, card_hash=booked.card_hash
    )


def _key_of(request: Request) -> MessageKey:
    return MessageKey(request.mti[1], request.terminal_id, request.fields[11], request.fields[7])


def _digest_of(request: Request) -> bytes:
    """What a copy has in common with the first: all but the repeat digit of the message type."""
    # Whoever sends a copy may do so with another key for its answer's MAC.
    fields = {n: value for n, value in request.fields.items() if n != BASE87_MAC.key_field}
    content = json.dumps([request.mti[:3], sorted(fields.items())])
    return hashlib.sha256(content.encode()).digest()


def _with_other_stan(answer: bytes) -> bytes:
    message = unpack(BASE87_MAC, answer)
    other = f"{int(message.fields[11]) % 999_999 + 1:06d}"
    return pack(BASE87_MAC, Message(message.mti, {**message.fields, 11: other}))


def _garbled(answer: bytes) -> bytes:
    """The answer with the top bit of its middle byte turned over."""
    middle = len(answer) // 2
    return answer[:middle] + bytes((answer[middle] ^ 0x80,)) + answer[middle + 1 :]
