"""How the simulated acquirer and its issuers decide one sale.

Rules of this file: a message and a moment in, a judgement out; nothing is stored or sent here.
Card data is in the clear inside ``judge`` and leaves it as four digits and a keyed hash. The
order of the rules is the order in which a real message meets them: the acquirer's own checks,
then the sealed card, then the issuer's.

The response codes are those of ISO 8583:1987 where it has one. The rest follows common use: 63
for data that fails its security check, 82 for a wrong cryptogram (as Visa lists it), 89 for an
unknown terminal.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from hardware_sim.acquirer_amounts import APPROVED, PARTIAL, code_for, partial_minor
from hardware_sim.acquirer_keys import CannotOpen, OpeningKeys
from hardware_sim.catalogue import accounts
from hardware_sim.issuer import arqc_fault, issuer_authentication_data, issuer_of
from terminal.card import CardData
from terminal.errors import CardError
from terminal.iso8583.hostside import Request
from terminal.tokens import binding_info, parse_plaintext

AMOUNT_9F02 = 0x9F02
CURRENCY_5F2A = 0x5F2A
ISSUER_AUTHENTICATION_91 = 0x91
CRYPTOGRAM_INFORMATION_9F27 = 0x9F27
APPROVED_OFFLINE = b"\x40"
ASKED_ONLINE = b"\x80"
REFUSED_OFFLINE = b"\x00"
ASKED_BY_MTI = frozenset({"0100", "0200"})


@dataclass(frozen=True, slots=True)
class Judgement:
    """The answer to a sale. ``note`` says which rule decided, for the books.

    ``approved_minor`` is 0 unless approved; ``card`` is masked and ``card_hash`` keyed, both
    empty when the envelope did not open.
    """

    code: str
    note: str = ""
    approved_minor: int = 0
    card: str = ""
    card_hash: str = ""
    chip_data: Mapping[int, bytes] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Situation:
    """What the books know that the message does not say."""

    trouble_over: bool = False
    spent_minor: int = 0


@dataclass(frozen=True, slots=True)
class IssuerRules:
    """What decides: the keys that open envelopes, and the key of the hashes of card numbers."""

    keys: OpeningKeys
    hash_key: bytes = field(repr=False)

    def judge(
        self,
        request: Request,
        *,
        now: datetime,
        trouble_over: bool,
        spent_minor: Callable[[str], int] = lambda _: 0,
    ) -> Judgement:
        """The answer to a 0200, 0220 or 0221.

        ``trouble_over`` says that an advice has met an unavailable issuer before, which then
        answers; ``spent_minor`` what was captured at this terminal for a card, by its keyed hash.
        """
        if fault := _chip_contradicts(request):
            return fault
        opened = self.open(request)
        if isinstance(opened, Judgement):
            return opened
        number = opened.pan.reveal()
        card_hash = self.hash_of(opened)
        situation = Situation(trouble_over, spent_minor(card_hash))
        judged = _issuer_decides(request, opened, number, now, situation)
        return Judgement(
            code=judged.code,
            note=judged.note,
            approved_minor=judged.approved_minor,
            card=opened.pan.masked,
            card_hash=card_hash,
            chip_data=judged.chip_data,
        )

    def hash_of(self, card: CardData) -> str:
        """The acquirer's own name for a card number, keyed."""
        number = card.pan.reveal().encode()
        return hmac.digest(self.hash_key, number, "sha256")[:16].hex()

    def open(self, request: Request) -> CardData | Judgement:
        """The card data of a sale, or the refusal of an envelope that is not for this sale."""
        reference = re.fullmatch(r"([0-9]{1,12}):(.+)", request.reference, re.ASCII)
        if reference is None:
            return Judgement("30", "the sale reference is not SEQUENCE:TXN_ID")

        def info_of(key_id: str) -> bytes:
            return binding_info(
                terminal_id=request.terminal_id,
                sequence=int(reference[1]),
                txn_id=reference[2],
                processing_code=request.fields[3],
                amount_minor=request.amount_minor,
                currency_number=int(request.fields[49]),
                transmitted=request.fields[7],
                key_id=key_id,
            )

        try:
            return parse_plaintext(self.keys.open(request.envelope, info_of))
        except CannotOpen as why:
            return Judgement("63", str(why))
        except CardError as error:
            return Judgement("63", error.message)


def _chip_contradicts(request: Request) -> Judgement | None:
    """A refusal when the chip was asked about another sum than the host is."""
    said = {AMOUNT_9F02: f"{request.amount_minor:012d}", CURRENCY_5F2A: f"0{request.fields[49]}"}
    for tag, digits in said.items():
        if tag not in request.chip_data:
            return Judgement("30", f"DE 55 lacks tag {tag:X}")
        if request.chip_data[tag].hex() != digits:
            return Judgement("12", f"tag {tag:X} contradicts the message")
    return None


def _issuer_decides(
    request: Request, card: CardData, number: str, now: datetime, situation: Situation
) -> Judgement:
    sequence = card.sequence or 0
    if 23 in request.fields and int(request.fields[23]) != sequence:
        return Judgement("12", "DE 23 contradicts the sealed card")
    if not card.pan.luhn_valid:
        return Judgement("14", "the card number's check digit is wrong")
    keys = issuer_of(number)
    if keys is None:
        return Judgement("15", "no simulated issuer has such cards")
    chip_data = dict(request.chip_data)
    if chip_data.get(CRYPTOGRAM_INFORMATION_9F27) in _other_cryptograms(request):
        # They are computed in the same way.
        chip_data[CRYPTOGRAM_INFORMATION_9F27] = ASKED_ONLINE
    if fault := arqc_fault(keys, number, sequence, chip_data):
        return Judgement("82", fault)
    judged = _amount_decides(request, card, number, now, situation)
    proof = issuer_authentication_data(keys, number, sequence, request.chip_data, judged.code)
    return Judgement(
        judged.code, judged.note, judged.approved_minor, chip_data={ISSUER_AUTHENTICATION_91: proof}
    )


def _other_cryptograms(request: Request) -> set[bytes]:
    """What 9F27 may be besides an ARQC's.

    A TC where the card approved by itself; an AAC where it is given money back, since a card may
    refuse all that is no purchase.
    """
    by_itself: set[bytes] = set() if request.mti in ASKED_BY_MTI else {APPROVED_OFFLINE}
    return by_itself | ({REFUSED_OFFLINE} if request.fields[3].startswith("20") else set())


def _amount_decides(
    request: Request,
    card: CardData,
    number: str,
    now: datetime,
    situation: Situation,
) -> Judgement:
    # A card is good until the last day of its month; years are those of this century.
    if int(card.expiry_yymm) < int(now.strftime("%y%m")):
        return Judgement("54", "the card has expired")
    account = accounts().get(number)
    if account is not None and account.status in _REFUSED:
        return Judgement(_REFUSED[account.status], f"the card is {account.status}")
    advice = request.mti not in ASKED_BY_MTI
    if account is not None and account.balance >= 0:
        left = account.balance - situation.spent_minor
        if request.amount_minor > left:
            partly = left > 0 and not advice
            return (
                Judgement(PARTIAL, f"the balance is {left}", left)
                if partly
                else Judgement("51", f"the balance is {left}")
            )
    code = code_for(request.amount_minor)
    if code == PARTIAL and not advice:
        return Judgement(PARTIAL, "test amount", partial_minor(request.amount_minor))
    if code in {APPROVED, PARTIAL} or (advice and situation.trouble_over):
        return Judgement(APPROVED, approved_minor=request.amount_minor)
    return Judgement(code, "test amount")


_REFUSED = {"blocked": "62", "lost": "41", "stolen": "43", "closed": "46"}
"""The answer to a card by the status of its account."""
