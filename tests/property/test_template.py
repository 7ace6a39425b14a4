"""Filled-in canonical bytes are those of the canonicaliser, whatever a name holds."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from anchor.canonical import canonicalize, parse_document
from anchor.errors import CredentialFormatError
from anchor.model import RegistryId, StatusPosition
from registry.services.credentials import CredentialFrame, CredentialValues, IssuerProfile, build_credential
from registry.services.recipient import Recipient, details_to_text, recipient_from
from registry.services.template import CredentialTemplate, shape_of
from registry.services.text import FORBIDDEN_CHARACTER

REGISTRY = RegistryId.parse("eip155:31337:0x5fbdb2315678afecb367f032d93f642f64180aa3")

any_text = st.text(st.characters(codec=None, categories=None))
good_text = any_text.filter(lambda text: FORBIDDEN_CHARACTER.search(text) is None)
awkward_text = st.lists(
    st.sampled_from(
        ['"', "\\", "%", "%(id)b", "\x00", "\x1f", "\x7f", "\u2028", "é", "ᐃᓄᒃ", "שלום", "\U0001f393", "/", "<"]
    )
).map("".join)
names = good_text | awkward_text
emails = st.none() | good_text
positions = st.builds(StatusPosition, status_list=st.integers(0, 2**32 - 1), index=st.integers(0, 131_071))
json_values = st.recursive(
    good_text | st.booleans() | st.none() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-1e15, 1e15),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(good_text, inner, max_size=3),
    max_leaves=8,
)


def frame_of(achievement: dict[str, object], name: str, url: str | None) -> CredentialFrame:
    return CredentialFrame(
        achievement={"name": name, **achievement},
        issuer=IssuerProfile(did="did:web:college.example", name=name, url=url),
        registry=REGISTRY,
        issuer_id=7,
        public_url="https://college.example/100%",
        valid_from=1_780_000_000,
    )


seconds = st.none() | st.integers(0, 253_402_300_799)
recipients = st.builds(
    Recipient,
    name=names,
    email=emails,
    did=st.none() | names,
    valid_from=seconds,
    valid_until=seconds,
    awarded_at=seconds,
    activity_start_at=seconds,
    activity_end_at=seconds,
    result=st.none() | names,
    evidence_url=st.none() | names,
    narrative=st.none() | names,
    license_number=st.none() | names,
)
described = st.sampled_from(
    [{}, {"resultDescription": [{"id": "urn:r%1", "type": ["ResultDescription"], "resultType": "Result"}]}]
)


def values_of(recipient: Recipient, position: StatusPosition) -> CredentialValues:
    return CredentialValues(
        id="urn:uuid:8d8a9c1e-0000-4000-8000-000000000001",
        recipient=recipient,
        email_salt="0123456789abcdef",
        position=position,
    )


def template_of(frame: CredentialFrame, recipient: Recipient) -> CredentialTemplate:
    """As the database gives it back."""
    return CredentialTemplate(CredentialTemplate.compile(frame, shape_of(recipient)).text)


@given(st.dictionaries(good_text, json_values, max_size=4), described, names, st.none() | names, recipients, positions)
def test_fill_gives_the_canonical_form(
    achievement: dict[str, object],
    results: dict[str, object],
    issuer_name: str,
    url: str | None,
    recipient: Recipient,
    position: StatusPosition,
) -> None:
    frame, values = frame_of(achievement | results, issuer_name, url), values_of(recipient, position)
    expected = canonicalize(build_credential(frame, values))
    assert template_of(frame, recipient).fill(values) == expected


@given(recipients, recipients)
def test_one_template_serves_all_of_a_shape(first: Recipient, second: Recipient) -> None:
    frame = frame_of({}, "x", None)
    # What the second lacks, the first shall lack too; and the other way round.
    absent: dict[str, Any] = {
        field: None for field, a, b in zip(Recipient._fields, first, second, strict=True) if None in (a, b)
    }
    first, second = first._replace(**absent), second._replace(**absent)
    template = template_of(frame, first)
    for index, recipient in enumerate((first, second)):
        assert shape_of(recipient) == shape_of(first)
        values = values_of(recipient, StatusPosition(status_list=3, index=index))
        assert template.fill(values) == canonicalize(build_credential(frame, values))


@given(st.dictionaries(good_text, json_values, max_size=4), recipients)
def test_the_achievement_is_read_from_the_template(achievement: dict[str, object], recipient: Recipient) -> None:
    frame = frame_of(achievement, "100 %", None)
    assert canonicalize(template_of(frame, recipient).achievement) == canonicalize(frame.achievement)


@given(recipients)
def test_what_is_filled_in_is_what_the_strict_parser_reads(recipient: Recipient) -> None:
    values = values_of(recipient, StatusPosition(status_list=0, index=0))
    canonical = template_of(frame_of({}, "x", None), recipient).fill(values)
    assert parse_document(canonical).canonical_bytes() == canonical


@given(recipients)
def test_what_the_database_keeps_is_the_whole_recipient(recipient: Recipient) -> None:
    assert recipient_from(recipient.name, recipient.email, details_to_text(recipient)) == recipient


@given(any_text)
@example("\ufdd0")
@example("\U0010ffff")
@example("\ud800")
def test_what_is_refused_is_what_the_strict_parser_refuses(name: str) -> None:
    def parsed() -> bool:
        try:
            parse_document(json.dumps({"name": name}).encode())
        except CredentialFormatError:
            return False
        return True

    assert parsed() == (FORBIDDEN_CHARACTER.search(name) is None)


@pytest.mark.parametrize("field", ["name", "did", "result", "evidence_url", "narrative", "license_number"])
@pytest.mark.parametrize("char", ["\ud800", "\ufdd0", "\ufffe", "\uffff", "\U0001ffff", "\U0010fffe"])
def test_a_forbidden_character_is_refused(field: str, char: str) -> None:
    changed: dict[str, Any] = {field: f"Zoé {char}"}
    recipient = Recipient("Zoé")._replace(**changed)
    template = template_of(frame_of({}, "x", None), recipient)
    with pytest.raises(CredentialFormatError):
        template.fill(values_of(recipient, StatusPosition(status_list=0, index=0)))
