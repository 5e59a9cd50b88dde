"""The conformance page: one HTML file, without anything from elsewhere.

Rules of this file: every text is escaped; the page works without its script (which only filters),
in light and dark, on a phone and on paper.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files

from hardware_sim.conformance.case import Verdict
from hardware_sim.conformance.runner import Result, formats, summary

_CLASSES = {Verdict.PASS: "pass", Verdict.FAIL: "fail", Verdict.NOT_RUN: "skip"}


def page(results: Sequence[Result]) -> str:
    """The whole page for these results."""
    template = files("hardware_sim.conformance").joinpath("page.html").read_text("utf-8")
    counts = summary(results)
    titles = {form.name: form.title for form in formats()}
    grouped = _grouped(dict.fromkeys(each.format for each in results))
    names = [name for _, group in grouped for name in group]
    parts = {
        "@@TOTAL@@": str(len(results)),
        "@@PASS@@": str(counts[Verdict.PASS]),
        "@@FAIL@@": str(counts[Verdict.FAIL]),
        "@@SKIP@@": str(counts[Verdict.NOT_RUN]),
        "@@BAR@@": _bar(results),
        "@@OVERVIEW@@": "\n".join(
            f'<tr class="group"><th colspan="5" scope="rowgroup">{escape(title)}</th></tr>\n'
            + "\n".join(_overview(name, titles.get(name, name), results) for name in group)
            for title, group in grouped
        ),
        "@@TABLES@@": "\n".join(_section(name, titles.get(name, name), results) for name in names),
        "@@SOURCES@@": "\n".join(
            f"<li>{escape(source)}</li>"
            for source in sorted({each.source for each in results} - {""})
        ),
        "@@FAILED@@": "fail" if counts[Verdict.FAIL] else "none",
    }
    for mark, text in parts.items():
        template = template.replace(mark, text)
    return template


_GROUPS = (
    (
        "Taps and kernels",
        (
            *("apdu_transcript", "entry_point_trace", "card_image", "candidate_order"),
            *("get_processing_options", "read_application_data", "negative_card_answers"),
            *("processing_restrictions", "terminal_risk_management", "kernel_configuration"),
            *("reference_table", "iso14443a_frames"),
            *("contact_candidate_list", "contact_final_selection"),
        ),
    ),
    (
        "Offline data authentication",
        (
            *("offline_data_authentication", "offline_data_authentication_negative"),
            *("ca_public_keys", "ca_public_key_override", "ca_public_key_checksum"),
            *("rsa_recovery", "recovered_structures"),
        ),
    ),
    (
        "Data objects",
        (
            *("ber_tlv", "dol", "filled_dol", "afl", "cvm_list", "track", "decode", "ttq_bits"),
            "issuer_application_data",
        ),
    ),
    (
        "Cryptography",
        (
            *("function_vectors", "emv_cryptograms", "issuer_cryptogram_scenario"),
            *("hardware_cryptograms", "kernel8_crypto", "aes_dukpt", "tdes_dukpt"),
            *("tr31_key_blocks", "hpke", "ff1"),
        ),
    ),
    ("Messages", ("iso8583",)),
)


def _grouped(names: Iterable[str]) -> list[tuple[str, list[str]]]:
    """The formats that there are, by what they are about; what is in no group comes last."""
    left = list(names)
    grouped = [(title, [each for each in group if each in left]) for title, group in _GROUPS]
    known = {each for _, group in grouped for each in group}
    grouped.append(("Other files", [each for each in left if each not in known]))
    return [(title, group) for title, group in grouped if group]


def _of(name: str, results: Iterable[Result]) -> list[Result]:
    return [each for each in results if each.format == name]


def _bar(results: Sequence[Result]) -> str:
    counts = summary(results)
    parts = (
        f'<i class="{_CLASSES[verdict]}" style="flex:{counts[verdict]}"></i>'
        for verdict in (Verdict.PASS, Verdict.NOT_RUN, Verdict.FAIL)
        if counts[verdict]
    )
    return "".join(parts)


def _overview(name: str, title: str, results: Sequence[Result]) -> str:
    own = _of(name, results)
    counts = summary(own)
    cells = "".join(
        f'<td class="{_CLASSES[verdict]}">{counts[verdict] or ""}</td>'
        for verdict in (Verdict.PASS, Verdict.FAIL, Verdict.NOT_RUN)
    )
    return (
        f'<tr><th scope="row"><a href="#{escape(name)}">{escape(title)}</a></th>'
        f'<td><div class="bar">{_bar(own)}</div></td>{cells}</tr>'
    )


def _section(name: str, title: str, results: Sequence[Result]) -> str:
    own = _of(name, results)
    counts = summary(own)
    bad = counts[Verdict.FAIL]
    rows = "\n".join(map(_row, own))
    tally = f"{counts[Verdict.PASS]} of {len(own)}"
    return (
        f'<details id="{escape(name)}"{" open" if bad else ""}>'
        f"<summary><h2>{escape(title)}</h2>"
        f'<span class="tally {"fail" if bad else "pass"}">{tally}</span></summary>'
        '<div class="scroll"><table class="cases"><thead><tr><th>Case</th><th>Proves</th>'
        "<th>Verdict</th><th>Remark</th></tr></thead><tbody>\n"
        f"{rows}\n</tbody></table></div></details>"
    )


def _row(result: Result) -> str:
    kind = _CLASSES[result.verdict]
    return (
        f'<tr class="{kind}"><td><b>{escape(result.case)}</b><small>{escape(result.file)}</small>'
        f"</td><td>{escape(result.proves)}</td>"
        f'<td><span class="chip">{escape(result.verdict.value)}</span></td>'
        f"<td>{escape(result.remark)}</td></tr>"
    )
