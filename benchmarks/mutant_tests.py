"""Which tests hold which module, for the mutation score: ``benchmarks/mutants.py``."""

from __future__ import annotations

# The tests that hold a module, from the quickest; every one of them stops at the first failure.
TESTS: dict[str, tuple[str, ...]] = {
    "terminal/emv/tlv.py": ("tests/terminal/emv/test_tlv.py", "tests/terminal/emv/test_explain.py"),
    "terminal/emv/dol.py": ("tests/terminal/emv/test_dol.py",),
    "terminal/emv/oda.py": (
        "tests/terminal/emv/test_oda.py",
        "tests/terminal/emv/test_transcripts.py",
        "tests/terminal/emv/test_c2.py",
        "tests/terminal/emv/test_c3.py",
    ),
    "terminal/emv/kernels/at_once.py": (
        "tests/terminal/emv/test_at_once.py",
        "tests/terminal/emv/test_c3.py",
        "tests/terminal/emv/test_attacks.py",
        "tests/terminal/emv/test_transcripts.py",
    ),
    "terminal/emv/kernels/fast_dda.py": (
        "tests/terminal/emv/test_at_once.py",
        "tests/terminal/emv/test_c3.py",
        "tests/terminal/emv/test_transcripts.py",
    ),
    "terminal/emv/kernels/generate_ac.py": (
        "tests/terminal/emv/test_c2.py",
        "tests/terminal/emv/test_c4.py",
        "tests/terminal/emv/test_c5.py",
        "tests/terminal/emv/test_attacks.py",
        "tests/terminal/emv/test_relay_and_torn.py",
    ),
    "terminal/emv/kernels/c4.py": (
        "tests/terminal/emv/test_c4.py",
        "tests/terminal/emv/test_whole_taps.py",
        "tests/terminal/emv/test_attacks.py",
    ),
    "terminal/emv/kernels/c5.py": (
        "tests/terminal/emv/test_c5.py",
        "tests/terminal/emv/test_whole_taps.py",
        "tests/terminal/emv/test_attacks.py",
    ),
    "terminal/emv/kernels/c6.py": (
        "tests/terminal/emv/test_at_once.py",
        "tests/terminal/emv/test_whole_taps.py",
    ),
    "terminal/emv/kernels/c7.py": (
        "tests/terminal/emv/test_at_once.py",
        "tests/terminal/emv/test_whole_taps.py",
    ),
    "terminal/emv/kernels/mag_stripe.py": (
        "tests/terminal/emv/test_beyond_the_payment.py",
        "tests/terminal/emv/test_c2.py",
        "tests/terminal/emv/test_attacks.py",
        "tests/terminal/emv/test_transcripts.py",
    ),
    "terminal/emv/kernels/relay_resistance.py": (
        "tests/terminal/emv/test_relay_and_torn.py",
        "tests/terminal/emv/test_card_images.py",
    ),
    "terminal/emv/kernels/c2.py": (
        "tests/terminal/emv/test_c2.py",
        "tests/terminal/emv/test_relay_and_torn.py",
        "tests/terminal/emv/test_attacks.py",
        "tests/terminal/emv/test_beyond_the_payment.py",
        "tests/terminal/emv/test_cvm_list.py",
        "tests/terminal/emv/test_transcripts.py",
    ),
    "terminal/emv/kernels/cvm_list.py": (
        "tests/terminal/emv/test_cvm_list.py",
        "tests/terminal/emv/test_c2.py",
    ),
    "terminal/emv/restrictions.py": ("tests/terminal/emv/test_restrictions.py",),
    "terminal/emv/preprocessing.py": (
        "tests/terminal/emv/test_preprocessing.py",
        "tests/terminal/emv/test_entry_point.py",
    ),
    "terminal/emv/selection.py": (
        "tests/terminal/emv/test_selection.py",
        "tests/terminal/emv/test_entry_point.py",
    ),
}
