"""``taptill card read``, ``tlv``, ``trace`` and ``replay``: what a card says, in plain language.

Rules of this file: tables for people and ``--json`` say the same; account data is masked unless
it is a published test number; wrong input is told where it is wrong. No money moves here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from drivers.clock import SystemClock, SystemEntropy
from drivers.keystore import FileKeyStore
from drivers.registry import open_reader
from terminal.bench import bench_of
from terminal.emv import explain, oda, preprocessing, tags, witness
from terminal.emv.collect import collect
from terminal.emv.converse import Limits, converse
from terminal.emv.entry_point import TransactionRequest, default_settings, transact
from terminal.emv.explain import Context, Row
from terminal.emv.outcome import Outcome
from terminal.emv.summary import Told, told
from terminal.emv.transcript import Transcript, parse_transcript
from terminal.errors import CardError, CardLost, ConfigError, ReaderAddressWrong
from terminal.money import Amount
from terminal.ports import Card, ForeignTag, Reader, SeveralCards, Unreadable
from ui.tables import print_json, print_table
from ui.wiring import Settings, address_acquirer

EXIT_NOBODY = 4
_WAIT_S = 30.0
_LIMITS = Limits(commands=400, card_time_s=20.0)
_HEX = re.compile(r"[0-9A-Fa-f]*")
_COLUMNS = {"at": "At", "bytes": "Bytes", "what": "What", "says": "Says"}
Exchanges = list[tuple[bytes | None, bytes | None]]


def tlv(text: str, *, as_json: bool) -> int:
    """Explains TLV data given in hexadecimal.

    Raises:
        ConfigError: it is no hexadecimal; the message says at which character.
    """
    data = _hexadecimal(text)
    rows = explain.explain_tlv(data)
    if as_json:
        print_json([_as_json(row) for row in rows])
    else:
        print_table(f"{len(data)} bytes", _COLUMNS, [_shown(row) for row in rows], "No bytes.")
    return 1 if any(row.what == "not readable" for row in rows) else 0


def _hexadecimal(text: str) -> bytes:
    plain = re.sub(r"[\s:]", "", text)
    match = _HEX.match(plain)
    end = match.end() if match else 0
    if end < len(plain):
        raise ConfigError(
            f"Character {end + 1} of the data ({plain[end]!r}) is no hexadecimal digit.",
            remedy="Write bytes like 9F0206000000001000; blanks and colons may stand between.",
        )
    if len(plain) % 2:
        raise ConfigError(
            f"The data has {len(plain)} hexadecimal digits: the last byte is half there.",
            remedy="Two digits make a byte.",
        )
    return bytes.fromhex(plain)


def _as_json(row: Row) -> dict[str, Any]:
    return {
        "offset": row.offset,
        "length": row.length,
        "bytes": row.shown,
        "what": row.what,
        "says": list(row.says),
        "depth": row.depth,
    }


def _shown(row: Row) -> dict[str, Any]:
    indent = "  " * row.depth
    blanks = " ".join(re.findall("..?", row.shown.replace(" ", "")))
    return {
        "at": row.offset,
        "bytes": blanks,
        "what": indent + row.what,
        "says": "; ".join(row.says),
    }


def _file(path: Path) -> Transcript:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as cause:
        raise ConfigError(f"{path} cannot be read: {cause}.", remedy="Check the path.") from cause
    return parse_transcript(text, str(path))


def trace(path: Path, *, as_json: bool) -> int:
    """Tells a recorded dialogue: each exchange byte by byte, then each application.

    Raises:
        ConfigError: the file is no dialogue; the message says where.
    """
    found = _file(path)
    exchanges: Exchanges = [(each.command, each.response) for each in found.exchanges]
    keys = _stated_keys(found)
    _tell(exchanges, keys, _day_of(found, exchanges), as_json=as_json, step_by_step=True)
    return 0


def _stated_keys(found: Transcript) -> oda.CaKeys:
    """The CA keys that a JSON transcript brings; the first of those of one name."""
    listed = found.stated.get("ca_public_keys") or []
    keys: dict[tuple[bytes, int], oda.CaPublicKey] = {}
    for each in listed if isinstance(listed, list) else []:
        try:
            key = oda.CaPublicKey(
                bytes.fromhex(each["rid"]),
                int(each["index"], 16),
                bytes.fromhex(each["modulus"]),
                bytes.fromhex(each["exponent"]),
            )
        except (ConfigError, KeyError, TypeError, ValueError):
            # A key that EMV does not allow opens nothing, and the table says that none was there.
            continue
        keys.setdefault((key.rid, key.index), key)
    return oda.CaKeys(tuple(keys.values()))


def _day_of(found: Transcript, exchanges: Exchanges) -> date:
    """The day that the recording terminal sent (9A), when its certificates held; or today."""
    seen = witness.read_dialogue(witness.joined(exchanges))
    sent = [witness.terminal_values(each).get(tags.DATE_9A, b"").hex() for each in seen]
    terminal = found.stated.get("terminal")
    stated = terminal.get("9A") if isinstance(terminal, dict) else None
    for value in (stated, *sent):
        try:
            return datetime.strptime(f"{value}+0000", "%y%m%d%z").date()
        except ValueError:
            continue
    return SystemClock().now().date()


def _tell(
    exchanges: Exchanges, keys: oda.CaKeys, on: date, *, as_json: bool, step_by_step: bool
) -> None:
    seen = witness.read_dialogue(witness.joined(exchanges))
    applications = told(seen, keys, on)
    steps = _steps(exchanges) if step_by_step else []
    if as_json:
        content: dict[str, Any] = {"applications": [_told_json(each) for each in applications]}
        if step_by_step:
            content["exchanges"] = [
                {"command": [_as_json(r) for r in sent], "answer": [_as_json(r) for r in answer]}
                for sent, answer in steps
            ]
        print_json(content)
        return
    for number, (sent, answer) in enumerate(steps, 1):
        print_table(f"{number}. > {sent[0].what}", _COLUMNS, [_shown(r) for r in sent], "")
        print_table("   <", _COLUMNS, [_shown(r) for r in answer], "")
        click.echo()
    for application in applications:
        _print_application(application)
    if not applications:
        click.echo("No payment application was read.")


def _steps(exchanges: Exchanges) -> list[tuple[list[Row], list[Row]]]:
    context = Context()
    steps = []
    for command, answer in exchanges:
        if command is None:
            sent = [Row(0, 0, "", "any command")]
        else:
            sent = explain.explain_command(command, context)
        if answer is None:
            received = [Row(0, 0, "", "the card was lost")]
        else:
            received = explain.explain_answer(answer, command, context)
        steps.append((sent, received))
    return steps


def _told_json(application: Told) -> dict[str, Any]:
    return {
        "aid": application.aid,
        "title": application.title,
        "fields": [
            {"name": name, "value": value, "says": list(says)}
            for name, value, says in application.fields
        ],
    }


def _print_application(application: Told) -> None:
    rows: list[dict[str, str]] = []
    for name, value, says in application.fields:
        first, *rest = says or ("",)
        rows.append({"name": name, "value": value, "says": first})
        rows += [{"name": "", "value": "", "says": each} for each in rest]
    columns = {"name": "What", "value": "Value", "says": "Means"}
    print_table(application.title, columns, rows, "")
    click.echo()


def card_read(settings: Settings, *, as_json: bool, verbose: bool) -> int:
    """Waits for a card and explains it; no payment is made.

    Raises:
        ConfigError: the configuration or an address is wrong.
        ReaderNotFound: there is no reader.
        ReaderUnplugged: it went away.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    acquirer = address_acquirer(settings, FileKeyStore(settings.data_dir / "device.key"))
    keys = acquirer.ca_keys
    acquirer.close()
    reader = _reader(settings)
    try:
        if not as_json:
            click.echo(f"Hold a card to {reader.name}. No money moves.", err=True)
        presented = reader.wait_for_card(timeout_s=_WAIT_S, cancelled=lambda: False)
        if presented is None or isinstance(presented, ForeignTag | SeveralCards | Unreadable):
            return _nothing_to_read(presented)
        exchanges = _collected(settings, presented)
        _tell(exchanges, keys, SystemClock().now().date(), as_json=as_json, step_by_step=verbose)
        return 0
    finally:
        reader.release()
        reader.close()


def _reader(settings: Settings) -> Reader:
    reader = open_reader(settings.config.till.reader)
    bench = bench_of(reader)
    if bench is None:
        return reader
    reader.close()
    raise ReaderAddressWrong(
        f"{reader.name}: at the command line nobody can tap a card on it.",
        remedy=f"Name the card, like --reader sim:{bench.cards()[0].id}.",
    )


def _nothing_to_read(presented: ForeignTag | SeveralCards | Unreadable | None) -> int:
    match presented:
        case ForeignTag(technology):
            click.echo(f"{technology}: no payment card.", err=True)
        case SeveralCards():
            click.echo("Several cards at once. Hold one.", err=True)
        case Unreadable(reason):
            click.echo(f"The card could not be activated: {reason}.", err=True)
        case _:
            click.echo("Nobody held a card.", err=True)
    return EXIT_NOBODY


def _collected(settings: Settings, card: Card) -> Exchanges:
    clock, entropy = SystemClock(), SystemEntropy()
    config = settings.config.till
    request = TransactionRequest(
        Amount(1, config.currency),
        clock.now().astimezone(settings.zone),
        entropy.random_bytes(4),
    )
    reader = default_settings(config.country, config.currency)
    combination = next(each for each in reader.combinations if each.ttq is not None)
    ttq = preprocessing.pre_process(combination, request.amount).ttq
    terminal = preprocessing.terminal_objects(request, reader, combination, ttq)
    exchanges: Exchanges = []
    try:
        converse(
            collect(terminal),
            card,
            monotonic=clock.monotonic,
            limits=_LIMITS,
            record=lambda command, answer: exchanges.append((command, answer)),
        )
    except (CardError, CardLost) as ended:
        click.echo(f"The reading ended early: {ended}", err=True)
    return exchanges


def replay(settings: Settings, path: Path, *, as_json: bool) -> int:
    """Runs this till's kernels against a recorded dialogue, and tells how the tap ends.

    Raises:
        ConfigError: the file is no dialogue; the message says where.
        ReaderAddressWrong: the simulator, which plays the card, is not installed.
    """
    found = _file(path)
    exchanges: Exchanges = []
    reader = open_reader(f"replay:{path}?lenient=1&times=1")
    try:
        card = reader.wait_for_card(timeout_s=_WAIT_S, cancelled=lambda: False)
        if card is None or isinstance(card, ForeignTag | SeveralCards | Unreadable):
            return _nothing_to_read(card)
        outcome = _paid(settings, found, card, exchanges)
    finally:
        reader.release()
        reader.close()
    rows = [
        {
            "number": number,
            "what": sent[0].what,
            "says": "; ".join(sent[0].says),
            "answer": _end(got),
        }
        for number, (sent, got) in enumerate(_steps(exchanges), 1)
    ]
    if as_json:
        print_json({"outcome": _outcome_json(outcome), "exchanges": rows})
        return 0
    columns = {"number": "No.", "what": "Sent", "says": "Says", "answer": "Answered"}
    print_table(f"Replay of {found.name}", columns, rows, "Nothing was sent.")
    click.secho(f"{outcome.decision.value}: {outcome.reason}", bold=True)
    if not any(each.command and witness.PPSE in each.command for each in found.exchanges):
        click.echo(
            "The recording has no directory of contactless applications (2PAY.SYS.DDF01), and a"
            " replay invents none: it was made with a contact card, or begins at an application.",
            err=True,
        )
    return 0


def _end(rows: Sequence[Row]) -> str:
    last = rows[-1]
    return f"{last.shown} {'; '.join(last.says)}".strip() or last.what


def _outcome_json(outcome: Outcome) -> dict[str, Any]:
    return {
        "decision": outcome.decision.value,
        "reason": outcome.reason,
        "start": outcome.start.value,
        "cvm": outcome.cvm.value,
        "message": f"{outcome.ui.message.value:02X}" if outcome.ui else None,
        "aid": outcome.application.aid.hex().upper() if outcome.application else None,
        "card": outcome.card.pan.masked if outcome.card else None,
        "device": outcome.device,
    }


def _paid(settings: Settings, found: Transcript, card: Card, exchanges: Exchanges) -> Outcome:
    clock = SystemClock()
    recorded: Exchanges = [(each.command, each.response) for each in found.exchanges]
    config = settings.config.till
    on = _day_of(found, recorded)
    request = TransactionRequest(
        Amount(1, config.currency),
        datetime(on.year, on.month, on.day, 12, tzinfo=settings.zone),
        bytes(4),
    )
    reader = default_settings(config.country, config.currency, ca_keys=_stated_keys(found))
    return converse(
        transact(request, reader),
        card,
        monotonic=clock.monotonic,
        record=lambda command, answer: exchanges.append((command, answer)),
    ).result
