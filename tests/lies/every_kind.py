"""All kinds of lies: importing the modules that have them enters them into the list."""

from tests.lies import about_answers, about_blocks, about_facts, about_proofs
from tests.lies.kinds import KINDS

__all__ = ["KINDS", "about_answers", "about_blocks", "about_facts", "about_proofs"]
