"""Name in clear, e-mail as salted hash (OB 3.0 IdentityObject)."""

from hashlib import md5, sha256
from typing import Any

import pytest

from anchor.identity import HolderMatch, email_identity, match_holder, matches_email, name_identity


def test_name_stands_in_clear() -> None:
    assert name_identity("Zoë") == {
        "type": "IdentityObject",
        "hashed": False,
        "identityHash": "Zoë",
        "identityType": "name",
    }


def test_email_is_hashed_with_its_salt() -> None:
    identity = email_identity(" Zoe@Example.ORG ", "n4cl")
    assert identity == {
        "type": "IdentityObject",
        "hashed": True,
        "identityHash": "sha256$" + sha256(b"zoe@example.orgn4cl").hexdigest(),
        "identityType": "emailAddress",
        "salt": "n4cl",
    }
    assert "zoe" not in str(identity).lower()


def test_email_is_matched_whatever_its_case() -> None:
    identity = email_identity("zoe@example.org", "n4cl")
    assert matches_email(identity, "ZOE@example.org ") is True
    assert matches_email({**identity, "salt": "other"}, "zoe@example.org") is False
    assert matches_email(identity, "zoe@example.com") is False


@pytest.mark.parametrize(
    "change", [{"salt": 7}, {"identityHash": 7}, {"identityHash": "sha3$00"}, {"identityHash": ""}]
)
def test_what_cannot_be_compared_is_neither_this_person_nor_another(change: dict[str, object]) -> None:
    assert matches_email({**email_identity("zoe@example.org", "n4cl"), **change}, "zoe@example.org") is None


def test_hash_without_salt_is_matched_as_one() -> None:
    # OB 3.0 leaves the salt to the issuer; another's credential may have none.
    identity = {"identityHash": "sha256$" + sha256(b"zoe@example.org").hexdigest()}
    assert matches_email(identity, "zoe@example.org") is True


def test_other_issuers_hashes_are_matched() -> None:
    # The schema's own example; then MD5, and an address hashed as it was written.
    digest = "b5809d8a92f8858436d7e6b87c12ebc0ae1eac4baecc2c0b913aee2c922ef399"
    for stated in (digest, digest.upper()):
        identity = {"hashed": True, "identityHash": f"sha256${stated}", "salt": "Kosher"}
        assert matches_email(identity, "a@example.com") is True
    assert (
        matches_email(
            {"identityHash": "md5$" + md5(b"a@example.com", usedforsecurity=False).hexdigest()}, "A@example.com"
        )
        is True
    )
    written = {"identityHash": "sha256$" + sha256(b"A@example.com").hexdigest()}
    assert matches_email(written, " A@example.com") is True
    assert matches_email(written, "a@example.com") is False


HASHED = email_identity("zoe@example.org", "n4cl")
CLEAR = {"type": "IdentityObject", "hashed": False, "identityHash": "Zoe@Example.org", "identityType": "emailAddress"}
OTHER = email_identity("ana@example.org", "n4cl")
NAME = name_identity("zoe@example.org")


@pytest.mark.parametrize(
    ("subject", "answer"),
    [
        ({"identifier": [NAME, HASHED]}, HolderMatch.MATCHES),
        ({"identifier": [OTHER, CLEAR]}, HolderMatch.MATCHES),
        ({"identifier": HASHED}, HolderMatch.MATCHES),
        ({"id": "MAILTO:zoe@example.org"}, HolderMatch.MATCHES),
        ([{"identifier": [OTHER]}, {"identifier": [HASHED]}], HolderMatch.MATCHES),
        ({"identifier": [NAME, OTHER]}, HolderMatch.DIFFERS),
        ({"id": "mailto:ana@example.org", "identifier": [{**HASHED, "salt": None}]}, HolderMatch.DIFFERS),
        ({"identifier": [NAME]}, HolderMatch.NOT_STATED),
        ({"identifier": [{**HASHED, "salt": None}]}, HolderMatch.NOT_STATED),
        ({"id": 7, "identifier": ["zoe@example.org", 7]}, HolderMatch.NOT_STATED),
        ({}, HolderMatch.NOT_STATED),
        ("zoe@example.org", HolderMatch.NOT_STATED),
        (None, HolderMatch.NOT_STATED),
    ],
)
def test_holder_is_compared_with_every_address_stated(subject: Any, answer: HolderMatch) -> None:
    assert match_holder({"credentialSubject": subject}, " ZOE@example.org") is answer


def test_without_subject_no_holder_is_stated() -> None:
    assert match_holder({}, "zoe@example.org") is HolderMatch.NOT_STATED
