"""Commands against a real chain: files on disk, a policy, and the program run in this process."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from anchor.policy import policy_to_text
from tests.ledger.chain import ANCHOR_KEY, DID, Chain
from tests.ledger.conftest import chain, session_chain
from tests.support.issuing import make_batch
from tests.support.program import Program

__all__ = ["chain", "session_chain"]

NAMES = ["Zoë Tremblay", "ᐊᓇ ᐃᓄᒃ", "Nguyễn Thị Hoa", "O'Brien-Łukasz", "محمد"]


@dataclass(kw_only=True)
class Desk(Program):
    """A verifier's folder: a policy and a batch of credential files."""

    folder: Path
    chain: Chain
    files: list[Path] = field(default_factory=list)

    def write(self, name: str, content: bytes | dict[str, Any]) -> Path:
        path = self.folder / name
        data = content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode()
        path.write_bytes(data)
        return path

    def write_policy(self, **changes: Any) -> Path:
        policy = self.chain.policy(**{"nodes": (self.chain.url,), **changes})
        return self.write("policy.json", policy_to_text(policy).encode())


@pytest.fixture
def desk(chain: Chain, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk(folder=tmp_path, chain=chain, capsys=capsys)
    monkeypatch.setenv("CREDANCHOR_HOME", str(tmp_path))
    root, documents = make_batch(chain.registry, chain.issuer_id, DID, NAMES)
    call = chain.contract.anchor(issuer_id=chain.issuer_id, root=root, size=len(documents))
    chain.execute(ANCHOR_KEY, call)
    (tmp_path / "badges").mkdir()
    desk.files = [desk.write(f"badges/{index}.json", document) for index, document in enumerate(documents)]
    desk.write_policy()
    return desk
