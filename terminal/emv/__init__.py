"""EMV contactless: APDUs, TLV, Entry Point, kernels. Each dialogue is a generator."""
