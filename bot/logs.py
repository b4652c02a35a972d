"""Logging for every program: fixed English events, values in fields, never a message's text or a token."""

from __future__ import annotations

import logging
import sys

import structlog


def configure(level: str) -> None:
    """Human-readable lines on stderr; stdout belongs to the commands' results."""
    logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    # At INFO these print full URLs: the token of Telegram and Zalo Bot is in the path.
    for name in ("httpx", "httpcore", "telegram"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # It prints the whole body of an answer that is not JSON; the adapter handles and reports that itself.
    logging.getLogger("telegram.request").setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )
