"""Pictures of the touchscreen, without a display: every key screen in every language.

    python tools/shots.py FOLDER [--readme]

writes one PNG per screen and language and a contact sheet per language; ``--readme`` writes
only the pictures that the README shows. It needs Mesa (``libegl1 libgl1``) and Pillow.
"""

from __future__ import annotations

import argparse
import atexit
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

os.environ.update(
    SDL_VIDEODRIVER="offscreen",
    SDL_AUDIODRIVER="dummy",
    # Without this, Mesa's software renderer queues frames without bound.
    LP_NUM_THREADS="0",
    KIVY_METRICS_DENSITY="1",
    KIVY_METRICS_FONTSCALE="1",
    KIVY_DPI="96",
    KIVY_HOME=tempfile.mkdtemp(prefix="taptill-shots-"),
)

from PIL import Image

from terminal.bench import bench_of
from terminal.emv.outcome import MessageId
from terminal.money import Amount, Currency
from terminal.transaction import AuthorisationSent, HostApproved, SaleIntended, Transaction
from tools.pictures import CASES, UPRIGHT, Case, pictures, pin
from tools.scenes import CARD, NOW
from tools.studio import Studio, hold_still
from ui.events import Authorising, CardRead, Finished, Presenting, Prompted, TillEvent
from ui.presenter.touches import Digit, Done
from ui.till import Till
from ui.touch.window import BENCH_SIZE, TILL_SIZE
from ui.wiring import assembled, load_settings


def contact_sheet(shown: list[Image.Image], columns: int = 3) -> Image.Image:
    """All pictures on one page, half size; a row is as tall as its tallest picture."""
    halves = [
        each.resize((each.width // 2, each.height // 2), Image.Resampling.LANCZOS) for each in shown
    ]
    rows = [halves[at : at + columns] for at in range(0, len(halves), columns)]
    gap = 10
    width = max(sum(each.width + gap for each in row) for row in rows) + gap
    height = sum(max(each.height for each in row) + gap for row in rows) + gap
    sheet = Image.new("RGB", (width, height), "#8A94A6")
    y = gap
    for row in rows:
        x = gap
        for each in row:
            sheet.paste(each, (x, y))
            x += each.width + gap
        y += max(each.height for each in row) + gap
    return sheet


def all_screens(folder: Path) -> None:
    """Each language wide and upright, and the other looks: every screen, and a sheet of each."""
    studio = Studio(TILL_SIZE)
    for case in CASES:
        sheet = []
        for scene, picture in pictures(studio, case, every=True):
            picture.save(folder / f"{case.name}-{scene}.png")
            sheet.append(picture)
        columns = 4 if case.size[0] > case.size[1] else 7
        path = folder / f"sheet-{case.name}.png"
        contact_sheet(sheet, columns).save(path)
        print(path)
    studio.close()


def bench_picture(studio: Studio, path: Path) -> None:
    """The real till with its simulated reader and acquirer: two sales done, one on its way."""
    with (
        tempfile.TemporaryDirectory() as folder,
        assembled(
            load_settings(
                data_dir=Path(folder),
                reader="sim:",
                acquirer="sim:",
                printer=f"sim:?dir={folder}/receipts",
            )
        ) as parts,
    ):
        reader = parts.open_reader()
        simulated = (
            bench_of(reader),
            *(getattr(each, "bench", None) for each in (parts.acquirer, parts.printer)),
        )
        benches = [each for each in simulated if each is not None]
        till = Till(replace(parts, open_reader=lambda: reader))
        till.start()
        try:
            studio.open("en", till=till, benches=benches)
            studio.wait(1.0)
            bench = benches[0]
            for minor, card in ((840, "visa-credit"), (1051, "mastercard-credit")):
                till.charge(Amount(minor, Currency.of("EUR")))
                studio.wait(0.5)
                bench.tap(card)
                studio.wait(1.5)
                studio.touch(Done())
            till.charge(Amount(1250, Currency.of("EUR")))
            studio.wait(1.0)
            _save(studio.picture(), path)
        finally:
            studio.close()
            till.stop()


def readme_pictures(folder: Path) -> None:
    """The bench with a tap going on, a sale as it moves, and the screens in five languages."""
    studio = Studio(BENCH_SIZE)
    hold_still()
    bench_picture(studio, folder / "bench.png")
    _moving_sale(studio, folder / "sale.gif")
    wanted: tuple[tuple[Case, tuple[str, ...]], ...] = (
        (Case("en"), ("amount", "present", "approved")),
        (Case("es"), ("authorising", "declined")),
        (Case("fr"), ("stored",)),
        (Case("bg"), ("unknown",)),
        (Case("fa"), ("amount", "approved")),
    )
    _sheet(studio, wanted, folder / "screens.png")
    office = (
        (Case("en"), ("offline-banner", "menu", "queue", "history", "sale", "receipt")),
        (Case("en", preferences=(("theme", "dark"),)), ("day", "reader")),
        (Case("es", preferences=(("theme", "contrast"),)), ("lock",)),
    )
    _sheet(studio, office, folder / "office.png")
    sold = (
        (Case("en"), ("items", "items-list")),
        (Case("es"), ("share",)),
        (Case("en", preferences=(("theme", "dark"),)), ("items-unknown",)),
        (Case("fr", preferences=(("theme", "contrast"),)), ("line",)),
        (Case("fa"), ("items",)),
    )
    _sheet(studio, sold, folder / "items.png")
    upright = (
        (Case("fr", UPRIGHT), ("amount", "present")),
        (Case("bg", UPRIGHT), ("approved", "menu")),
        (Case("fa", UPRIGHT), ("history", "sale")),
    )
    _sheet(studio, upright, folder / "upright.png", columns=6)
    studio.close()


def _sheet(
    studio: Studio,
    wanted: Sequence[tuple[Case, tuple[str, ...]]],
    path: Path,
    *,
    columns: int = 3,
) -> None:
    shown = [
        picture
        for case, names in wanted
        for scene, picture in pictures(studio, case, every=True)
        if scene in names
    ]
    _save(contact_sheet(shown, columns), path)


def _moving_sale(studio: Studio, path: Path) -> None:
    """A sale from the first digit to the next customer, as a GIF of half size."""
    studio.resize(TILL_SIZE)
    studio.open("en")
    amount = Amount(1250, Currency.of("EUR"))
    sent = Transaction.begin(SaleIntended(NOW, "t1", 1, amount)).after(
        AuthorisationSent(NOW, CARD, 1, "000000000001", 1)
    )
    frames: list[tuple[Image.Image, int]] = [(studio.picture(), 700)]
    for digit in (1, 2, 5, 0):
        studio.touch(Digit(digit))
        frames.append((studio.picture(), 260))
    frames[-1] = (frames[-1][0], 800)
    steps: tuple[tuple[TillEvent, int], ...] = (
        (Presenting(amount, 60.0), 1500),
        (Prompted(MessageId.PROCESSING), 400),
        (CardRead(), 600),
        (Authorising(15.0), 900),
        (Finished(sent.after(HostApproved(NOW, "00", "123456", 1250)), None), 2200),
    )
    for event, shown_ms in steps:
        studio.tell(event)
        frames.append((studio.picture(), shown_ms))
    small = [
        each.resize((400, 240), Image.Resampling.LANCZOS).quantize(64, dither=Image.Dither.NONE)
        for each, _ in frames
    ]
    small[0].save(
        path,
        save_all=True,
        append_images=small[1:],
        duration=[shown_ms for _, shown_ms in frames],
        loop=0,
        optimize=True,
    )
    print(f"{path}: {path.stat().st_size // 1024} KB")


def _save(picture: Image.Image, path: Path) -> None:
    """A palette of 256 colours halves the size, and nobody sees it on flat surfaces."""
    few = picture.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    print(f"{path}: {path.stat().st_size // 1024} KB")


def main() -> None:
    """Parses the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", type=Path, nargs="?", default=Path(".shots"))
    parser.add_argument("--pin", action="store_true", help="keep the hashes of the key screens")
    parser.add_argument("--readme", action="store_true", help="only the README's pictures")
    options = parser.parse_args()
    atexit.register(shutil.rmtree, os.environ["KIVY_HOME"], ignore_errors=True)
    if options.pin:
        pin()
        return
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.readme:
        readme_pictures(options.folder)
    else:
        all_screens(options.folder)


if __name__ == "__main__":
    main()
