"""The console: its pages and its API, at the door, over the twins."""
