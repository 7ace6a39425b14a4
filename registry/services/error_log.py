"""The service's log of what went wrong: an error's kind and the places in the code; its words, if it is one of ours.

An error that nobody foresaw may say names, e-mails or what stands in a file, and so may one about such a file.
"""

from __future__ import annotations

import json
import logging
import traceback
from typing import Final

from anchor.errors import CredanchorError, MalformedError

LOGGER: Final = "credanchor.service"
_PLACES: Final = 20

_log: Final = logging.getLogger(LOGGER)


def log_error(error: BaseException, **about: str) -> None:
    """Log an error.

    Args:
        error: Its words are logged where they cannot be about people.
        about: What was being done: `requestId`, `job`.
    """
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    said = {"words": str(error)} if isinstance(error, CredanchorError) and not isinstance(error, MalformedError) else {}
    content = {**about, "error": type(error).__qualname__, **said, "at": places[-_PLACES:]}
    _log.error("%s", json.dumps(content, ensure_ascii=False))
