"""API keys: what is known of them, and the one answer that has a secret."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from registry.api.schemas.base import Asked, Document, Page, Seconds
from registry.services.hosting import MAX_LABEL_CHARACTERS
from registry.store.api_keys import ApiKeyRecord

ScopeName = Literal["issue", "status", "read", "admin"]
Prefix = Annotated[
    str, Field(pattern="^[0-9a-f]{16}$", description="Names the key; no secret.", examples=["0f3c5a0f9b11aa02"])
]
Label = Annotated[
    str,
    Field(max_length=MAX_LABEL_CHARACTERS, description="Tells keys apart; nobody's name.", examples=["campus LMS"]),
]
Scopes = Annotated[list[ScopeName], Field(description="None contains another.", examples=[["issue", "read"]])]


class ApiKey(Document):
    """An API key, without its secret."""

    prefix: Prefix
    label: Label
    scopes: Scopes
    created_at: Seconds
    expires_at: Seconds | None = Field(description="Null: never.")
    revoked_at: Seconds | None
    last_used_at: Seconds | None = Field(description="To the minute; null: never.")

    @classmethod
    def of(cls, key: ApiKeyRecord) -> ApiKey:
        """Show a key."""
        return cls(
            prefix=key.prefix,
            label=key.label,
            scopes=_names(key),
            created_at=key.created_at,
            expires_at=key.expires_at,
            revoked_at=key.revoked_at,
            last_used_at=key.last_used_at,
        )


class ApiKeys(Page):
    """The institution's API keys, the oldest first."""

    keys: list[ApiKey]


class NewApiKey(Asked):
    """A key to be made."""

    scopes: Annotated[
        list[ScopeName],
        Field(min_length=1, max_length=4, description="What it is good for.", examples=[["issue", "read"]]),
    ]
    label: Label = ""
    expires_at: Seconds | None = Field(
        default=None,
        ge=0,
        le=2**40,
        description="Unix seconds, no later than the key that asks. Default: as the key that asks.",
    )


class MadeApiKey(Document):
    """A key that was made."""

    key: ApiKey
    secret: str | None = Field(
        description="The whole key, to be sent as `Authorization: Bearer …`. It is given once, and kept nowhere. "
        "Null: the request came before with the same `Idempotency-Key`; if that answer is lost, revoke the key and "
        "make another.",
        examples=["credanchor_0f3c5a0f9b11aa02_" + "x" * 43],
    )


class RevokedApiKey(Document):
    """A key that opens nothing any more."""

    key: ApiKey
    is_own: bool = Field(description="It is the one that asked: this was its last answer.", examples=[False])
    admin_keys_left: int = Field(
        description="Keys with the scope admin that are in force; 0: only the operator can make new keys.", examples=[1]
    )


def _names(key: ApiKeyRecord) -> list[ScopeName]:
    return sorted(scope.value for scope in key.scopes)
