"""A shop in virtual time: real checkout, real ledger, real forwarder, real messages; one seed.

Rules of this folder: the till's own code runs unchanged, put together by ``ui.wiring`` as in a
real till; what is simulated is what lies outside of it (cards, people, time, network, host, the
electricity). This is the one part of the simulator that may know the memory and the composition
root; see ``docs/decisions``. Everything is driven by one seed and may be run again from it.
"""
