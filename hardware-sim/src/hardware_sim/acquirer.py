"""The acquirer ``sim:``, a real server process on loopback TLS that a till starts for itself.

Rules of this file: it finds or starts the process, and holds a lease on it for as long as the
till is open. The link and the sealer are the product's own; nothing of the server runs here.

``sim:`` keeps its books in the till's state folder. Options: ``dir=FOLDER`` for the acquirer of
another folder (several tills may share one), ``port=N``, ``profile=base87-dukpt`` for a till that
seals with DUKPT, and every option of ``Behaviour``, as in ``sim:?latency_ms=40&drop_after=1``.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from drivers.acquirer import TlsAcquirer, mac_secret, sealer_for, tls_context
from drivers.dukpt import DUKPT_STATE, inject
from drivers.key_blocks import unwrap
from drivers.registry import AcquirerSettings
from hardware_sim.acquirer_behaviour import Behaviour
from hardware_sim.acquirer_bench import AcquirerBench
from hardware_sim.acquirer_channel import ControlLink
from hardware_sim.acquirer_folder import FOLDER_NAME, PROFILE, AcquirerFolder
from hardware_sim.ca import ca_public_keys, revoked_certificates
from terminal.bench import Bench
from terminal.emv.oda import CaKeys
from terminal.errors import ConfigError, KeyStoreError
from terminal.iso8583.profile import Profile
from terminal.iso8583.profiles import BASE87_MAC, profile_named
from terminal.ports import Host, Sealer

__all__ = ["FOLDER_NAME", "SimulatedAcquirer", "open_acquirer"]

START_TIMEOUT_S = 20.0
END_TIMEOUT_S = 5.0


class SimulatedAcquirer:
    """A till's hold on a simulated acquirer. Made by ``open_acquirer``.

    ``folder`` is where it keeps everything, for ``AcquirerControl``.
    """

    def __init__(
        self, folder: Path, lease: ControlLink, server: _Server | None, through: TlsAcquirer
    ) -> None:
        self.folder = folder
        self._lease = lease
        self._server = server
        self._through = through
        self._closed = False

    @property
    def name(self) -> str:
        """For a person."""
        return f"simulated acquirer ({self._through.name})"

    @property
    def production(self) -> bool:
        """Never: no money moves here."""
        return False

    @property
    def profile(self) -> str:
        """The name of its ISO 8583 profile."""
        return self._through.profile

    @property
    def ca_keys(self) -> CaKeys:
        """The test keys under which the simulated cards' certificates are made."""
        return CaKeys(ca_public_keys(), revoked_certificates())

    @property
    def sealer(self) -> Sealer:
        """Seals card data to this acquirer's public key."""
        return self._through.sealer

    @property
    def bench(self) -> Bench:
        """Its switches and its ledger, for whoever draws a bench."""
        return AcquirerBench(self.folder)

    def link(self) -> Host:
        """A new link, for one thread. It connects at the first message."""
        return self._through.link()

    def close(self) -> None:
        """Gives the lease back; the server ends with its last lease. Harmless when called twice."""
        if self._closed:
            return
        self._closed = True
        try:
            last = self._lease.ask("look")["leases"] == 1
        except OSError:
            # It was killed, which tests do.
            last = True
        self._lease.close()
        if last and self._server is not None:
            self._server.join(END_TIMEOUT_S)


class _Server:
    """A server process that this till has started. It ends by itself, with its last lease."""

    def __init__(self, folder: Path, port: int) -> None:
        self._log = AcquirerFolder(folder).log_file
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-P", "-m", "hardware_sim.acquirer_host"),
                    *("--dir", str(folder), "--port", str(port), "--until-unused"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                # Ctrl-C at the till must not end the host before the till has done its last work.
                start_new_session=True,
            )
        # Somebody has to wait for a child that ends, or it stays in the process table.
        self._reaper = threading.Thread(target=self._process.wait, daemon=True)
        self._reaper.start()

    def ready(self, timeout_s: float) -> None:
        """Waits until the server listens, or has found that another one does.

        Raises:
            ConfigError: it cannot start; the message is its own.
        """
        stdout = self._process.stdout
        assert stdout is not None
        with stdout:
            waiting = select.poll()
            waiting.register(stdout, select.POLLIN)
            line = stdout.readline() if waiting.poll(timeout_s * 1000) else b""
        try:
            json.loads(line)
        except ValueError:
            self._process.kill()
            said = self._log.read_text(errors="replace").strip().splitlines()
            raise ConfigError(
                f"The simulated acquirer did not start: {said[-1] if said else 'it said nothing'}",
                remedy=f"Its log is {self._log}.",
            ) from None

    def join(self, timeout_s: float) -> None:
        """Waits for the process to end."""
        self._reaper.join(timeout_s)


def open_acquirer(url: str, settings: AcquirerSettings) -> SimulatedAcquirer:
    """Opens ``sim:``: starts the server in the till's state folder, unless it runs already.

    Raises:
        ConfigError: an option is wrong, or the server cannot start.
        KeyStoreError: its folder or keys cannot be used.
    """
    folder, port, options = _parse(url, settings.state_dir / FOLDER_NAME)
    # A MAC on each answer needs a device key; a test without one does without.
    usual = PROFILE if settings.keystore is None else BASE87_MAC.name
    profile = profile_named(options.pop("profile", usual))
    lease, server, running_port = _leased(folder, port)
    try:
        _introduce(lease, settings, options)
        _check_port(folder, port, running_port)
        if profile.serial_field:
            _inject(lease, settings)
        through = _through(AcquirerFolder(folder), running_port, settings, profile)
    except BaseException:
        lease.close()
        if server is not None:
            server.join(END_TIMEOUT_S)
        raise
    return SimulatedAcquirer(folder, lease, server, through)


def _introduce(lease: ControlLink, settings: AcquirerSettings, options: dict[str, str]) -> None:
    """Makes this till known to the acquirer, which then misbehaves as the till's URL asks."""
    requests: tuple[tuple[str, dict[str, object]], ...] = (
        ("enrol", {"terminal_id": settings.terminal_id, "merchant_id": settings.merchant_id}),
        ("set", {"options": options}),
    )
    for op, details in requests:
        answer = lease.ask(op, **details)
        if not answer["ok"]:
            raise ConfigError(str(answer["error"]))


def _inject(lease: ControlLink, settings: AcquirerSettings) -> None:
    """Loads the till's DUKPT key at its first use, as a key facility would."""
    state = settings.state_dir / DUKPT_STATE
    if state.exists() or settings.keystore is None:
        return
    answer = lease.ask("initial_key", terminal_id=settings.terminal_id)
    block = unwrap(bytes.fromhex(answer["protection_key"]), answer["block"])
    inject(state, settings.keystore, block)


def _check_port(folder: Path, port: int, running_port: int) -> None:
    if port not in {0, running_port}:
        raise ConfigError(
            f"The simulated acquirer in {folder} runs on port {running_port}, not {port}.",
            remedy="Leave the port out to use the one that runs.",
        )


def _parse(url: str, folder: Path) -> tuple[Path, int, dict[str, str]]:
    try:
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query, strict_parsing=True) if parts.query else []
    except ValueError:
        pairs, parts = [], urlsplit("sim:malformed")
    options = dict(pairs)
    if parts.netloc or parts.path or parts.fragment or len(options) != len(pairs):
        raise ConfigError(
            f"The acquirer address {url!r} is malformed.",
            remedy="Write sim: or, with options, sim:?latency_ms=40&drop_after=1.",
        )
    port = options.pop("port", "0")
    if not (port.isascii() and port.isdecimal() and int(port) < 65_536):
        raise ConfigError(f"The acquirer address {url!r} has no port between 0 and 65535.")
    named = options.pop("dir", None)
    # Checked here too, so that a mistake is told before a server is started for it.
    Behaviour().changed({name: options[name] for name in options.keys() - {"profile"}})
    return Path(named).expanduser() if named else folder, int(port), options


def _through(
    folder: AcquirerFolder, port: int, settings: AcquirerSettings, profile: Profile
) -> TlsAcquirer:
    """The product's own link to the server, with the server's files in place of configured ones."""
    own = replace(
        settings,
        ca_file=folder.ca_file,
        certificate_file=folder.till_certificate_file,
        private_key_file=folder.till_key_file,
        sealing_key_file=folder.sealing_key_file,
    )
    return TlsAcquirer(
        address="127.0.0.1",
        port=port,
        profile=profile.name,
        production=False,
        sealer=sealer_for(profile, own),
        context=tls_context(own),
        connect_timeout_s=settings.connect_timeout_s,
        mac_secret=mac_secret(profile, own),
    )


def _leased(folder: Path, port: int) -> tuple[ControlLink, _Server | None, int]:
    """A lease on the acquirer in ``folder``, the server if it was started here, and its port."""
    deadline = time.monotonic() + START_TIMEOUT_S
    server: _Server | None = None
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        while time.monotonic() < deadline:
            if taken := _lease_on(folder):
                link, running_port = taken
                return link, server, running_port
            # Nobody is there, or one is just ending and will let go of the folder.
            server = _Server(folder, port)
            server.ready(START_TIMEOUT_S)
    except OSError as cause:
        raise KeyStoreError(
            f"The simulated acquirer's folder {folder} cannot be used ({cause.strerror}).",
            remedy="Give it a folder that this user may write.",
        ) from cause
    raise ConfigError(
        f"The simulated acquirer in {folder} does not answer.",
        remedy=f"See {AcquirerFolder(folder).log_file}, or end the process that has {folder} open.",
    )


def _lease_on(folder: Path) -> tuple[ControlLink, int] | None:
    try:
        link = ControlLink(folder)
    except OSError:
        return None
    try:
        answer = link.ask("lease")
    except (OSError, ValueError):
        link.close()
        return None
    if not answer["ok"]:
        link.close()
        return None
    return link, int(answer["port"])
