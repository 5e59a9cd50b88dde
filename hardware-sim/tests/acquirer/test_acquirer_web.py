"""The books as a page, fetched as a browser and as a stranger would."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest

from hardware_sim.acquirer_folder import AcquirerFolder
from hardware_sim.acquirer_web import LedgerPage
from hardware_sim.bench_till import PAN, BenchTill, Slip
from terminal.errors import ConfigError


@pytest.fixture(scope="module")
def page(shared_till: BenchTill) -> Iterator[LedgerPage]:
    books = AcquirerFolder(shared_till.control.folder).ledger_file
    with closing(LedgerPage(books, title="Acquirer <one>")) as page:
        yield page


def fetched(url: str) -> str:
    with urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


def refusal(request: Request | str) -> int:
    with pytest.raises(HTTPError) as refused:
        urlopen(request, timeout=10)
    with refused.value as error:
        return error.code


def test_a_sale_is_on_the_page_when_it_is_in_the_books(
    shared_till: BenchTill, page: LedgerPage
) -> None:
    before = fetched(page.url + "rows")
    assert "none yet" in before
    shared_till.sell(Slip(stan=1))
    shared_till.sell(Slip(stan=2, minor=1051))
    after = fetched(page.url + "rows")
    assert '<td class="amount">EUR 12.50</td>' in after
    assert '<i class="good">captured</i>' in after
    assert '<i class="ill">51</i>' in after
    assert "<b>EUR 12.50</b><span>in the books</span>" in after
    assert after in fetched(page.url)


def test_the_page_needs_nothing_from_outside_and_names_no_card(
    shared_till: BenchTill, page: LedgerPage
) -> None:
    shared_till.sell(Slip(stan=3))
    whole = fetched(page.url)
    assert "Acquirer &lt;one&gt;" in whole
    assert "0010" in whole
    assert PAN not in whole
    for outside in ("http://", "https://", "src=", "@import", "url("):
        assert outside not in whole


def test_rows_that_have_not_changed_are_not_sent_again(page: LedgerPage) -> None:
    with urlopen(page.url + "rows", timeout=10) as answer:
        tag = answer.headers["ETag"]
    assert refusal(Request(page.url + "rows", headers={"If-None-Match": tag})) == 304


@pytest.mark.parametrize(
    ("path", "method"), [("/ledger.db", "GET"), ("/../", "GET"), ("/", "POST")]
)
def test_there_is_nothing_else(page: LedgerPage, path: str, method: str) -> None:
    wanted = 501 if method == "POST" else 404
    url = page.url.rstrip("/") + path
    assert refusal(Request(url, method=method, data=b"x" if method == "POST" else None)) == wanted


def asked_as(page: LedgerPage, host: str) -> HTTPResponse:
    address = urlsplit(page.url)
    connection = HTTPConnection(str(address.hostname), address.port, timeout=10)
    connection.putrequest("GET", "/rows", skip_host=True)
    connection.putheader("Host", host)
    connection.endheaders()
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


@pytest.mark.parametrize(
    ("host", "status"), [("localhost:1", 200), ("evil.example:80", 403), ("", 403)]
)
def test_another_site_cannot_read_it_through_the_browser(
    page: LedgerPage, host: str, status: int
) -> None:
    assert asked_as(page, host).status == status


def test_a_port_that_is_taken_is_told(shared_till: BenchTill) -> None:
    books = AcquirerFolder(shared_till.control.folder).ledger_file
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"cannot be served on 127.0.0.1:{port} \(Address"):
            LedgerPage(books, port=port, title="x")
