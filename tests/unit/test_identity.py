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
    assert identity["identityHash"] == "sha256$" + sha256(b"zoe@example.orgn4cl").hexdigest()
    assert identity["salt"] == "n4cl"
    assert identity["hashed"] is True
    assert "zoe" not in str(identity).lower()


def test_email_is_matched_whatever_its_case() -> None:
    identity = email_identity("zoe@example.org", "n4cl")
    assert matches_email(identity, "ZOE@example.org ")
    assert not matches_email(identity, "zoe@example.com")
    assert not matches_email({**identity, "salt": "other"}, "zoe@example.org")
    assert not matches_email({**identity, "salt": 7}, "zoe@example.org")
    assert not matches_email({}, "zoe@example.org")
