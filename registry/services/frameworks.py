"""Frameworks of skills, told by the address of a skill: ESCO, CASE (1EdTech) and CTDL (Credential Engine)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from anchor.canonical import JsonObject
from anchor.errors import MalformedError

WEB_ADDRESS: Final = re.compile(r"https?://[^\s/]+\S*")

_ESCO: Final = "ESCO: European Skills, Competences, Qualifications and Occupations"
_CTDL: Final = "Credential Registry, described in CTDL"
_CASE_KINDS: Final = {
    "cfitems": "CFItem",
    "cfrubrics": "CFRubric",
    "cfrubriccriteria": "CFRubricCriterion",
    "cfrubriccriterionlevels": "CFRubricCriterionLevel",
}
_CASE_HOSTS: Final = frozenset({"casenetwork.imsglobal.org", "casenetwork.1edtech.org", "opensalt.net"})
_CTDL_HOSTS: Final = frozenset({"credentialengineregistry.org", "sandbox.credentialengineregistry.org"})
_FINDER_KINDS: Final = {"competency": "ceasn:Competency", "credential": "ceterms:Credential"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Framework:
    """What the address of a skill tells about it."""

    name: str | None
    """For `targetFramework`; None where the address tells only the kind."""
    target_type: str
    """For `targetType`."""


def framework_of(url: str) -> Framework | None:
    """Tell the framework of a skill by its address; None if the address does not say.

    Open Badges 3.0 has no word for what ESCO describes, so that one of its own kind (`ext:`) is made.
    """
    parts = urlsplit(url)
    host, steps = parts.hostname or "", [step for step in parts.path.split("/") if step]
    folded = [step.casefold() for step in steps]
    if host == "data.europa.eu" and folded[:2] in (
        ["esco", "skill"],
        ["esco", "occupation"],
        ["esco", "qualification"],
    ):
        return Framework(name=_ESCO, target_type=f"ext:ESCO.{folded[1].capitalize()}")
    kind = next((_CASE_KINDS[step] for step in folded if step in _CASE_KINDS), None)
    if kind is not None:
        return Framework(name=None, target_type=kind)
    if host in _CASE_HOSTS and "uri" in folded:
        return Framework(name=None, target_type="CFItem")
    if host in _CTDL_HOSTS:
        return Framework(name=_CTDL, target_type="CTDL")
    if host == "credentialfinder.org" and folded and folded[0] in _FINDER_KINDS:
        return Framework(name=_CTDL, target_type=_FINDER_KINDS[folded[0]])
    return None


def make_alignment(url: str, name: str) -> JsonObject:
    """Build an alignment to a skill.

    Raises:
        MalformedError: The address is no web address, or the name is empty.
    """
    if WEB_ADDRESS.fullmatch(url) is None:
        raise MalformedError(
            "the address of a skill must begin with http:// or https://",
            advice="Such as http://data.europa.eu/esco/skill/… followed by a space and the skill's name.",
        )
    if not name.strip():
        raise MalformedError("the skill has no name", advice="Give it after its address, with a space between.")
    framework = framework_of(url)
    alignment: JsonObject = {"type": ["Alignment"], "targetName": name.strip(), "targetUrl": url}
    if framework is not None:
        alignment["targetType"] = framework.target_type
        if framework.name is not None:
            alignment["targetFramework"] = framework.name
    return alignment
