"""The acquirer's books as a page in a browser: ``taptill sim acquirer --web PORT``.

Rules of this file: it reads and changes nothing. It listens on 127.0.0.1 alone, and answers only
whoever calls it by that name or as ``localhost``, so that no page from elsewhere can read it
through the browser. The page needs nothing from outside; what came in a message is escaped.
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from string import Template

from hardware_sim.acquirer_ledger import Capture, CaptureState, Entry, LedgerView
from hardware_sim.cli_tables import capture_row, heading, message_row, money
from terminal.errors import ConfigError, StoreError

ADDRESS = "127.0.0.1"
NEWEST = 200
"""So many messages and sales are shown, the newest first."""

_PAGE = "acquirer_page.html"
_SENT = (CaptureState.CAPTURED, CaptureState.HELD)
_TONES = {
    "captured": "good",
    "held": "good",
    "taken": "quiet",
    "reversed": "ill",
    "refused": "bad",
}
_ANSWERS = {"00": "good", "": "bad"}
"""A refusal is no fault of anybody's; a message without an answer is."""


class Books:
    """What the page shows, read anew only when a message has come."""

    def __init__(self, ledger_file: Path) -> None:
        self._ledger_file = ledger_file
        self._lock = threading.Lock()
        self._read = 0
        self._messages: deque[Entry] = deque(maxlen=NEWEST)
        self._rows = ""

    def rows(self) -> str:
        """The tables as they are now, as HTML.

        Raises:
            StoreError: the books cannot be read.
        """
        with self._lock:
            view = LedgerView(self._ledger_file)
            try:
                new = view.entries(self._read)
                if new or not self._rows:
                    self._messages.extend(new)
                    self._read += len(new)
                    self._rows = _tables(self._messages, view.captures())
            finally:
                view.close()
            return self._rows


def _tables(messages: Sequence[Entry], captures: Sequence[Capture]) -> str:
    newest = captures[: -NEWEST - 1 : -1]
    sales = (
        (capture_row(row) | {"batch": row.batch, "kind": row.kind}, _TONES[row.state.value])
        for row in newest
    )
    told = (
        (message_row(row), _ANSWERS.get(row.response_code, "ill")) for row in reversed(messages)
    )
    return (
        f'<section class="sums">{_sums(captures)}</section>'
        + _table(
            "Sales",
            (
                "at",
                "kind",
                "amount",
                "card",
                "state",
                "approval",
                "terminal",
                "stan",
                "rrn",
                "batch",
            ),
            "state",
            sales,
        )
        + _table(
            "Messages",
            ("at", "message", "amount", "card", "answer", "note", "terminal", "stan"),
            "answer",
            told,
        )
    )


def _sums(captures: Sequence[Capture]) -> str:
    totals: Counter[str] = Counter()
    for row in captures:
        if row.state in _SENT:
            totals[row.currency] += -row.amount_minor if row.kind == "refund" else row.amount_minor
    counts = Counter(row.state.value for row in captures)
    tiles = [("in the books", money(minor, currency)) for currency, minor in totals.items()]
    tiles += [(state.value, str(counts[state.value])) for state in CaptureState]
    return "".join(
        f"<div><b>{escape(value)}</b><span>{escape(name)}</span></div>" for name, value in tiles
    )


def _table(
    title: str,
    columns: Sequence[str],
    badge: str,
    rows: Iterable[tuple[dict[str, str], str]],
) -> str:
    head = "".join(f"<th>{escape(heading(name))}</th>" for name in columns)
    body = "".join(
        "<tr>"
        + "".join(
            f'<td class="{name}"><i class="{tone}">{escape(row[name])}</i></td>'
            if name == badge and row[name]
            else f'<td class="{name}">{escape(row[name])}</td>'
            for name in columns
        )
        + "</tr>"
        for row, tone in rows
    )
    empty = f'<tr><td colspan="{len(columns)}">none yet</td></tr>'
    return (
        f"<h2>{escape(title)}</h2><div class=wide><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{body or empty}</tbody></table></div>"
    )


class _Handler(BaseHTTPRequestHandler):
    """One request: the page, or its rows."""

    server: _Server
    server_version = "taptill-sim"
    sys_version = ""

    def do_GET(self) -> None:
        """Answers GET; the other methods have no answer, since nothing can be changed."""
        name = self.headers.get("Host", "").rpartition(":")[0]
        if name not in {ADDRESS, "localhost"}:
            self.send_error(HTTPStatus.FORBIDDEN, "Call me 127.0.0.1 or localhost")
            return
        try:
            match self.path:
                case "/":
                    self._send(self.server.page())
                case "/rows":
                    self._send(self.server.books.rows())
                case _:
                    self.send_error(HTTPStatus.NOT_FOUND)
        except StoreError as failed:
            self.send_error(HTTPStatus.SERVICE_UNAVAILABLE, "The books cannot be read", str(failed))

    def _send(self, html: str) -> None:
        body = html.encode()
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        same = self.headers.get("If-None-Match") == tag
        self.send_response(HTTPStatus.NOT_MODIFIED if same else HTTPStatus.OK)
        self.send_header("ETag", tag)
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header(
            "Content-Security-Policy",
            "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline';"
            " connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        )
        self.send_header("Content-Length", "0" if same else str(len(body)))
        self.end_headers()
        if not same:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing: the console has a line for each message of the acquirer."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, books: Books, title: str) -> None:
        self.books = books
        self._title = title
        self._template = Template(files("hardware_sim").joinpath(_PAGE).read_text("utf-8"))
        super().__init__((ADDRESS, port), _Handler)

    def page(self) -> str:
        return self._template.substitute(title=escape(self._title), rows=self.books.rows())


class LedgerPage:
    """The page, being served until ``close``.

    Args:
        ledger_file: the books.
        port: 0 for any.
        title: what the page is about, for a person.

    Raises:
        ConfigError: the port is taken.
    """

    def __init__(self, ledger_file: Path, *, port: int = 0, title: str) -> None:
        try:
            self._server = _Server(port, Books(ledger_file), title)
        except OSError as cause:
            raise ConfigError(
                f"The page cannot be served on {ADDRESS}:{port} ({cause.strerror}).",
                remedy="Give another port, or 0 for any.",
            ) from cause
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{ADDRESS}:{self._server.server_port}/"

    def close(self) -> None:
        """Ends it."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
