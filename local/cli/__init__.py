"""The command line: what the console shows and does, in a terminal, over the same API and in the same words."""
