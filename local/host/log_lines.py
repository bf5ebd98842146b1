"""The host's log: every line one JSON object, as the app writes its own."""

from __future__ import annotations

import logging

from shared.log_line import Field, log_line


class JsonLines(logging.Formatter):
    """Leaves the app's own lines as they are and puts everybody else's into the same form: the text under ``text``, the
    logger's name, the places of an exception under ``trace``."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        text = record.getMessage()
        if text.startswith("{") and record.name.split(".")[0] in ("sync", "host"):
            return text
        fields: dict[str, Field] = {"logger": record.name, "text": text}
        if record.exc_info:
            fields["trace"] = self.formatException(record.exc_info)
        return log_line(record.levelname.lower(), "log", fields, record.created)
