"""An acquirer that misbehaves: what the till sees, and what was booked all the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.acquirer import open_acquirer as open_by_address
from drivers.registry import AcquirerSettings
from hardware_sim.acquirer_behaviour import ALWAYS, Behaviour, Fault
from hardware_sim.acquirer_folder import AcquirerFolder
from hardware_sim.bench_till import BenchTill, Slip
from terminal.errors import ConfigError, HostError, HostGarbled, HostSilent, HostUnreachable
from terminal.iso8583.messages import reversal_of
from terminal.iso8583.profiles import BASE87

FAULTS = [
    # Options, what the till sees, captures in the books.
    ({"drop_before": 1}, HostSilent, 0),
    ({"drop_after": 1}, HostSilent, 1),
    ({"close": 1}, HostSilent, 1),
    ({"garble": 1}, HostGarbled, 1),
    ({"other_stan": 1}, HostSilent, 1),
    ({"late": 1, "late_ms": 5000}, HostSilent, 1),
    ({"refuse": True}, HostUnreachable, 0),
    ({"drop_before": 1, "drop_after": 1}, HostSilent, 0),
    ({"drop_after": 1, "only": "0200"}, HostSilent, 1),
]


@pytest.mark.parametrize(("options", "seen", "captured"), FAULTS)
def test_a_fault_is_seen_once_and_the_host_recovers(
    till: BenchTill, options: dict[str, object], seen: type[HostError], captured: int
) -> None:
    till.control.set(**options)
    with pytest.raises(seen):
        till.sell(Slip(stan=1), timeout_s=0.5)
    till.control.network_on()
    assert len(till.control.captures()) == captured
    assert till.sell(Slip(stan=2)).response_code == "00"


def test_an_answer_that_comes_twice_is_no_answer_to_the_next_sale(till: BenchTill) -> None:
    till.control.set(twice="always")
    answers = [till.sell(Slip(stan=stan)) for stan in range(1, 6)]
    assert [answer.rrn for answer in answers] == [f"RRN{stan:09d}" for stan in range(1, 6)]


def test_a_late_answer_does_not_delay_the_reversal_behind_it(till: BenchTill) -> None:
    till.control.set(late=1, late_ms=60_000)
    wire = till.message(Slip())
    with pytest.raises(HostSilent):
        till.send(wire, timeout_s=0.5)
    assert till.send(reversal_of(BASE87, wire)).response_code == "00"


def test_a_fault_for_sales_leaves_reversals_alone(till: BenchTill) -> None:
    till.control.set(drop_after="always", only="0200,0220")
    wire = till.message(Slip())
    with pytest.raises(HostSilent):
        till.send(wire, timeout_s=0.5)
    assert till.send(reversal_of(BASE87, wire)).response_code == "00"
    assert till.control.behaviour.drop_after == ALWAYS


def test_the_network_that_is_down_closes_open_connections_too(till: BenchTill) -> None:
    port = till.control.port
    assert till.sell(Slip(stan=1)).response_code == "00"
    till.control.network_off()
    till.control.network_off()
    for _ in range(2):
        with pytest.raises(HostUnreachable):
            till.sell(Slip(stan=2))
    till.control.network_on()
    assert till.sell(Slip(stan=2)).response_code == "00"
    assert till.control.port == port


def test_a_restart_forgets_nothing(till: BenchTill) -> None:
    wire = till.message(Slip())
    first = till.send(wire)
    till.control.set(latency_ms=1)
    till.control.restart(pause_ms=50)
    assert till.send(wire) == first
    assert len(till.control.captures()) == 1
    assert till.control.behaviour.latency_ms == 1


def test_options_of_the_url_reach_the_server(open_till: Callable[..., BenchTill]) -> None:
    till = open_till("sim:?latency_ms=5&drop_after=1")
    with pytest.raises(HostSilent):
        till.sell(Slip(), timeout_s=0.5)
    assert till.control.behaviour == Behaviour(latency_ms=5)


WRONG_URLS = [
    ("sim:?latency=40", "'latency'"),
    ("sim:?latency_ms=fast", "'fast'"),
    ("sim:?latency_ms=-1", "'-1'"),
    ("sim:?latency_ms=999999999", "milliseconds"),
    ("sim:?latency_ms=always", "'always'"),
    ("sim:?drop_after=\u0661", "whole number"),
    ("sim:?only=sale", "'sale'"),
    ("sim:?refuse=maybe", "'maybe'"),
    ("sim:?port=70000", "65535"),
    ("sim:?port=x", "65535"),
    ("sim://host:1", "malformed"),
    ("sim:visa", "malformed"),
    ("sim:?late", "malformed"),
    ("sim:?late=1&late=2", "malformed"),
]


@pytest.mark.parametrize(("url", "named"), WRONG_URLS)
def test_a_wrong_address_is_refused_by_name(
    open_till: Callable[..., BenchTill], url: str, named: str
) -> None:
    with pytest.raises(ConfigError, match=named):
        open_till(url)


def test_a_live_change_that_is_wrong_changes_nothing(till: BenchTill) -> None:
    with pytest.raises(ConfigError, match="'drop'"):
        till.control.set(drop=1)
    with pytest.raises(ConfigError, match="drop_after"):
        till.control.set(latency_ms=7, drop_after=-2)
    assert till.control.behaviour == Behaviour()


def test_the_certificate_of_the_till_is_demanded_when_told_to(
    till: BenchTill, tmp_path: Path
) -> None:
    files = AcquirerFolder(till.control.folder)
    till.control.set(mutual_tls=True)
    assert till.sell(Slip(stan=1)).response_code == "00"
    bare = AcquirerSettings(
        *("TILL0001", "SHOP00000000001", tmp_path),
        ca_file=files.ca_file,
        sealing_key_file=files.sealing_key_file,
    )
    address = f"iso8583+tls://127.0.0.1:{till.control.port}?mode=test"
    acquirer = open_by_address(address, bare)
    without = BenchTill(acquirer, acquirer.link(), till.control)
    with pytest.raises(HostUnreachable):
        without.sell(Slip(stan=2))
    till.control.set(mutual_tls=False)
    assert without.sell(Slip(stan=2)).response_code == "00"
    without.close()


counts = st.integers(min_value=ALWAYS, max_value=5)


@given(
    counted=st.dictionaries(st.sampled_from([fault.value for fault in Fault]), counts),
    only=st.lists(st.sampled_from(["0200", "0220", "0420"]), unique=True),
    flags=st.tuples(st.booleans(), st.booleans()),
)
def test_a_behaviour_as_text_is_the_same_behaviour(
    counted: dict[str, int], only: list[str], flags: tuple[bool, bool]
) -> None:
    behaviour = Behaviour(**counted, only=tuple(only), refuse=flags[0], mutual_tls=flags[1])
    assert Behaviour().changed(behaviour.as_options()) == behaviour


def test_counts_are_spent_by_messages_of_their_kind_alone() -> None:
    behaviour = Behaviour(drop_after=2, garble=ALWAYS, only=("0200",))
    seen = []
    for mti in ("0200", "0420", "0200", "0200"):
        faults, behaviour = behaviour.hit(mti)
        seen.append(sorted(fault.value for fault in faults))
    assert seen == [["drop_after", "garble"], [], ["drop_after", "garble"], ["garble"]]
    assert behaviour == Behaviour(garble=ALWAYS, only=("0200",))
