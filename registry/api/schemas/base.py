"""What all documents of the API have in common."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Hash = Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$", examples=["0x" + "5f" * 32])]
"""32 bytes."""
Account = Annotated[str, Field(pattern=r"^0x[0-9a-f]{40}$", examples=["0x5fbdb2315678afecb367f032d93f642f64180aa3"])]
"""An address on the ledger."""
Seconds = Annotated[int, Field(description="Unix seconds.", examples=[1790000000])]
CredentialId = Annotated[str, Field(pattern="^urn:uuid:", examples=["urn:uuid:6a4f0f4e-6c4e-4f0e-9d1b-0d3c5a0f9b11"])]


REGISTRY_EXAMPLE: Final = "eip155:31337:0x5fbdb2315678afecb367f032d93f642f64180aa3"
RegistryText = Annotated[str, Field(description="CAIP-10.", examples=[REGISTRY_EXAMPLE])]
"""A registry on the ledger."""


class Document(BaseModel):
    """A JSON object whose members are in camel case."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Asked(Document):
    """What a client sends: a member that nobody knows is refused, for it would be passed over in silence."""

    model_config = ConfigDict(extra="forbid")


class Page(Document):
    """A part of a list."""

    next: str | None = Field(
        description="Give it as `cursor` for what follows; null: this is the end.", examples=["7.249"]
    )
