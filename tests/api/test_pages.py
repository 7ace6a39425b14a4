"""Learners' pages: shown to whoever knows the address; the institution renews and withdraws them."""

from __future__ import annotations

from typing import Any

from tests.api.town import Resident, Town


def page_url(town: Town, resident: Resident | None = None, number: int = 0) -> str:
    """The path of a credential's page."""
    here = resident or town.here
    key = {"Authorization": f"Bearer {here.keys['read']}"}
    answer = town.client.get(f"/v1/credentials/{here.credentials()[number].uuid}/page", headers=key)
    assert answer.status_code == 200
    return str(answer.json()["url"]).removeprefix("https://credentials.college.example")


def change(town: Town, method: str, number: int = 0, **headers: str) -> Any:
    path = f"/v1/credentials/{town.here.credentials()[number].uuid}/page"
    return town.client.request(method, path, headers={"Authorization": f"Bearer {town.here.keys['issue']}", **headers})


def test_a_page_shows_one_credential_and_gives_its_files(town: Town) -> None:
    path, credential = page_url(town), town.here.credentials()[0]
    answer = town.client.get(path, headers={"Accept-Language": "fr-CA,en;q=0.5"})
    assert (answer.status_code, answer.headers["content-language"]) == (200, "fr")
    assert credential.recipient_name in answer.text
    assert "Valide" in answer.text
    others = [each.recipient_name for each in town.here.credentials() if each != credential]
    assert not any(name in answer.text for name in others)
    assert not any(secret in answer.text for secret in town.there.secrets())
    file = town.client.get(f"{path}/credential.json")
    assert file.json()["id"] == credential.uuid.urn
    assert file.headers["content-disposition"] == 'attachment; filename="litteratie-des-donnees.json"'
    bundle = town.client.get(f"{path}/bundle.json")
    assert bundle.json()["format"].startswith("credanchor/bundle@")
    verdict = town.client.post("/v1/verify", content=bundle.content, headers={"Content-Type": "application/json"})
    assert verdict.json()["counts"]["valid"] == 1
