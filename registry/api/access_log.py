"""The access log: a JSON object a line for each request, straight to where it goes.

Not by the library for logs, which takes longer for a line than a whole proof is read in. A line says no address and no
query of a request, only the template of its route, for both may tell of a person.
"""

from __future__ import annotations

from typing import BinaryIO

import orjson


class AccessLog:
    """Written to nowhere until it is told where."""

    def __init__(self) -> None:
        self._stream: BinaryIO | None = None

    def open(self, stream: BinaryIO) -> None:
        """Write to a stream from now on."""
        self._stream = stream

    def note(
        self,
        *,
        request_id: str,
        method: str,
        route: str,
        status: int,
        size: int,
        seconds: float,
        institution: int | None,
    ) -> None:
        """Write a line on a request that was answered."""
        if self._stream is None:
            return
        line = {
            "requestId": request_id,
            "method": method,
            "route": route,
            "status": status,
            "bytes": size,
            "milliseconds": round(seconds * 1000, 1),
            "institution": institution,
        }
        self._stream.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        self._stream.flush()
