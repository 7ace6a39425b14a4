"""Institutions, and what the ledger says of them as issuers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from anchor.errors import MalformedError
from anchor.model import MAX_UINT32, RegistryId, to_hex
from registry.api.schemas.base import REGISTRY_EXAMPLE, Account, Asked, Document, Page, Seconds
from registry.services.hosting import MAX_ADDRESS_CHARACTERS, MAX_DID_CHARACTERS, MAX_NAME_CHARACTERS
from registry.services.issuer_keys import IssuerKey, IssuerStanding
from registry.store.institutions import InstitutionDetails, InstitutionRecord

InstitutionCode = Annotated[str, Field(pattern="^[a-z0-9-]{1,64}$", examples=["riverside"])]
Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME_CHARACTERS, examples=["Collège Boréalis"])]
Did = Annotated[
    str, Field(pattern="^did:[a-z0-9]+:", max_length=MAX_DID_CHARACTERS, examples=["did:web:college.example"])
]
WebAddress = Annotated[
    str, Field(pattern="^https?://", max_length=MAX_ADDRESS_CHARACTERS, examples=["https://college.example/"])
]
RegistryGiven = Annotated[
    str,
    Field(
        description="CAIP-10.",
        pattern="^eip155:[0-9]{1,20}:0x[0-9a-fA-F]{40}$",
        examples=[REGISTRY_EXAMPLE],
    ),
]
IssuerNumber = Annotated[int, Field(ge=1, le=MAX_UINT32, examples=[1])]
Wei = Annotated[str, Field(pattern="^(0|[1-9][0-9]{0,29})$", examples=["50000000000000000"])]


class Institution(Document):
    """An institution of the service."""

    # Shown as it is, also what would not be taken today.
    code: str = Field(examples=["riverside"])
    name: str = Field(examples=["Collège Boréalis"])
    did: str | None = Field(examples=["did:web:college.example"])
    url: str | None = Field(description="Its web site.", examples=["https://college.example/"])
    registry: str | None = Field(description="CAIP-10.", examples=[REGISTRY_EXAMPLE])
    issuer_id: int | None = Field(description="Its number in the registry.", examples=[1])
    public_url: str | None = Field(
        description="Where status lists and learners' pages are shown.",
        examples=["https://credentials.college.example"],
    )
    monthly_gas_budget_wei: str | None = Field(
        description="What its transactions may cost in a calendar month (UTC); null: any amount.",
        examples=["50000000000000000"],
    )
    monthly_gas_spent_wei: str = Field(
        description="What its transactions cost this month; those not mined yet count with their most.",
        examples=["12000000000000000"],
    )
    is_relayed: bool = Field(
        description="Whether its keys only sign, and the operator's account sends and pays.", examples=[False]
    )
    missing: list[Literal["did", "issuerId", "anchorKey", "statusKey"]] = Field(
        description="What must be settled before it can issue; the operator names keys by command.",
        examples=[["anchorKey", "statusKey"]],
    )
    created_at: Seconds
    closed_at: Seconds | None

    @classmethod
    def of(cls, record: InstitutionRecord, details: InstitutionDetails, spent_wei: int) -> Institution:
        """Show an institution."""
        budget = details.monthly_gas_budget_wei
        needed: dict[Literal["did", "issuerId", "anchorKey", "statusKey"], object] = {
            "did": details.did,
            "issuerId": details.issuer_id,
            "anchorKey": details.anchor_key,
            "statusKey": details.status_key,
        }
        return cls(
            code=record.code,
            name=details.name,
            did=details.did,
            url=details.url,
            registry=None if details.registry is None else details.registry.to_text(),
            issuer_id=details.issuer_id,
            public_url=details.public_url,
            monthly_gas_budget_wei=None if budget is None else str(budget),
            monthly_gas_spent_wei=str(spent_wei),
            is_relayed=details.is_relayed,
            missing=[name for name, value in needed.items() if value is None],
            created_at=record.created_at,
            closed_at=record.closed_at,
        )


class Institutions(Page):
    """The institutions that the API key may see."""

    institutions: list[Institution]


class InstitutionChange(Asked):
    """What is said of an institution from now on. What is left out stays; null takes it away.

    An institution changes its `url` itself; everything else is the operator's to say.
    """

    name: Name | None = Field(default=None, description="As people know it; it stands in credentials.")
    did: Did | None = Field(default=None, description="As it was accredited.")
    url: WebAddress | None = Field(default=None, description="Its web site; it stands in credentials.")
    registry: RegistryGiven | None = Field(default=None, description="That accredited it. Default: the service's.")
    issuer_id: IssuerNumber | None = Field(default=None, description="Its number in the registry.")
    public_url: WebAddress | None = Field(
        default=None, description="Where status lists and learners' pages are shown. Default: the service's."
    )
    monthly_gas_budget_wei: Wei | None = Field(
        default=None, description="What its transactions may cost in a calendar month (UTC). Default: any amount."
    )

    def changes(self) -> dict[str, Any]:
        """Give what was said, as members of `InstitutionDetails`.

        Raises:
            MalformedError: The registry is named as none can be, or the name is taken away.
        """
        if self.name is None and "name" in self.model_fields_set:
            raise MalformedError("an institution has a name")
        found = {name: getattr(self, name) for name in self.model_fields_set - {"code"}}
        if found.get("registry") is not None:
            found["registry"] = RegistryId.parse(found["registry"])
        if found.get("monthly_gas_budget_wei") is not None:
            found["monthly_gas_budget_wei"] = int(found["monthly_gas_budget_wei"])
        return found


class NewInstitution(InstitutionChange):
    """An institution that the service is for from now on."""

    code: InstitutionCode = Field(description="By which it is named; it never changes.")
    name: Name = Field(description="As people know it; it stands in credentials.")


class LedgerKey(Document):
    """A key of the institution, and what is proven of it."""

    purpose: Literal["anchor", "status"]
    address: Account
    is_added: bool
    """Whether it is a key of this issuer on the ledger."""
    valid_from: Seconds | None
    valid_until: Seconds | None
    compromised_at: Seconds | None

    @classmethod
    def of(cls, key: IssuerKey, issuer_id: int) -> LedgerKey:
        """Show a key."""
        record = key.record if key.record is not None and key.record.issuer_id == issuer_id else None
        return cls(
            purpose="anchor" if key.scope.name == "ANCHOR" else "status",
            address=to_hex(key.address),
            is_added=record is not None,
            valid_from=None if record is None else record.valid_from,
            valid_until=None if record is None else record.valid_until or None,
            compromised_at=None if record is None else record.compromised_at or None,
        )


class Keys(Document):
    """The institution as an issuer on the ledger, proven at the newest block."""

    issuer_id: int
    controller: Account
    accredited_at: Seconds
    withdrawn_at: Seconds | None
    status_epoch: int
    keys: list[LedgerKey]

    @classmethod
    def of(cls, standing: IssuerStanding) -> Keys:
        """Show how it stands."""
        facts = standing.facts
        return cls(
            issuer_id=facts.issuer_id,
            controller=to_hex(facts.record.controller),
            accredited_at=facts.record.accredited_at,
            withdrawn_at=facts.record.withdrawn_at or None,
            status_epoch=facts.record.status_epoch,
            keys=[LedgerKey.of(key, facts.issuer_id) for key in standing.keys],
        )
