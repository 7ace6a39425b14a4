"""Documents that others define, as the OpenAPI document shows them: shortened, and nobody's."""

from __future__ import annotations

from typing import Any, Final

_STATUS_LIST: Final = "https://credentials.college.example/status/1/1/revocation"
ANCHOR_PROOF: Final[dict[str, Any]] = {
    "type": "DataIntegrityProof",
    "cryptosuite": "merkle-eip155-jcs-2026",
    "proofPurpose": "assertionMethod",
    "verificationMethod": "did:pkh:eip155:31337:0x5fbdb2315678afecb367f032d93f642f64180aa3#issuer-1",
    "proofValue": "u…",
}
CREDENTIAL: Final[dict[str, Any]] = {
    "@context": ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
    "id": "urn:uuid:6a4f0f4e-6c4e-4f0e-9d1b-0d3c5a0f9b11",
    "type": ["VerifiableCredential", "OpenBadgeCredential"],
    "name": "Data literacy",
    "proof": [ANCHOR_PROOF],
}
BUNDLE: Final[dict[str, Any]] = {"format": "credanchor/bundle@v1", "credentials": [CREDENTIAL]}
STATUS_LIST: Final[dict[str, Any]] = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "id": _STATUS_LIST,
    "type": ["VerifiableCredential", "BitstringStatusListCredential"],
    "issuer": "did:web:college.example",
    "credentialSubject": {
        "id": f"{_STATUS_LIST}#list",
        "type": "BitstringStatusList",
        "statusPurpose": "revocation",
        "encodedList": "uH4sIA…",
    },
}
