"""Every pair of colours that meets can be told apart (WCAG 2.2, 1.4.3 and 1.4.11)."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from ui.presenter.sayings import PROMPTS, RESULTS, Tone
from ui.touch.theme import SHAPE_PAIRS, TEXT_PAIRS, THEMES, Theme, contrast

EACH_THEME = pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)


@EACH_THEME
@pytest.mark.parametrize(("text", "ground"), TEXT_PAIRS)
def test_text_can_be_read(theme: Theme, text: str, ground: str) -> None:
    assert contrast(getattr(theme, text), getattr(theme, ground)) >= 4.5


@EACH_THEME
@pytest.mark.parametrize(("shape", "ground"), SHAPE_PAIRS)
def test_shapes_can_be_seen(theme: Theme, shape: str, ground: str) -> None:
    assert contrast(getattr(theme, shape), getattr(theme, ground)) >= 3.0


@EACH_THEME
def test_every_token_is_a_colour(theme: Theme) -> None:
    for field in fields(theme):
        if field.name != "name":
            assert re.fullmatch(r"#[0-9A-F]{6}", getattr(theme, field.name)), field.name


@EACH_THEME
def test_every_tone_in_use_has_its_tokens(theme: Theme) -> None:
    tones = {prompt.tone for prompt in PROMPTS.values()} | {each.tone for each in RESULTS.values()}
    for tone in tones:
        assert theme.rgba(f"{tone.value}_solid")
        if tone is not Tone.READY:
            assert theme.rgba(f"{tone.value}_tint")
            assert theme.rgba(tone.value)


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000000", "#FFFFFF", 21.0), ("#FFFFFF", "#FFFFFF", 1.0), ("#767676", "#FFFFFF", 4.54)],
)
def test_the_contrast_formula(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == pytest.approx(ratio, abs=0.005)
    assert contrast(other, one) == contrast(one, other)
