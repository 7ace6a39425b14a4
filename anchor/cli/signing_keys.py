"""Key files of those who sign receipts and trust lists: Ed25519, encrypted under a passphrase.

    credanchor signer did:key:z6Mk…
    -----BEGIN ENCRYPTED PRIVATE KEY-----        PKCS #8 (RFC 5958, RFC 8410): PBES2 with scrypt and AES-256-CBC
    …

`openssl pkey -in FILE` opens it, too. Upholds: the secret is in no message and in no file but the encrypted one; a
file is 0600 and never overwritten.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from anchor.cli.passphrases import PASSPHRASE_VARIABLE, is_interactive, prompt_hidden, read_passphrase_file
from anchor.did_key import Ed25519Key
from anchor.errors import KeyUnavailableError
from anchor.ledger.files import PRIVATE, write_new

if TYPE_CHECKING:
    from Crypto.IO._PBES import ProtParams

PassphraseFileOption = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        metavar="FILE",
        help="File with the passphrase. Default: $CREDANCHOR_PASSPHRASE, else it is asked for.",
    ),
]

_PROTECTION: Final = "scryptAndAES256-CBC"
_SCRYPT: Final[ProtParams] = {"iteration_count": 2**14, "block_size": 8, "parallelization": 5, "salt_size": 16}
"""As strong as OWASP asks for, in 16 MiB: openssl opens nothing that takes more than 32."""
_MAX_FILE_BYTES: Final = 4096
_NAME: Final = re.compile(r"credanchor signer (did:key:z[1-9A-HJ-NP-Za-km-z]+)\n")
_PEM: Final = re.compile(
    r"-----BEGIN ENCRYPTED PRIVATE KEY-----\n[A-Za-z0-9+/=\n]+\n-----END ENCRYPTED PRIVATE KEY-----"
)


def create_signer(path: Path, passphrase: str) -> str:
    """Make a new key and keep it in a file; give its did:key.

    Raises:
        KeyUnavailableError: There is such a file, it cannot be written, or the passphrase is empty.
    """
    from Crypto.PublicKey import ECC

    if not passphrase:
        raise KeyUnavailableError("a key needs a passphrase", advice="Choose a passphrase.")
    key = ECC.generate(curve="Ed25519")
    did = Ed25519Key(bytes(key.seed)).did
    secret = _in_utf8(passphrase)
    pem = key.export_key(format="PEM", use_pkcs8=True, passphrase=secret, protection=_PROTECTION, prot_params=_SCRYPT)
    try:
        write_new(path, f"credanchor signer {did}\n{pem}\n".encode(), mode=PRIVATE)
    except FileExistsError as error:
        raise KeyUnavailableError(f"there is a file {path} already", advice="Choose another name.") from error
    except OSError as error:
        raise KeyUnavailableError(f"the key file {path} cannot be written: {error.strerror}") from error
    return did


def open_signer(path: Path, passphrase_file: Path | None) -> Ed25519Key:
    """Unlock a key file.

    Args:
        path: The file.
        passphrase_file: Holds the passphrase; None: the environment does, or the person at the keyboard is asked.

    Raises:
        KeyUnavailableError: There is no such file, it is none, or the passphrase does not open it.
    """
    from Crypto.PublicKey import ECC

    text = _read(path)
    pem = _PEM.search(text)
    if pem is None:
        raise _damaged(path)
    passphrase = _in_utf8(get_passphrase(passphrase_file, new=False))
    try:
        key = ECC.import_key(pem[0], passphrase)
    except (ValueError, IndexError, TypeError):
        # Which of the two it is, the library cannot tell. Not chained: the cause may quote what it read.
        raise KeyUnavailableError(
            f"the passphrase does not open the key file {path}, or the file is damaged",
            advice="Try again; nobody can recover a lost passphrase.",
        ) from None
    if key.curve != "Ed25519" or not key.has_private():
        raise KeyUnavailableError(f"the key file {path} holds another kind of key than Ed25519")
    signer = Ed25519Key(bytes(key.seed))
    if (named := _NAME.match(text)) is not None and named[1] != signer.did:
        raise KeyUnavailableError(
            f"the key file {path} says it is {named[1]}, and holds {signer.did}",
            advice="Do not use it: it was changed.",
        )
    return signer


def did_of_file(path: Path, passphrase_file: Path | None) -> str:
    """Give the did:key that a file names, unopened; one that names none is opened.

    Raises:
        KeyUnavailableError: As `open_signer`.
    """
    named = _NAME.match(_read(path))
    return named[1] if named is not None else open_signer(path, passphrase_file).did


def get_passphrase(file: Path | None, *, new: bool) -> str:
    """Get the passphrase of a signer's key: from a file, the environment or the keyboard.

    Raises:
        KeyUnavailableError: The file cannot be read, or nobody is at the keyboard.
    """
    if file is not None:
        return read_passphrase_file(file)
    given = os.environ.get(PASSPHRASE_VARIABLE)
    if given:
        return given
    if not is_interactive():
        raise KeyUnavailableError(
            "the passphrase of the signer's key is needed",
            advice=f"Give it in ${PASSPHRASE_VARIABLE}, or name a file with it: --passphrase-file FILE.",
        )
    return prompt_hidden("Passphrase of the signer's key", twice=new)


def _in_utf8(passphrase: str) -> str:
    """Give a text whose Latin-1 is the passphrase's UTF-8: the library takes Latin-1, other programs UTF-8."""
    return passphrase.encode().decode("latin-1")


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise KeyUnavailableError(
            f"the key file {path} cannot be read: {error.strerror}", advice="Make one: credanchor signer new --out FILE"
        ) from error
    try:
        text = data.decode("ascii").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise _damaged(path) from error
    if len(data) > _MAX_FILE_BYTES:
        raise _damaged(path)
    return text


def _damaged(path: Path) -> KeyUnavailableError:
    return KeyUnavailableError(
        f"{path} is no signer's key file: an encrypted private key in PEM form",
        advice="Make one: credanchor signer new --out FILE",
    )
