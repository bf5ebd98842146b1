"""The ports: everything the core asks of the world, as protocols and plain values.

Each port has a real adapter (``shared/adapters``) and a shipped twin in memory (``shared/memory``); one
contract suite runs on both. Time, randomness and sleep are ports too: nothing else may read a clock.
"""
