"""The acquirer of a world: its real desk and books, behind a network that has only virtual time.

Rules of this file: real messages go in and real messages come out; the host's misbehaviour is
the desk's own (``Behaviour``). The network adds its own: it goes and comes, breaks off in the
middle, and keeps an answer that nobody waited for and hands it out at the next opportunity.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import apsw
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from drivers.keystore import HpkeSealer
from hardware_sim.acquirer_behaviour import Behaviour, Fault
from hardware_sim.acquirer_desk import AcquirerDesk
from hardware_sim.acquirer_folder import PROFILE
from hardware_sim.acquirer_keys import OpeningKeys
from hardware_sim.acquirer_ledger import AcquirerLedger, Capture, Entry, LedgerView
from hardware_sim.ca import ca_public_keys
from hardware_sim.world.clock import VirtualClock
from hardware_sim.world.power import Power
from terminal.emv.oda import CaKeys
from terminal.errors import HostSilent, HostUnreachable
from terminal.iso8583.framing import Deframer, frame
from terminal.iso8583.profiles import profile_named
from terminal.ports import Host, Sealer

CONNECT_S = 3.0
_HASH_KEY = hashlib.sha256(b"a world's hash key").digest()


def _opening_key() -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(hashlib.sha256(b"a world's opening key").digest())


@dataclass(slots=True)
class Weather:
    """What the network does now.

    ``down``: nobody is reached. ``breaks``: chances that a connection breaks before the host has
    the request, or after it; ``host_dies``: the chance that the host has booked and restarts
    before it can answer, every second time without what it knew of earlier answers.
    ``latency_s`` each way. ``mixes``: an answer that came too late is handed out on the next
    connection, as some concentrators do.
    """

    down: bool = False
    breaks_before: float = 0.0
    breaks_after: float = 0.0
    host_dies: float = 0.0
    latency_s: float = 0.02
    mixes: bool = False


def weather_of(chance: random.Random) -> Weather:
    """How the network is from now on."""
    if chance.random() < 0.35:
        return Weather(down=True)
    rough = chance.random() < 0.4
    return Weather(
        breaks_before=chance.uniform(0, 0.2) if rough else 0.0,
        breaks_after=chance.uniform(0, 0.2) if rough else 0.0,
        host_dies=chance.uniform(0, 0.3) if chance.random() < 0.3 else 0.0,
        latency_s=chance.choice([0.005, 0.02, 0.3]),
        mixes=chance.random() < 0.3,
    )


def mood_of(chance: random.Random) -> dict[str, str]:
    """How the host misbehaves from now on, as options of ``Behaviour``."""
    faults = ("drop_before", "drop_after", "close", "garble", "other_stan", "twice", "late")
    quiet = dict.fromkeys(faults, "0")
    some = {name: str(chance.randint(1, 4)) for name in chance.sample(faults, chance.randint(0, 3))}
    only = chance.choice(["", "", "0200", "0220,0221", "0420,0421"])
    late_ms = chance.choice(["200", "16000", "40000"])
    return {**quiet, **some, "only": only, "late_ms": late_ms}


class WorldAcquirer:
    """A ``drivers.registry.Acquirer`` without a process or a socket.

    Args:
        folder: where its books are.
        clock: the world's time.
        power: the till's electricity: no byte of a till that is off arrives.
    """

    name = "acquirer of this world"
    production = False
    profile = PROFILE

    def __init__(self, folder: Path, clock: VirtualClock, power: Power) -> None:
        self.clock = clock
        self.power = power
        self.weather = Weather()
        self.chance = random.Random(0)  # noqa: S311 - it has to be repeatable
        self.meanwhile: Callable[[], None] = lambda: None
        self._book_file = folder / "acquirer.db"
        self._key = _opening_key()
        self._sealer = HpkeSealer(self._key.public_key())
        self._desk = self._new_desk(Behaviour())
        self._astray: list[bytes] = []

    def _new_desk(self, behaviour: Behaviour) -> AcquirerDesk:
        return AcquirerDesk(
            profile=profile_named(PROFILE),
            keys=OpeningKeys((self._key,)),
            hash_key=_HASH_KEY,
            ledger=AcquirerLedger(self._book_file),
            behaviour=behaviour,
            now=self.clock.true_time,
        )

    @property
    def ca_keys(self) -> CaKeys:
        """The test keys under which the simulated cards' certificates are made."""
        return CaKeys(ca_public_keys())

    @property
    def sealer(self) -> Sealer:
        """Seals card data to this acquirer."""
        return self._sealer

    def link(self) -> Host:
        """A new link."""
        return VirtualLink(self)

    def close(self) -> None:
        """The till has closed its hold; the acquirer stays."""

    # -- what the world does to it ---------------------------------------------------------------

    def misbehave(self, options: dict[str, str]) -> None:
        """Changes the host's misbehaviour."""
        self._desk.change(options)

    def behave(self) -> None:
        """A good host on a good network."""
        self.weather = Weather()
        self._desk.change({fault.value: "0" for fault in Fault} | {"latency_ms": "0", "only": ""})

    def restart(self, *, forgets: bool) -> None:
        """The host comes back from its books; perhaps without its answers."""
        behaviour = self._desk.behaviour
        self._desk.close()
        self._desk = self._new_desk(behaviour)
        if forgets:
            self._desk.forget_answers()

    def end(self) -> None:
        """Closes the books."""
        self._desk.close()

    def captures(self) -> list[Capture]:
        """The books: every sale, oldest first."""
        view = LedgerView(self._book_file)
        try:
            return view.captures()
        finally:
            view.close()

    def entries(self) -> list[Entry]:
        """The books: every message, oldest first."""
        view = LedgerView(self._book_file)
        try:
            return view.entries()
        finally:
            view.close()

    def arrived(self) -> dict[str, int]:
        """What has come by bank transfer under each reference, in minor units."""
        books = apsw.Connection(str(self._book_file), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            found = books.execute("SELECT reference, arrived_minor FROM transfer").fetchall()
        finally:
            books.close()
        return {str(reference): int(str(minor)) for reference, minor in found}

    # -- for the link ----------------------------------------------------------------------------

    def received(self, wire: bytes) -> list[tuple[float, bytes]]:
        """The host has a message: when its answers leave, in seconds from now, and what they are.

        Those that strayed from earlier connections come first.
        """
        reply = self._desk.handle(wire)
        answers = [(delay_ms / 1000, answer) for delay_ms, answer in reply.answers]
        if self.weather.mixes and self._astray:
            answers = [(0.0, answer) for answer in self._astray] + answers
            self._astray.clear()
        return answers

    def keep(self, answer: bytes) -> None:
        """An answer that nobody waited for."""
        self._astray.append(answer)


class VirtualLink:
    """A ``terminal.ports.Link`` over a world's network, with the promises of ``TlsHost``."""

    def __init__(self, acquirer: WorldAcquirer) -> None:
        self._acquirer = acquirer
        self._framing = profile_named(PROFILE).framing
        self._due: list[tuple[float, bytes]] = []
        self._broken = False

    def exchange(
        self, request: bytes, *, is_answer: Callable[[bytes], bool], timeout_s: float
    ) -> bytes:
        """See ``terminal.ports.Host``."""
        clock = self._acquirer.clock
        deadline = clock.monotonic() + timeout_s
        self.send(request, timeout_s=timeout_s)
        while (left_s := deadline - clock.monotonic()) > 0:
            for number, answer in enumerate(arrived := self.receive(timeout_s=left_s)):
                if is_answer(answer):
                    self._lose(arrived[number + 1 :])
                    return answer
        self.close()
        raise HostSilent("The host of this world is silent.")

    def send(self, request: bytes, *, timeout_s: float) -> None:
        """See ``terminal.ports.Link``."""
        acquirer, chance = self._acquirer, self._acquirer.chance
        acquirer.power.require()
        weather = acquirer.weather
        if weather.down:
            self.close()
            acquirer.clock.advance(min(CONNECT_S, timeout_s))
            raise HostUnreachable("The network of this world is down.")
        acquirer.clock.advance(weather.latency_s)
        if chance.random() < weather.breaks_before:
            self.close()
            raise HostSilent("The connection broke, and the host has nothing.")
        (wire,) = Deframer(self._framing).feed(frame(self._framing, request))
        now = acquirer.clock.monotonic()
        self._due += [(now + delay_s, answer) for delay_s, answer in acquirer.received(wire)]
        if chance.random() < weather.host_dies:
            acquirer.restart(forgets=chance.random() < 0.5)
            self._due.clear()
            self._broken = True
        elif chance.random() < weather.breaks_after:
            self._broken = True
        # The power may go while the till waits, and the other thread goes on meanwhile.
        acquirer.meanwhile()
        acquirer.power.require()

    def receive(self, *, timeout_s: float) -> list[bytes]:
        """See ``terminal.ports.Link``."""
        clock = self._acquirer.clock
        self._acquirer.power.require()
        if self._broken:
            self.close()
            raise HostSilent("The connection broke, and the host may have booked.")
        until = clock.monotonic() + timeout_s
        first = min((at for at, _ in self._due), default=until)
        if first > until or not self._due:
            clock.advance_to(until)
            return []
        clock.advance_to(first)
        arrived = [answer for at, answer in self._due if at <= clock.monotonic()]
        self._due = [(at, answer) for at, answer in self._due if at > clock.monotonic()]
        # Nothing promises that answers come in the order of their requests.
        self._acquirer.chance.shuffle(arrived)
        return arrived

    def _lose(self, answers: Iterable[bytes]) -> None:
        for answer in answers:
            self._acquirer.keep(answer)

    def close(self) -> None:
        """See ``terminal.ports.Host``."""
        self._lose(answer for _, answer in self._due)
        self._due, self._broken = [], False
