"""Files that a command signs: the key first, so that no work is lost; then the file, never over another one."""

from __future__ import annotations

from pathlib import Path

from anchor.cli.signing_keys import open_signer
from anchor.did_key import Ed25519Key
from anchor.errors import MalformedError
from anchor.ledger.files import PUBLIC, write_new


def key_for(path: Path | None, key_file: Path | None, passphrase_file: Path | None, what: str) -> Ed25519Key | None:
    """Unlock the key for a file that shall be signed, if one is wanted; None if not.

    Args:
        path: Where it shall be written.
        key_file: Of who signs.
        passphrase_file: Holds the key's passphrase; None: the environment does, or it is asked for.
        what: What is signed, which is also the name of the option: `receipt`, `statement`.

    Raises:
        MalformedError: There is a file without a key, or the other way round, or such a file already.
        KeyUnavailableError: The key cannot be used.
    """
    if path is None and key_file is None:
        return None
    if path is None or key_file is None:
        raise MalformedError(
            f"--{what} and --sign-with belong together: a {what} that nobody signs proves nothing",
            advice=f"Give both: --{what} FILE --sign-with KEYFILE. A key is made with credanchor signer new.",
        )
    if path.exists():
        raise _exists(path, what)
    return open_signer(key_file, passphrase_file)


def write_signed(path: Path, data: bytes, what: str) -> None:
    """Write a signed file.

    Raises:
        MalformedError: It cannot be written, or there is such a file.
    """
    try:
        write_new(path, data, mode=PUBLIC)
    except FileExistsError as error:
        raise _exists(path, what) from error
    except OSError as error:
        raise MalformedError(f"the {what} {path} cannot be written: {error.strerror}") from error


def _exists(path: Path, what: str) -> MalformedError:
    return MalformedError(f"there is a file {path} already", advice=f"Choose another name for the {what}.")
