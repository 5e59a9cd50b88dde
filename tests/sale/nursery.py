"""A process that bears tills for the kill test: it has imported everything, and forks on demand.

Each line on standard input is ``DATA_DIR ACQUIRER_DIR READER SEED``; the answer is a till
that says ``BORN``, opens its ledger (and recovers it), and sells until it is killed.
What a till shows is one line each, written before anything else happens.
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

from terminal.checkout import Ports, pay
from terminal.money import Amount
from terminal.ports import Host
from terminal.progress import Progress
from ui.wiring import Parts, assembled, forwarder, load_settings


def say(text: str) -> None:
    """One write to the pipe, whole or not at all."""
    os.write(1, f"{os.getpid()} {text}\n".encode())


def watch(progress: Progress) -> None:
    del progress


def sell_for_ever(parts: Parts, link: Host, seed: int) -> None:
    chance = random.Random(seed)
    reader = parts.open_reader()
    ports = Ports(
        reader=reader,
        host=link,
        journal=parts.journal,
        sealer=parts.acquirer.sealer,
        keystore=parts.keystore,
        clock=parts.clock,
        entropy=parts.entropy,
        show=watch,
        cancelled=lambda: False,
        host_online=lambda: chance.random() < 0.8,
    )
    line = forwarder(parts, lambda news: None)
    line.start()
    while True:
        amount = Amount(
            chance.randrange(100, 4000) // 100 * 100, parts.settings.config.till.currency
        )
        sale = pay(ports, parts.rules, amount)
        say(f"{sale.state.name} {sale.txn_id} {sale.amount.minor}")
        if sale.stored_offline:
            line.kick()


def live(data_dir: str, acquirer_dir: str, reader: str, seed: int) -> None:
    say("BORN")
    settings = load_settings(
        data_dir=Path(data_dir), reader=reader, acquirer=f"sim:?dir={acquirer_dir}"
    )
    with assembled(settings) as parts:
        sell_for_ever(parts, parts.acquirer.link(), seed)


def main() -> None:
    for line in sys.stdin:
        data_dir, acquirer_dir, reader, seed = line.split()
        child = os.fork()
        if child == 0:
            try:
                live(data_dir, acquirer_dir, reader, int(seed))
            finally:
                os._exit(1)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
