"""E-mails to holders: a message each with the credential attached, ready to be looked at and sent (RFC 5322).

Nothing is sent from here: institutions have their own way of sending, and of seeing what goes out.
"""

from __future__ import annotations

import json
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from enum import StrEnum
from typing import Final

from anchor.errors import MalformedError


class EmailLanguage(StrEnum):
    """Language of an e-mail's text."""

    ENGLISH = "en"
    FRENCH = "fr"


LANGUAGES_BY_NAME: Final = {
    "en": (EmailLanguage.ENGLISH,),
    "fr": (EmailLanguage.FRENCH,),
    "both": (EmailLanguage.FRENCH, EmailLanguage.ENGLISH),
}
"""What a person may ask for."""

_SUBJECTS: Final = {
    EmailLanguage.ENGLISH: "Your credential: {achievement}",
    EmailLanguage.FRENCH: "Votre attestation : {achievement}",
}

_TEXTS: Final = {
    EmailLanguage.ENGLISH: """Dear {name},

{issuer} has issued you a credential: {achievement}.

It is attached as the file {file}. Keep this file: it is yours, and it is all that is needed to show what you have
achieved. You can put it into any wallet for Open Badges 3.0, and send it to employers or other institutions.

Whoever receives it can check, without asking us, that it is genuine, unaltered and still valid. That check goes
through a public ledger, on which neither your name nor your e-mail address stands.

If your name or anything else in it is wrong, please tell us: we will replace it.

{issuer}
""",
    EmailLanguage.FRENCH: """Bonjour {name},

{issuer} vous a délivré une attestation : {achievement}.

Elle est jointe à ce message : c’est le fichier {file}. Conservez-le : il est à vous, et il suffit pour montrer ce que
vous avez accompli. Vous pouvez le déposer dans tout portefeuille compatible avec Open Badges 3.0, et l’envoyer à des
employeurs ou à d’autres établissements.

Toute personne qui le reçoit peut vérifier, sans nous consulter, qu’il est authentique, intact et toujours valide. La
vérification passe par un registre public, où ne figurent ni votre nom ni votre adresse courriel.

Si votre nom ou un autre renseignement est inexact, dites-le-nous : nous remplacerons l’attestation.

{issuer}
""",
}

_BETWEEN: Final = "\n" + "—" * 20 + "\n\n"


def parse_languages(text: str | None) -> tuple[EmailLanguage, ...]:
    """Read which e-mails are asked for; None: none.

    Raises:
        MalformedError: It is none of `LANGUAGES_BY_NAME`.
    """
    if text is None:
        return ()
    try:
        return LANGUAGES_BY_NAME[text]
    except KeyError:
        names = ", ".join(LANGUAGES_BY_NAME)
        raise MalformedError(f"there are no e-mails in {text[:20]!r}", advice=f"Give one of: {names}.") from None


def email_to_holder(
    content: bytes, file_name: str, name: str, email: str, languages: tuple[EmailLanguage, ...]
) -> bytes:
    """Write an e-mail to a credential's holder, with the credential attached.

    Args:
        content: The credential's file.
        file_name: Its name.
        name: The holder's.
        email: The holder's address.
        languages: Of the text, in this order; at least one.
    """
    credential = json.loads(content)
    values = {
        "name": name,
        "issuer": credential["issuer"]["name"],
        # Headers have one line.
        "achievement": " ".join(credential["name"].split()),
        "file": file_name,
    }
    message = EmailMessage(policy=SMTP if email.isascii() else SMTPUTF8)
    username, _, domain = email.strip().rpartition("@")
    message["To"] = Address(name, username, domain)
    message["Subject"] = " / ".join(_SUBJECTS[language].format(**values) for language in languages)
    # Mail programs open it as a draft.
    message["X-Unsent"] = "1"
    message.set_content(_BETWEEN.join(_TEXTS[language].format(**values) for language in languages))
    message.add_attachment(content, maintype="application", subtype="vc+json", filename=file_name)
    return message.as_bytes()
