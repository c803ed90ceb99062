"""Mapping on SpiNNaker as its tool chain does it: delay extensions, places, keys, multicast trees, routing tables.

The passes are `extend_delays`, `place` and `route`; the other modules are their parts.
"""
