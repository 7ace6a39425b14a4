import csv
import io
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from zipfile import ZipFile

import pytest

from anchor.errors import MalformedError
from registry.errors import ConflictError
from registry.services.emails import EmailLanguage, email_to_holder, parse_languages
from registry.services.files import write_batch
from registry.services.outlets import prepare_outlet
from registry.services.recipient import Recipient
from registry.store.batches import move_batch
from registry.store.engine import Store
from registry.store.records import BatchRecord, BatchState
from tests.support.registry import frame_of, recipients_of, seal

BOTH = parse_languages("both")


def anchored(store: Store, recipients: list[Recipient]) -> BatchRecord:
    batch = seal(store, frame_of(), recipients)
    with store.writing() as connection:
        move_batch(connection, batch, BatchState.ANCHORED, anchored_at=9)
    return batch


def test_an_archive_holds_what_a_folder_would(store: Store, tmp_path: Path) -> None:
    batch = anchored(store, recipients_of(9))
    write_batch(store, batch.id, prepare_outlet(tmp_path / "out"), emails=BOTH)
    index = write_batch(store, batch.id, prepare_outlet(tmp_path / "out.zip"), emails=BOTH)
    assert index == tmp_path / "out.zip" / "index-batch-1.csv"
    assert (tmp_path / "out.zip").stat().st_mode & 0o077 == 0
    with ZipFile(tmp_path / "out.zip") as archive:
        assert archive.testzip() is None
        members = {name: archive.read(name) for name in archive.namelist()}
    folder = {path.relative_to(tmp_path / "out").as_posix(): path for path in (tmp_path / "out").rglob("*.*")}
    assert members.keys() == folder.keys()
    # Messages have a random boundary between their parts.
    same = [name for name in members if not name.endswith(".eml")]
    assert [members[name] for name in same] == [folder[name].read_bytes() for name in same]
    rows = list(csv.DictReader(io.StringIO(members["index-batch-1.csv"].decode("utf-8-sig"))))
    assert len(rows) == 9


def test_no_archive_is_written_over(tmp_path: Path, store: Store) -> None:
    (tmp_path / "out.zip").write_bytes(b"mine")
    with pytest.raises(ConflictError, match="already"):
        prepare_outlet(tmp_path / "out.zip")
    outlet = prepare_outlet(tmp_path / "late.zip")
    (tmp_path / "late.zip").write_bytes(b"mine")
    with pytest.raises(ConflictError, match="File exists"):
        write_batch(store, anchored(store, recipients_of(2)).id, outlet)
    assert (tmp_path / "late.zip").read_bytes() == b"mine"
    assert not list(tmp_path.glob(".late*"))


def test_nothing_is_left_of_an_archive_that_failed(tmp_path: Path, store: Store) -> None:
    batch = seal(store, frame_of(), recipients_of(2))
    with pytest.raises(ConflictError, match="not anchored"):
        write_batch(store, batch.id, prepare_outlet(tmp_path / "out.zip"))
    assert not list(tmp_path.glob("*out.zip*"))
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConflictError, match="no files can be written"):
        prepare_outlet(tmp_path / "file" / "out.zip")


def read(message: bytes) -> EmailMessage:
    parsed = message_from_bytes(message, policy=default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def test_an_email_for_each_holder_who_has_an_address(store: Store, tmp_path: Path) -> None:
    recipients = recipients_of(6)
    batch = anchored(store, recipients)
    write_batch(store, batch.id, prepare_outlet(tmp_path / "out"), emails=BOTH)
    messages = [read(path.read_bytes()) for path in (tmp_path / "out" / "emails").iterdir()]
    assert sorted(each["To"].addresses[0].addr_spec for each in messages) == sorted(
        each.email for each in recipients if each.email
    )
    for each in messages:
        (attached,) = each.iter_attachments()
        name = attached.get_filename()
        assert name is not None
        assert attached.get_content() == (tmp_path / "out" / name).read_bytes()
        body = each.get_body()
        assert body is not None
        text = body.get_content()
        assert "Bonjour Zoé ʔ" in text
        assert "Dear Zoé ʔ" in text
        assert name in text
        assert each["X-Unsent"] == "1"
        assert each["Subject"] == (
            "Votre attestation : Littératie des données / Your credential: Littératie des données"
        )


CONTENT = b'{"name": "Data\\nliteracy", "issuer": {"name": "Borealis {name} College"}}'


def test_one_language() -> None:
    message = read(email_to_holder(CONTENT, "1.json", "Ana", "ana@example.org", (EmailLanguage.ENGLISH,)))
    body = message.get_body()
    assert body is not None
    assert "Bonjour" not in body.get_content()
    assert "Borealis {name} College has issued" in body.get_content()


@pytest.mark.parametrize(
    ("name", "email"),
    [
        ('Zoé "Zo" O\'Brien, Jr.', "zoe+x@example.org"),
        ("ᐊᓇ ᐃᓄᒃ", "ana@example.org"),
        ("A", "o'b.rien_1@sub.example.org"),
        ("Ana <x@evil.example>", "ana@example.org"),
    ],
)
def test_names_and_addresses_come_through(name: str, email: str) -> None:
    message = read(email_to_holder(CONTENT, "1.json", name, email, BOTH))
    (address,) = message["To"].addresses
    assert (address.display_name, address.addr_spec) == (name, email)
    assert "\n" not in message["Subject"]


def test_an_address_beyond_ascii_stands_there_in_utf8() -> None:
    """RFC 6532."""
    message = email_to_holder(CONTENT, "1.json", "ᐊᓇ", "añã@exämple.org", BOTH)
    assert "To: ᐊᓇ <añã@exämple.org>\r\n".encode() in message


def test_languages_there_are() -> None:
    assert parse_languages(None) == ()
    with pytest.raises(MalformedError) as caught:
        parse_languages("de")
    assert "en, fr, both" in caught.value.advice
