"""Name in clear, e-mail as salted hash (OB 3.0 IdentityObject)."""

from hashlib import sha256

from anchor.identity import email_identity, matches_email, name_identity


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
    for other in ({**identity, "salt": "other"}, {**identity, "salt": 7}, {**identity, "identityHash": 7}, {}):
        assert matches_email(other, "zoe@example.org") is False
    assert matches_email(identity, "zoe@example.com") is False


def test_hash_without_salt_is_matched_as_one() -> None:
    # OB 3.0 leaves the salt to the issuer; another's credential may have none.
    identity = {"identityHash": "sha256$" + sha256(b"zoe@example.org").hexdigest()}
    assert matches_email(identity, "zoe@example.org") is True
