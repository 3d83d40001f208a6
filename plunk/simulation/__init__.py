"""Simulation: bundles run offline, on the engine's own core, over a clock that jumps.

Pure: no database, network, randomness or real time. A world holds people, the workflows of one
bundle, and all that happens; `advance` of the core decides, as it does in the worker.
"""
