"""Issues credentials with cert-issuer (Blockcerts) on its mock chain: blockcerts.py CREDENTIALS.json, in .venv-peers.

Its in-memory handlers, those of its web service, which write no files: the others need glob2 0.6, which no Python from
3.11 on can run. Everything else is its own: checks, JSON-LD canonical form, tree, MerkleProof2019. Its log is turned
off. It needs no network: the contexts that the credentials name come with it.
"""

import json
import logging
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from cert_issuer.blockchain_handlers import bitcoin
from cert_issuer.config import get_config
from cert_issuer.issue_certificates import issue


def main(credentials_file: Path) -> None:
    logging.disable(logging.CRITICAL)
    credentials = json.loads(credentials_file.read_bytes())
    with tempfile.TemporaryDirectory() as folder:
        # It reads a key, with which the mock chain does nothing.
        Path(folder, "key").write_text("none", encoding="utf-8")
        # It takes its settings from the command line.
        settings = {
            "--usb_name": folder,
            "--key_file": "key",
            "--chain": "mockchain",
            "--verification_method": "did:web:college.example#key",
        }
        sys.argv[1:] = ["--no_safe_mode", *(word for pair in settings.items() for word in pair)]
        config = get_config()
        batch, transactions, _ = bitcoin.instantiate_blockchain_handlers(config, file_mode=False)
        batch.set_certificates_in_batch(credentials)
        started, started_cpu = time.perf_counter(), time.process_time()
        issue(config, batch, transactions)
        seconds, cpu = time.perf_counter() - started, time.process_time() - started_cpu
    proven = sum(credential["proof"]["cryptosuite"] == "merkle-proof-2019" for credential in batch.proof)
    if proven != len(credentials):
        sys.exit(f"{proven} of {len(credentials)} credentials have a proof")
    print(json.dumps({"version": version("cert-issuer"), "count": proven, "seconds": seconds, "cpu": cpu}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
