"""The tester's tools at the command line, as a tester types them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.conftest import require_vectors
from ui.cli import main


@pytest.fixture
def till(tmp_path: Path) -> Any:
    def run(*words: str) -> Any:
        return CliRunner().invoke(main, list(words), env={"TAPTILL_DATA": str(tmp_path)})

    return run


def test_a_card_is_explained(till: Any) -> None:
    done = till("card", "read", "--reader", "sim:mastercard-credit", "--json")
    assert done.exit_code == 0, done.output
    (application,) = json.loads(done.stdout)["applications"]
    fields = {each["name"]: each for each in application["fields"]}
    assert application["aid"] == "A0000000041010"
    assert fields["Card certificate (9F46)"]["value"] == "holds"
    assert "CDA supported" in fields["Interchange profile (82)"]["says"]


def test_a_card_that_nobody_issued_for_tests_is_masked(till: Any, tmp_path: Path) -> None:
    dialogue = tmp_path / "tap.apdu"
    dialogue.write_text(
        "> 00A4040007A000000003101000\n< 6F0E8407A0000000031010A503500156 9000\n"
        "> 00B2010C00\n< 70105A0854133300000000005F24032512319000\n"
    )
    done = till("trace", str(dialogue))
    assert done.exit_code == 0, done.output
    assert "54133300" not in done.output.replace(" ", "")
    assert "0000" in done.output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("tlv", "9F3G"), "Character 4"),
        (("tlv", "9F360"), "half there"),
        (("trace", "nowhere.apdu"), "cannot be read"),
    ],
)
def test_bad_input_is_told_where(till: Any, words: tuple[str, ...], says: str) -> None:
    done = till(*words)
    assert done.exit_code == 1
    assert says in done.output


def test_a_broken_file_is_told_its_line(till: Any, tmp_path: Path) -> None:
    file = tmp_path / "tap.apdu"
    file.write_text("> 00A4\n> 00\n")
    done = till("trace", str(file))
    assert (done.exit_code, "line 2" in done.output) == (1, True)


def test_tlv_says_what_it_cannot_read(till: Any) -> None:
    done = till("tlv", "9F36", "02", "0001", "95", "05", "--json")
    assert done.exit_code == 1
    rows = json.loads(done.stdout)
    assert [row["what"] for row in rows] == ["9F36 Application Transaction Counter", "not readable"]


def test_a_recorded_card_is_replayed_and_told(till: Any) -> None:
    file = require_vectors() / "emv" / "transcripts" / "visa_qvsdc_offline_fdda.json"
    done = till("replay", str(file), "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["outcome"]["decision"] == "online request"
    assert len(found["exchanges"]) == 6
    told = till("trace", str(file), "--json")
    (application,) = json.loads(told.stdout)["applications"]
    assert {"name": "Card certificate (9F46)", "value": "holds", "says": ["896 bits"]} in (
        application["fields"]
    )


@pytest.mark.parametrize(
    ("name", "hinted"), [("mastercard_magstripe_ccc", True), ("visa_qvsdc_online", False)]
)
def test_a_replay_says_why_it_finds_no_application(till: Any, name: str, *, hinted: bool) -> None:
    done = till("replay", str(require_vectors() / "emv" / "transcripts" / f"{name}.json"))
    assert done.exit_code == 0, done.output
    assert ("no directory of contactless applications" in done.output) is hinted
