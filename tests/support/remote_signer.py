"""A stand-in for web3signer: its execution-layer API over HTTP, for the keys it is given; it may be made to lie."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount

from anchor.ledger.signers import RemoteKey
from anchor.model import address, parse_hex

_INVALID_PARAMS = {"code": -32602, "message": "Invalid params"}
_NOT_UNLOCKED = {"code": -32000, "message": "From address does not match an available account"}


@dataclass(kw_only=True)
class StandIn:
    accounts: dict[str, LocalAccount]
    chain_id: int
    asked: list[str] = field(default_factory=list)
    spoil: Callable[[dict[str, Any]], object] = lambda _fields: None
    """Changes the fields of a transaction, or the message, before it is signed."""
    answer: Callable[[Any], Any] = lambda result: result
    """Changes what is answered."""
    url: str = ""

    def key(self, account: LocalAccount) -> RemoteKey:
        return RemoteKey(url=self.url, address=address(parse_hex(account.address)))

    def reference(self, account: LocalAccount) -> str:
        """As settings and --key have it."""
        return f"{self.url}#{account.address.lower()}"

    def result(self, method: str, params: list[Any]) -> dict[str, Any]:
        self.asked.append(method)
        if method == "eth_signTransaction":
            return self._transaction(*params)
        if method == "eth_signTypedData":
            return self._typed_data(*params)
        return {"error": {"code": -32601, "message": "Method not found"}}

    def _transaction(self, asked: dict[str, str]) -> dict[str, Any]:
        if asked["from"] not in self.accounts:
            return {"error": _NOT_UNLOCKED}
        numbers = ("nonce", "gas", "maxFeePerGas", "maxPriorityFeePerGas", "value")
        fields: dict[str, Any] = {name: int(asked[name], 16) for name in numbers}
        fields |= {"type": 2, "chainId": self.chain_id, "data": asked["data"]}
        if "to" in asked:
            fields["to"] = parse_hex(asked["to"])
        self.spoil(fields)
        return {
            "result": self.answer(self.accounts[asked["from"]].sign_transaction(fields).raw_transaction.to_0x_hex())
        }

    def _typed_data(self, key: str, text: object) -> dict[str, Any]:
        if not isinstance(text, str):
            return {"error": _INVALID_PARAMS}
        if key not in self.accounts:
            return {"error": _NOT_UNLOCKED}
        message = json.loads(text)
        self.spoil(message["message"])
        signed = self.accounts[key].sign_message(encode_typed_data(full_message=message))
        return {"result": self.answer(signed.signature.to_0x_hex())}


@contextmanager
def stand_in(*secrets: str | bytes, chain_id: int = 31337) -> Iterator[StandIn]:
    """Run a signer that holds these keys."""
    accounts = {each.address.lower(): each for each in map(Account.from_key, secrets)}
    signer = StandIn(accounts=accounts, chain_id=chain_id)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            content = {"jsonrpc": "2.0", "id": request["id"], **signer.result(request["method"], request["params"])}
            body = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    signer.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield signer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
