"""Keep Rasa quiet: its debug lines hold people's words, and stdout belongs to results."""

from __future__ import annotations

import logging
import os
import sys
import warnings


def quiet() -> None:
    """Warnings and errors only, on stderr; call before anything of Rasa is imported."""
    os.environ.update(
        RASA_TELEMETRY_ENABLED="false", SQLALCHEMY_SILENCE_UBER_WARNING="1", TF_CPP_MIN_LOG_LEVEL="3"
    )
    os.environ["LOG_LEVEL"] = "WARNING"
    warnings.filterwarnings("ignore")
    import structlog

    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )
    logging.getLogger().setLevel(logging.WARNING)
