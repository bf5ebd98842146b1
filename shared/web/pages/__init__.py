"""One module a page: what it shows comes from a view of the engine, how it looks from a template."""
