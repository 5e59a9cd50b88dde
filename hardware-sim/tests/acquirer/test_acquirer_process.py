"""The acquirer as a process: started, shared, killed, attacked, and without a card number."""

from __future__ import annotations

import base64
import json
import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import apsw
import pytest

from drivers.registry import AcquirerSettings
from hardware_sim.acquirer import open_acquirer
from hardware_sim.acquirer_channel import ControlLink, short_address
from hardware_sim.acquirer_control import AcquirerControl
from hardware_sim.acquirer_folder import AcquirerFolder
from hardware_sim.acquirer_host import AcquirerHost, AlreadyRunning, main
from hardware_sim.acquirer_ledger import CaptureState
from hardware_sim.bench_till import PAN, BenchTill, Slip
from hardware_sim.certificates import make_credentials
from terminal.errors import ConfigError, HostError, StoreError, StoreTooNew, TerminalError

SERVER = (sys.executable, "-P", "-m", "hardware_sim.acquirer_host")


class Server:
    """A server process of its own, to be killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.start()

    def start(self) -> None:
        command = [*SERVER, "--dir", str(self.folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        with self.process.stdout as stdout:
            self.facts = json.loads(stdout.readline())

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path / "sim-acquirer")
    yield running
    running.kill()


def eventually(holds: Callable[[], bool], what: str, limit_s: float = 20.0) -> None:
    deadline = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


@pytest.mark.parametrize("seed", [20261101])
def test_every_approval_that_was_seen_survives_kill_9(
    server: Server, open_till: Callable[..., BenchTill], seed: int
) -> None:
    chance = random.Random(seed)
    approved: dict[str, str] = {}
    stan = 0
    for _ in range(5):
        till = open_till()
        killer = threading.Timer(chance.uniform(0.02, 0.25), server.kill)
        killer.start()
        with suppress(HostError):
            while stan < 10_000:
                stan += 1
                approved[f"{stan:06d}"] = till.sell(Slip(stan=stan)).approval_code
        killer.join()
        till.close()
        server.start()
    captures = AcquirerControl(server.folder).captures(CaptureState.CAPTURED)
    booked = {row.stan: row.approval_code for row in captures}
    assert len(approved) > 5
    assert len(booked) == len(captures)
    assert approved.items() <= booked.items()


def test_a_restart_in_the_same_folder_is_the_same_acquirer(
    server: Server, open_till: Callable[..., BenchTill]
) -> None:
    till = open_till()
    wire = till.message(Slip())
    first = till.send(wire)
    before = {path.name: path.read_bytes() for path in server.folder.glob("*.pem")}
    port = server.facts["port"]
    server.kill()
    # The books can be read while nobody runs, with what is still in the write-ahead log.
    assert len(till.control.captures()) == 1
    server.start()
    assert server.facts["port"] == port
    assert {path.name: path.read_bytes() for path in server.folder.glob("*.pem")} == before
    # The till notices nothing but a broken connection, and its copy is known.
    assert till.send(wire) == first
    assert len(till.control.captures()) == 1


def test_a_second_server_in_the_same_folder_joins_the_first(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--dir", str(server.folder)]) == 0
    assert json.loads(capsys.readouterr().out) == {"joined": True, "port": server.facts["port"]}
    with pytest.raises(AlreadyRunning, match=str(server.folder)):
        AcquirerHost(server.folder)


def test_tills_share_a_server_that_ends_with_the_last(open_till: Callable[..., BenchTill]) -> None:
    first, second = open_till(), open_till(terminal_id="TILL0002")
    assert first.control.pid == second.control.pid
    first.close()
    assert second.sell(Slip(terminal_id="TILL0002")).response_code == "00"
    second.close()
    eventually(lambda: not second.control.alive, "the server is still there")
    # The next till finds the same books again, on the same port.
    assert len(open_till().control.captures()) == 1


def test_tills_that_start_together_get_one_server(tmp_path: Path) -> None:
    settings = AcquirerSettings("TILL0001", "SHOP00000000001", tmp_path)
    acquirers = []
    threads = [
        threading.Thread(target=lambda: acquirers.append(open_acquirer("sim:", settings)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({acquirer.name for acquirer in acquirers}) == 1
    assert len(acquirers) == 4
    for acquirer in acquirers:
        acquirer.close()


def test_a_till_that_is_killed_takes_its_server_along(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from drivers.registry import *;"
        "a = open_acquirer('sim:', AcquirerSettings('TILL0001', 'SHOP1', Path(sys.argv[1])));"
        "print('open', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as till:
        assert till.stdout is not None
        assert till.stdout.readline() == b"open\n"
        control = AcquirerControl(tmp_path / "sim-acquirer")
        pid = control.pid
        till.kill()
    eventually(lambda: not control.alive, "the control channel is still there")
    eventually(lambda: not _runs(pid), "the server outlived its till")


def _runs(pid: int) -> bool:
    """Whether the process is at work; a zombie that nobody has waited for is not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.parametrize("seed", [7])
def test_garbage_and_silence_on_the_port_hold_nobody_up(till: BenchTill, seed: int) -> None:
    chance = random.Random(seed)
    address = ("127.0.0.1", till.control.port)
    silent = [socket.create_connection(address) for _ in range(40)]
    context = ssl.create_default_context(cafile=str(AcquirerFolder(till.control.folder).ca_file))
    frames = [
        b"",
        b"\x00",
        b"\x00\x00",
        b"\xff\xff" + bytes(100),
        b"\x00\x05hello",
        b"\x00\x040200",
        *(
            size.to_bytes(2, "big") + b"0200" + chance.randbytes(size - 4)
            for size in range(20, 320, 30)
        ),
    ]
    for frame in frames:
        with socket.create_connection(address) as raw:
            raw.sendall(frame)
        with (
            socket.create_connection(address) as raw,
            context.wrap_socket(raw, server_hostname="localhost") as tls,
        ):
            tls.sendall(frame)
    assert till.sell(Slip()).response_code == "00"
    for connection in silent:
        connection.close()
    assert (till.control.folder / "server.log").read_bytes() == b""
    unreadable = [row for row in till.control.ledger() if row.mti == "----"]
    assert len(unreadable) == 12


def test_nonsense_on_the_control_channel_is_answered_as_such(till: BenchTill) -> None:
    link = ControlLink(till.control.folder)
    requests: list[dict[str, object]] = [{}, {"options": 7}, {"options": {"latency_ms": [1]}}]
    answers = [link.ask("set", **request) for request in requests]
    answers += [link.ask("enrol"), link.ask("restart", pause_ms="soon"), link.ask("sell")]
    assert [answer["ok"] for answer in answers] == [False] * 6
    link.close()
    with socket.socket(socket.AF_UNIX) as raw, short_address(till.control.folder) as address:
        raw.connect(address)
        raw.sendall(b"\xff\n[]\n7\n")
        raw.shutdown(socket.SHUT_WR)
        with raw.makefile("rb") as lines:
            assert [json.loads(line)["ok"] for line in lines] == [False] * 3
    assert till.sell(Slip()).response_code == "00"


def test_many_tills_at_once_are_each_booked_once(open_till: Callable[..., BenchTill]) -> None:
    tills = [open_till() for _ in range(4)]
    codes: list[str] = []

    def sell(number: int, till: BenchTill) -> None:
        codes.extend(
            till.sell(Slip(stan=number * 1000 + sale)).response_code for sale in range(1, 11)
        )

    threads = [threading.Thread(target=sell, args=pair) for pair in enumerate(tills)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == ["00"] * 40
    assert len({row.stan for row in tills[0].control.captures()}) == 40


def _forms(digits: str) -> dict[str, bytes]:
    """The ways in which a card number of even length could lie in a file."""
    return {
        "ASCII": digits.encode(),
        "UTF-16": digits.encode("utf-16-le"),
        "BCD": bytes.fromhex(digits),
        "BCD, shifted": bytes.fromhex(digits[1:-1]),
        "hex of ASCII": digits.encode().hex().encode(),
        **{f"base64, {lead}": _base64_inside(digits.encode(), lead) for lead in range(3)},
    }


def _base64_inside(data: bytes, lead: int) -> bytes:
    """What of ``data`` can be seen in base64 when ``lead`` bytes stand before it."""
    coded = base64.b64encode(bytes(lead) + data)
    return coded[-(-lead * 8 // 6) + (1 if lead else 0) : len(data) * 8 // 6]


def _found(folder: Path, digits: str) -> set[tuple[str, str]]:
    return {
        (path.name, form)
        for path in folder.rglob("*")
        if path.is_file()
        for form, pattern in _forms(digits).items()
        if pattern in path.read_bytes()
    }


def test_no_card_number_is_left_in_the_folder(till: BenchTill) -> None:
    for slip in (Slip(stan=1), Slip(stan=2, minor=1251), Slip(stan=3, bound_minor=7)):
        till.sell(slip)
    folder = till.control.folder
    till.control.restart()
    assert _found(folder, PAN) == set()
    till.close()
    assert _found(folder, PAN) == set()
    # The search itself works: each form is found when it is there.
    for form, pattern in _forms(PAN).items():
        (folder / "planted").write_bytes(b"before" + pattern + b"after")
        assert ("planted", form) in _found(folder, PAN)


def test_private_keys_are_for_the_owner_alone(till: BenchTill) -> None:
    folder = till.control.folder
    secret = {"server-key.pem", "till-key.pem", "opening-key.pem", "hash.key"}
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert {name: modes[name] for name in secret} == dict.fromkeys(secret, 0o600)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_making_the_keys_can_be_cut_short(tmp_path: Path) -> None:
    folder = AcquirerFolder(tmp_path)
    make_credentials(folder)
    first = folder.sealing_key_file.read_bytes()
    make_credentials(folder)
    assert folder.sealing_key_file.read_bytes() == first
    # ca.pem is written last: without it the set was never complete, and is made anew.
    folder.ca_file.unlink()
    make_credentials(folder)
    assert folder.sealing_key_file.read_bytes() != first


def test_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    settings = AcquirerSettings("TILL0001", "SHOP1", tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        wrong: dict[str, tuple[type[TerminalError], str]] = {
            f"sim:?dir={tmp_path}/file": (TerminalError, "file"),
            f"sim:?dir={tmp_path}/taken&port={port}": (ConfigError, str(port)),
        }
        for url, (error, named) in wrong.items():
            with pytest.raises(error, match=named):
                open_acquirer(url, settings)
    with pytest.raises(StoreError, match="no readable ledger"):
        AcquirerControl(tmp_path / "nowhere").captures()
    with pytest.raises(ConfigError, match="nowhere"):
        AcquirerControl(tmp_path / "nowhere").set(latency_ms=1)


def test_another_port_than_the_running_one_is_refused(till: BenchTill, tmp_path: Path) -> None:
    port = till.control.port
    settings = AcquirerSettings("TILL0001", "SHOP00000000001", tmp_path)
    with pytest.raises(ConfigError, match=str(port)):
        open_acquirer(f"sim:?port={port % 60_000 + 1}", settings)
    open_acquirer(f"sim:?port={port}", settings).close()


def test_books_of_a_newer_version_are_left_alone(tmp_path: Path) -> None:
    AcquirerHost(tmp_path).close()
    books = apsw.Connection(str(tmp_path / "ledger.db"))
    books.pragma("user_version", 99)
    books.close()
    with pytest.raises(StoreTooNew, match=r"ledger\.db"):
        AcquirerHost(tmp_path)
    with pytest.raises(StoreTooNew, match=r"ledger\.db"):
        AcquirerControl(tmp_path).ledger()
    (tmp_path / "ledger.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(StoreError, match=r"ledger\.db"):
        AcquirerHost(tmp_path)


def test_a_server_ends_on_a_signal_and_lets_go_of_its_folder(server: Server) -> None:
    os.kill(server.process.pid, signal.SIGTERM)
    assert server.process.wait(20) == 0
    AcquirerHost(server.folder).close()
