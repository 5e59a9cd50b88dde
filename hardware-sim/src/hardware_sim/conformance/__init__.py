"""Third-party test data, run against the product: ``taptill sim conformance DIR``.

One module per case format. A format is recognised by what is in a file and never by its name or
its folder, so the same command runs data that nobody here has seen.
"""

from __future__ import annotations

from hardware_sim.conformance import (
    capk,
    card_images,
    decode,
    emv_crypto,
    entry_point,
    fpe,
    hpke,
    kernel8,
    kernel_settings,
    keys,
    messages,
    oda_chains,
    radio_frames,
    recovered_structures,
    risk,
    selection,
    tlv_dol,
    transcripts,
)

FORMAT_MODULES = (
    capk,
    card_images,
    decode,
    emv_crypto,
    entry_point,
    fpe,
    hpke,
    messages,
    kernel8,
    kernel_settings,
    keys,
    oda_chains,
    radio_frames,
    recovered_structures,
    risk,
    selection,
    tlv_dol,
    transcripts,
)
"""The modules of the formats; the first whose format recognises a file has it."""
