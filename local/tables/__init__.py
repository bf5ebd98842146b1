"""Copies of the tables: ``make backup`` writes one file, ``make restore`` puts it back by the rules that keep nights
safe."""
