"""Filled-in canonical bytes are those of the canonicaliser, whatever a name holds."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from anchor.canonical import canonicalize, parse_document
from anchor.errors import CredentialFormatError
from anchor.model import RegistryId, StatusPosition
from registry.services.credentials import CredentialFrame, CredentialValues, IssuerProfile, build_credential
from registry.services.template import CredentialTemplate
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


def values_of(name: str, email: str | None, position: StatusPosition) -> CredentialValues:
    return CredentialValues(
        id="urn:uuid:8d8a9c1e-0000-4000-8000-000000000001",
        name=name,
        email=email,
        email_salt="0123456789abcdef",
        position=position,
    )


@given(st.dictionaries(good_text, json_values, max_size=4), names, st.none() | names, names, emails, positions)
def test_fill_gives_the_canonical_form(
    achievement: dict[str, object],
    issuer_name: str,
    url: str | None,
    name: str,
    email: str | None,
    position: StatusPosition,
) -> None:
    frame, values = frame_of(achievement, issuer_name, url), values_of(name, email, position)
    expected = canonicalize(build_credential(frame, values))
    assert CredentialTemplate.compile(frame, has_email=email is not None).fill(values) == expected


@given(names, names)
def test_one_template_serves_many(first: str, second: str) -> None:
    frame = frame_of({}, "x", None)
    template = CredentialTemplate.compile(frame, has_email=True)
    for index, name in enumerate((first, second)):
        values = values_of(name, "a@example.org", StatusPosition(status_list=3, index=index))
        assert template.fill(values) == canonicalize(build_credential(frame, values))


@given(names)
def test_what_is_filled_in_is_what_the_strict_parser_reads(name: str) -> None:
    template = CredentialTemplate.compile(frame_of({}, "x", None), has_email=False)
    canonical = template.fill(values_of(name, None, StatusPosition(status_list=0, index=0)))
    assert parse_document(canonical).canonical_bytes() == canonical


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


@pytest.mark.parametrize("char", ["\ud800", "\ufdd0", "\ufffe", "\uffff", "\U0001ffff", "\U0010fffe"])
def test_a_forbidden_character_is_refused(char: str) -> None:
    template = CredentialTemplate.compile(frame_of({}, "x", None), has_email=False)
    with pytest.raises(CredentialFormatError):
        template.fill(values_of(f"Zoé {char}", None, StatusPosition(status_list=0, index=0)))
