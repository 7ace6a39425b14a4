"""The service's log of what went wrong: an error's kind and the places in the code, not its words.

An error that nobody foresaw may say names, e-mails or what stands in a file.
"""

from __future__ import annotations

import json
import logging
import traceback
from typing import Final

LOGGER: Final = "credanchor.service"
_PLACES: Final = 20

_log: Final = logging.getLogger(LOGGER)


def log_error(error: BaseException, **about: str) -> None:
    """Log an error.

    Args:
        error: Its words are not logged.
        about: What was being done: `requestId`, `job`.
    """
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    _log.error("%s", json.dumps({**about, "error": type(error).__qualname__, "at": places[-_PLACES:]}))
