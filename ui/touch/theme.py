"""Colours by meaning: the tokens of a theme, and which of them meet.

Rules of this file: no Kivy, so that the contrast of every pair is a plain test. ``TEXT_PAIRS``
must reach 4.5:1 and ``SHAPE_PAIRS`` 3:1 (WCAG 2.2, 1.4.3 and 1.4.11) in every theme.
"""

from __future__ import annotations

from dataclasses import dataclass

Rgba = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Theme:
    """One colour per meaning, as ``#RRGGBB``.

    ``*_tint`` are full-bleed backgrounds, ``*_solid`` the panels and marks on them with
    ``on_solid`` drawn on top, and the plain tone names are for text on the tint.
    """

    name: str
    bg: str
    surface: str
    pressed: str
    ink: str
    ink2: str
    border: str
    hairline: str
    brand: str
    brand_pressed: str
    on_brand: str
    link: str
    disabled: str
    on_disabled: str
    ok: str
    ok_tint: str
    ok_solid: str
    bad: str
    bad_tint: str
    bad_solid: str
    warn: str
    warn_tint: str
    warn_solid: str
    pending: str
    pending_tint: str
    pending_solid: str
    neutral: str
    neutral_tint: str
    neutral_solid: str
    ready: str
    ready_tint: str
    ready_solid: str
    on_solid: str
    light_on: str
    light_off: str
    stripe: str
    on_stripe: str
    hue_0: str
    hue_1: str
    hue_2: str
    hue_3: str
    hue_4: str
    hue_5: str

    def rgba(self, token: str, alpha: float = 1.0) -> Rgba:
        """The colour of a token as four numbers from 0 to 1."""
        value: str = getattr(self, token)
        red, green, blue = (int(value[i : i + 2], 16) / 255 for i in (1, 3, 5))
        return red, green, blue, alpha


LIGHT = Theme(
    name="light",
    bg="#F4F6FA",
    surface="#FFFFFF",
    pressed="#E4E9F2",
    ink="#101828",
    ink2="#475467",
    border="#7A8699",
    hairline="#DCE2EC",
    brand="#0B5FFF",
    brand_pressed="#0848C2",
    on_brand="#FFFFFF",
    link="#0848C2",
    disabled="#E4E9F2",
    on_disabled="#5B6779",
    ok="#067647",
    ok_tint="#E7FAF0",
    ok_solid="#067647",
    bad="#B42318",
    bad_tint="#FEF1F0",
    bad_solid="#B42318",
    warn="#93370D",
    warn_tint="#FFF8E6",
    warn_solid="#B54708",
    pending="#1849A9",
    pending_tint="#EAF1FF",
    pending_solid="#1849A9",
    neutral="#344054",
    neutral_tint="#F4F6FA",
    neutral_solid="#475467",
    ready="#0848C2",
    ready_tint="#EAF1FF",
    ready_solid="#0B5FFF",
    on_solid="#FFFFFF",
    light_on="#0E8345",
    light_off="#D3DAE6",
    stripe="#6927DA",
    on_stripe="#FFFFFF",
    hue_0="#1570EF",
    hue_1="#067647",
    hue_2="#B54708",
    hue_3="#7A5AF8",
    hue_4="#C11574",
    hue_5="#0E7090",
)

DARK = Theme(
    name="dark",
    bg="#0B1220",
    surface="#161F30",
    pressed="#26324A",
    ink="#F2F5FA",
    ink2="#B3BECE",
    border="#6B7A92",
    hairline="#27344B",
    brand="#2A64F6",
    brand_pressed="#1E54DB",
    on_brand="#FFFFFF",
    link="#84ADFF",
    disabled="#1E293D",
    on_disabled="#94A2B8",
    ok="#47CD89",
    ok_tint="#0A1F1A",
    ok_solid="#087A4B",
    bad="#FDA29B",
    bad_tint="#251316",
    bad_solid="#B42318",
    warn="#FDB022",
    warn_tint="#231A0C",
    warn_solid="#B54708",
    pending="#84ADFF",
    pending_tint="#0D1B38",
    pending_solid="#1D56C9",
    neutral="#D5DCE8",
    neutral_tint="#0B1220",
    neutral_solid="#3A4A66",
    ready="#84ADFF",
    ready_tint="#0D1B38",
    ready_solid="#1D56C9",
    on_solid="#FFFFFF",
    light_on="#3CCB7F",
    light_off="#2C3A55",
    stripe="#6927DA",
    on_stripe="#FFFFFF",
    hue_0="#84ADFF",
    hue_1="#47CD89",
    hue_2="#FDB022",
    hue_3="#BDB4FE",
    hue_4="#FAA7E0",
    hue_5="#67E3F9",
)

BENCH = Theme(
    name="bench",
    bg="#101A2E",
    surface="#1A2742",
    pressed="#2A3B5E",
    ink="#F4F7FC",
    ink2="#AEBBD1",
    border="#7485A6",
    hairline="#2B3B5C",
    brand="#2A64F6",
    brand_pressed="#1E54DB",
    on_brand="#FFFFFF",
    link="#84ADFF",
    disabled="#1A2742",
    on_disabled="#94A2B8",
    ok="#5BD69A",
    ok_tint="#12352F",
    ok_solid="#087A4B",
    bad="#FDA29B",
    bad_tint="#3A1C22",
    bad_solid="#B42318",
    warn="#FEC84B",
    warn_tint="#3A2A12",
    warn_solid="#B54708",
    pending="#9DBDFF",
    pending_tint="#182E5C",
    pending_solid="#1D56C9",
    neutral="#D5DCE8",
    neutral_tint="#1A2742",
    neutral_solid="#3A4A66",
    ready="#FFE100",
    ready_tint="#000000",
    ready_solid="#1D56C9",
    on_solid="#FFFFFF",
    light_on="#3CCB7F",
    light_off="#2C3A55",
    stripe="#6927DA",
    on_stripe="#FFFFFF",
    hue_0="#84ADFF",
    hue_1="#47CD89",
    hue_2="#FDB022",
    hue_3="#BDB4FE",
    hue_4="#FAA7E0",
    hue_5="#67E3F9",
)

CONTRAST = Theme(
    name="contrast",
    bg="#000000",
    surface="#000000",
    pressed="#3D3D3D",
    ink="#FFFFFF",
    ink2="#FFFFFF",
    border="#FFFFFF",
    hairline="#FFFFFF",
    brand="#FFE100",
    brand_pressed="#FFF59A",
    on_brand="#000000",
    link="#FFE100",
    disabled="#1C1C1C",
    on_disabled="#C8C8C8",
    ok="#5CFFA1",
    ok_tint="#000000",
    ok_solid="#00592B",
    bad="#FF9C94",
    bad_tint="#000000",
    bad_solid="#9C0F06",
    warn="#FFC45C",
    warn_tint="#000000",
    warn_solid="#7A3B00",
    pending="#9CC4FF",
    pending_tint="#000000",
    pending_solid="#003C9E",
    neutral="#FFFFFF",
    neutral_tint="#000000",
    neutral_solid="#3D3D3D",
    ready="#84ADFF",
    ready_tint="#182E5C",
    ready_solid="#1A1A1A",
    on_solid="#FFFFFF",
    light_on="#5CFFA1",
    light_off="#4A4A4A",
    stripe="#B98CFF",
    on_stripe="#000000",
    hue_0="#84ADFF",
    hue_1="#5CFFA1",
    hue_2="#FFC45C",
    hue_3="#D9B8FF",
    hue_4="#FF9CDD",
    hue_5="#FFE100",
)
"""Black, white and yellow: nothing is told by a shade."""

THEMES = (LIGHT, DARK, CONTRAST, BENCH)
OF_TILL = {theme.name: theme for theme in (LIGHT, DARK, CONTRAST)}
"""The themes that a till offers, by name."""

_TONES = ("ok", "bad", "warn", "pending", "neutral", "ready")
TEXT_PAIRS: tuple[tuple[str, str], ...] = (
    ("ink", "bg"),
    ("ink", "surface"),
    ("ink", "pressed"),
    ("ink2", "bg"),
    ("ink2", "surface"),
    ("on_brand", "brand"),
    ("on_brand", "brand_pressed"),
    ("link", "surface"),
    ("link", "bg"),
    ("link", "pressed"),
    ("ink2", "pressed"),
    ("on_disabled", "disabled"),
    ("on_stripe", "stripe"),
    *((tone, f"{tone}_tint") for tone in _TONES),
    *((tone, "surface") for tone in _TONES),
    *(("ink", f"{tone}_tint") for tone in _TONES),
    *(("ink2", f"{tone}_tint") for tone in _TONES),
    *(("on_solid", f"{tone}_solid") for tone in _TONES),
)
SHAPE_PAIRS: tuple[tuple[str, str], ...] = (
    ("border", "bg"),
    ("border", "surface"),
    ("brand", "bg"),
    ("light_on", "bg"),
    ("light_on", "light_off"),
    # The colours of item groups: never the only sign, for each key has its name.
    *((f"hue_{number}", "surface") for number in range(6)),
    *((f"hue_{number}", "pressed") for number in range(6)),
)


def luminance(colour: str) -> float:
    """Relative luminance of ``#RRGGBB`` (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    dark, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dark + 0.05)
