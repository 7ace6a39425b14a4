"""Documentation and settings of the service say the same."""

import json
import re
from pathlib import Path

import pytest

from registry.errors import SettingsError
from registry.settings import DraftSettings, ServiceSettings, complete_settings, load_draft
from tests.docs.documents import read


def test_every_setting_is_documented_with_its_default() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(.*)` \| (.+) \|$", read("docs/api/settings.md"), re.MULTILINE)
    documented = {name: json.loads(default) for name, default, _ in rows}
    fields = dict(ServiceSettings.model_fields)
    fields |= {name: DraftSettings.model_fields[name] for name in ("max_fee_gwei", "raise_fees_seconds", "relayed")}
    assert documented == {name: field.default for name, field in fields.items()}


def home_with(folder: Path, text: str) -> Path:
    (folder / "settings.toml").write_text(f'rpc_url = "http://127.0.0.1:8545"\n{text}')
    return folder


def test_table_is_read_and_the_environment_goes_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home_with(tmp_path, "[service]\nport = 9000\nhsts_seconds = 7\n")
    monkeypatch.setenv("CREDANCHOR_SERVICE__PORT", "9001")
    service = load_draft(tmp_path).service
    assert (service.port, service.hsts_seconds, service.host) == (9001, 7, "127.0.0.1")


@pytest.mark.parametrize("line", ["prot = 1", "port = 70000", "max_body_bytes = 1", "request_seconds = 0"])
def test_wrong_setting_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(SettingsError, match=rf"service\.{line.split(maxsplit=1)[0]}"):
        load_draft(home_with(tmp_path, f"[service]\n{line}\n"))


def test_setting_added_by_a_command_stands_before_the_table(tmp_path: Path) -> None:
    complete_settings(home_with(tmp_path, "[service]\nport = 9000\n"), {"issuer_id": 7})
    settings = load_draft(tmp_path)
    assert (settings.issuer_id, settings.service.port) == (7, 9000)
