import json
import stat
from pathlib import Path

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from anchor.errors import KeyUnavailableError, MalformedError
from anchor.ledger.contract import KeyConsent
from anchor.ledger.keys import KeyStore, Signer
from anchor.model import KeyScope, RegistryId, address, to_hex

SECRET = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
ADDRESS = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
PASSPHRASE = "Ordinateur gelé №5"
REGISTRY = RegistryId.parse("eip155:31337:0x5fbdb2315678afecb367f032d93f642f64180aa3")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> KeyStore:
    """A store with one key; making one takes most of a second, for scrypt is meant to be slow."""
    store = KeyStore(tmp_path_factory.mktemp("home") / "keys")
    assert to_hex(store.import_key("college", SECRET, PASSPHRASE).address) == ADDRESS
    return store


def file_of(store: KeyStore) -> Path:
    (stored,) = (path for path in store._folder.iterdir() if path.stem == "college")
    return stored


def test_a_key_opens_with_its_passphrase_and_no_other(store: KeyStore) -> None:
    signer = store.open("college", PASSPHRASE)
    assert to_hex(signer.address) == ADDRESS
    with pytest.raises(KeyUnavailableError, match="does not open the key college") as refused:
        store.open("college", "Ordinateur")
    assert refused.value.__cause__ is None
    assert "Ordinateur" not in refused.value.diagnostics()


def test_a_key_file_is_private_strong_and_standard(store: KeyStore) -> None:
    path = file_of(store)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [each.name for each in path.parent.iterdir()] == ["college.json"], "no draft is left"
    content = json.loads(path.read_text())
    assert content["version"] == 3
    assert content["crypto"]["kdf"] == "scrypt"
    parameters = content["crypto"]["kdfparams"]
    assert (parameters["n"], parameters["r"], parameters["p"]) == (2**18, 8, 1)
    assert SECRET.hex() not in path.read_text()


def test_the_environment_cannot_weaken_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Account, "_default_kdf", "pbkdf2")
    KeyStore(tmp_path).create("new", PASSPHRASE)
    assert json.loads((tmp_path / "new.json").read_text())["crypto"]["kdf"] == "scrypt"


def test_an_existing_key_is_never_overwritten(store: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    before = file_of(store).read_bytes()
    with pytest.raises(KeyUnavailableError, match="there is a key college already"):
        store.create("college", PASSPHRASE)
    # And not when another process makes one of the same name just then.
    monkeypatch.setattr(Path, "exists", lambda _path: False)
    with pytest.raises(KeyUnavailableError, match="there is a key college already"):
        store.create("college", PASSPHRASE)
    assert file_of(store).read_bytes() == before


def test_keys_are_listed_by_name_and_other_files_passed_over(store: KeyStore) -> None:
    folder = file_of(store).parent
    strays = {"a": "{", "b": "[]", "c": '{"address": "0x12"}', "not a name": "{}", "d": "[" * 4000}
    for name, text in strays.items():
        (folder / f"{name}.json").write_text(text)
    try:
        assert [(key.name, to_hex(key.address)) for key in store.list()] == [("college", ADDRESS)]
    finally:
        for name in strays:
            (folder / f"{name}.json").unlink()
    assert KeyStore(folder / "absent").list() == ()


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a" * 65, "é", "a b", "-x", "x\n"])
def test_a_name_that_is_no_file_name_is_malformed(store: KeyStore, name: str) -> None:
    for act in (lambda: store.open(name, PASSPHRASE), lambda: store.create(name, PASSPHRASE)):
        with pytest.raises(MalformedError):
            act()


def test_a_key_that_is_absent_or_empty_words_are_named(store: KeyStore, tmp_path: Path) -> None:
    with pytest.raises(KeyUnavailableError, match="there is no key absent") as failed:
        store.open("absent", PASSPHRASE)
    assert "settings.toml" in failed.value.advice
    with pytest.raises(KeyUnavailableError, match="needs a passphrase"):
        store.create("other", "")
    with pytest.raises(KeyUnavailableError, match="no private key") as refused:
        store.import_key("other", bytes(32), PASSPHRASE)
    assert refused.value.__cause__ is None
    (tmp_path / "file").write_text("")
    with pytest.raises(KeyUnavailableError, match="cannot be written"):
        KeyStore(tmp_path / "file").create("x", PASSPHRASE)
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(KeyUnavailableError, match="cannot be read"):
        KeyStore(tmp_path).open("folder", PASSPHRASE)


def test_a_damaged_file_is_told_from_a_wrong_passphrase(store: KeyStore, tmp_path: Path) -> None:
    content = json.loads(file_of(store).read_text())
    damaged = {
        "version": content | {"version": 4},
        "kdf": content | {"crypto": content["crypto"] | {"kdf": "plain"}},
        "crypto": {"address": content["address"], "version": 3},
        "hex": content | {"crypto": content["crypto"] | {"ciphertext": "zz"}},
        "list": content | {"crypto": []},
        "address": content | {"address": "11" * 20},
        "none": {"version": 3, "crypto": content["crypto"]},
    }
    for name, value in damaged.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(value))
        with pytest.raises(KeyUnavailableError, match="is damaged"):
            KeyStore(tmp_path).open(name, PASSPHRASE)


def test_a_signer_shows_its_address_only(store: KeyStore) -> None:
    signer = Signer(Account.from_key(SECRET))
    assert repr(signer) == f"Signer({ADDRESS})"


def test_a_consent_is_signed_for_one_registry_and_one_key_only() -> None:
    signer = Signer(Account.from_key(SECRET))
    consent = KeyConsent(
        issuer_id=7, key=signer.address, scope=KeyScope.STATUS, status_epoch=2, valid_from=0, deadline=2**40 - 1
    )
    signature = signer.sign_key_consent(REGISTRY, consent)

    # The whole message, written out as the contract's typehash has it.
    fields = [("issuer", "uint32"), ("key", "address"), ("scope", "uint8")]
    fields += [("statusEpoch", "uint16"), ("validFrom", "uint40"), ("deadline", "uint40")]
    domain_fields = [
        ("name", "string"),
        ("version", "string"),
        ("chainId", "uint256"),
        ("verifyingContract", "address"),
    ]
    message = {
        "types": {
            "EIP712Domain": [{"name": name, "type": kind} for name, kind in domain_fields],
            "KeyConsent": [{"name": name, "type": kind} for name, kind in fields],
        },
        "primaryType": "KeyConsent",
        "domain": {
            "name": "credanchor",
            "version": "1",
            "chainId": 31337,
            "verifyingContract": to_hex(REGISTRY.address),
        },
        "message": {
            "issuer": 7,
            "key": ADDRESS,
            "scope": 2,
            "statusEpoch": 2,
            "validFrom": 0,
            "deadline": 2**40 - 1,
        },
    }
    signed = encode_typed_data(full_message=message)
    assert Account.recover_message(signed, signature=signature).lower() == ADDRESS

    other = KeyConsent(
        issuer_id=7, key=address(b"\x01" * 20), scope=KeyScope.STATUS, status_epoch=2, valid_from=0, deadline=1
    )
    with pytest.raises(KeyUnavailableError, match="cannot consent"):
        signer.sign_key_consent(REGISTRY, other)
