"""Plays the screens of a shop that has a catalogue: quick keys, the order, its lines, the split."""

# ruff: noqa: RUF001 - Cyrillic and Persian letters look like others, and are meant.

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from terminal.bill import Bill, BillStanding
from terminal.catalogue import Catalogue, Item
from terminal.money import Amount, Currency
from terminal.transaction import Cancelled, SaleIntended, Transaction
from tools.scenes import NOW, Stage
from ui.counter_questions import CatalogueShown
from ui.events import Finished
from ui.presenter.item_touches import AddItem, OpenLine, Percent, PickLine, ShowKeypad, TakeOff
from ui.presenter.touches import Back, Clear, Digit, Done, DoubleZero, Go, Letter, Scanned

_NAMES = {
    "en": (
        ("Hot drinks", "Espresso", "Flat white", "Cappuccino", "Breakfast tea", "Hot chocolate"),
        ("Bakery", "Croissant", "Almond croissant", "Banana bread", "Cheese scone"),
        ("Cold drinks", "Sparkling water", "Fresh orange juice", "Homemade lemonade"),
        ("Lunch", "Soup of the day", "Grilled cheese sandwich", "Caesar salad"),
    ),
    "es": (
        (
            "Cafés",
            "Café solo",
            "Café con leche",
            "Cortado",
            "Té con limón",
            "Chocolate con churros",
        ),
        ("Bollería", "Cruasán", "Napolitana", "Ensaimada", "Magdalena casera"),
        ("Bebidas", "Agua con gas", "Zumo de naranja", "Limonada casera"),
        ("Cocina", "Tortilla de patatas", "Bocadillo de jamón", "Ensalada mixta"),
    ),
    "fr": (
        ("Boissons chaudes", "Expresso", "Café crème", "Noisette", "Thé vert", "Chocolat chaud"),
        ("Viennoiserie", "Croissant", "Pain au chocolat", "Chausson aux pommes", "Brioche"),
        ("Fraîches", "Eau gazeuse", "Jus d'orange pressé", "Citronnade maison"),
        ("Plats", "Croque-monsieur", "Quiche lorraine", "Salade niçoise"),
    ),
    "bg": (
        ("Топли напитки", "Еспресо", "Дълго кафе", "Капучино", "Чай с мед", "Топъл шоколад"),
        ("Печива", "Баница със сирене", "Кроасан", "Козунак", "Мекица с мармалад"),
        ("Студени напитки", "Газирана вода", "Пресен портокалов сок", "Домашна лимонада"),
        ("Обяд", "Таратор", "Шопска салата", "Мусака"),
    ),
    "fa": (
        ("نوشیدنی گرم", "اسپرسو", "قهوه ترک", "کاپوچینو", "چای", "شکلات داغ"),
        ("شیرینی", "کلوچه", "باقلوا", "نان خامه‌ای", "کیک هویج"),
        ("نوشیدنی سرد", "آب معدنی", "آب پرتقال تازه", "شربت آلبالو"),
        ("غذا", "آش رشته", "کوکو سبزی", "سالاد شیرازی"),
    ),
}
_PRICES = (180, 250, 290, 220, 350, 190, 260, 320, 280, 200, 390, 340, 650, 720, 890)


def catalogue(language: str, currency: Currency) -> Catalogue:
    """What the shop of the pictures sells."""
    scale = 100_000 if currency.code == "IRR" else 1
    items: list[Item] = []
    for group, *names in _NAMES[language]:
        for name in names:
            number = len(items)
            price = Amount(_PRICES[number] * scale, currency)
            items.append(Item(name, price, group, 1000, f"40063813339{number:02d}", number + 1))
    return Catalogue(tuple(items))


def item_scenes(studio: Stage) -> Iterator[str]:
    """Plays them, and yields the name of each when it is up."""
    shell = studio.app.shell
    currency: Currency = studio.app.state.currency
    sold = catalogue(shell.preferences.language, currency)
    items = sold.items
    studio.tell(CatalogueShown(sold))
    yield "items-start"
    studio.touch(*(AddItem(items[each]) for each in (1, 1, 5, 9, 12)))
    yield "items"
    studio.touch(ShowKeypad(on=True), Digit(4), DoubleZero())
    yield "items-keypad"
    studio.touch(TakeOff(None, 1000), ShowKeypad(on=False), Scanned("7612345678900", 400))
    yield "items-unknown"
    studio.touch(OpenLine(0))
    yield "line"
    studio.touch(Go("discount"), Percent(20))
    yield "discount"
    studio.touch(Back(), Back(), Go("items"))
    yield "items-list"
    studio.touch(Letter(items[2].name[0]))
    yield "items-found"
    studio.touch(Letter("x"), Letter("q"))
    yield "items-none"
    studio.touch(Back(), Go("ways"))
    yield "items-ways"
    studio.touch(Go("split"))
    yield "split-items"
    studio.touch(Go("share"), PickLine(0), PickLine(2))
    yield "share"
    bill = Bill("B1", Amount(items[0].price.minor * 9, currency))
    studio.app.shell = replace(studio.app.shell, split=BillStanding(bill, NOW))
    studio.touch(Back(), Back(), Back())
    due = studio.app.state.due
    begun = Transaction.begin(SaleIntended(NOW, "t1", 1, due))
    studio.tell(Finished(begun.after(Cancelled(NOW, "")), None))
    yield "order-kept"
    studio.touch(Done(), Clear())
    yield "order-cleared"
