"""A helper's main module: `registry.services.helpers` starts it, sends a frame and then partitions, and reads answers.

Both ways go pickles, between two processes of one program and one user.
"""

from __future__ import annotations

import gc
import pickle
import sys
from typing import BinaryIO

from anchor.errors import CredanchorError
from registry.services.filling import Filler


def main(source: BinaryIO, answers: BinaryIO) -> None:
    """Fill partitions until there are no more."""
    # Nothing here refers to itself: there is nothing to be found that goes by itself.
    gc.disable()
    filler = Filler(pickle.load(source))  # noqa: S301 - from the process that started this one
    while True:
        try:
            partition, start, first_position = pickle.load(source)  # noqa: S301 - likewise
        except EOFError:
            return
        try:
            answer: object = filler.fill(partition, start, first_position)
        except CredanchorError as error:
            answer = error
        pickle.dump(answer, answers, protocol=pickle.HIGHEST_PROTOCOL)
        answers.flush()


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
