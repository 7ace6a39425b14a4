"""`credanchor achievement new`: asks for what makes a good achievement, and writes it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import uuid4

import typer

from anchor.canonical import MAX_DOCUMENT_BYTES, canonicalize
from anchor.cli.output import JsonFlag, console, error_console, print_json, printable
from anchor.errors import CredanchorError, MalformedError
from registry.cli.achievement_output import FORMAT, check_new_file, print_warnings, write_achievement
from registry.cli.common import problems_reported, read_input
from registry.errors import AchievementFormatError

HELP: Final = """Make an achievement by answering questions. What a flag says is not asked.

Without --out it is printed: questions go to standard error. A text that begins with @ names a file to read it from.
Where nobody is at a terminal, or with --no-questions, --name, --description and --criteria are needed, and nothing is
asked. Ctrl-C ends it at any time, and shows the command that goes on with what was answered.

Exit code: 0 made · 1 stopped, or the file exists · 2 an answer cannot be used, or one is missing.

Examples:

  credanchor achievement new --out achievement.json

  credanchor achievement new --no-questions --name 'Welding, level 1' --description 'Welds steel plates.' --criteria
  @criteria.md --type Course --credits 1.5 --result 'Percent; pass 60' > welding.json
"""

_REQUIRED: Final = ("--name", "--description", "--criteria")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    flag: str
    member: str
    words: str
    read: Callable[[str], Any]
    many: bool = False


@dataclass(kw_only=True)
class _Interview:
    """Takes answers from flags, and asks for the others; keeps all as they were said."""

    given: dict[str, list[str]]
    asking: bool
    said: list[str] = field(default_factory=list)

    def answers(self, questions: tuple[_Question, ...]) -> dict[str, Any]:
        """Give all answers, read, by member; None for nothing.

        Raises:
            MalformedError: A flag's cannot be used. Flags come first: nobody answers ten questions to be told so.
        """
        found = {question.member: self._from_flags(question) for question in questions if self.given[question.flag]}
        if self.asking:
            error_console.print("An answer that begins with @ names a file. Where nothing is to be said, press Enter.")
            found |= {question.member: self._asked(question) for question in questions if question.member not in found}
        answers: dict[str, Any] = {}
        for question in questions:
            one_or_more = found.get(question.member, [])
            answers[question.member] = one_or_more if question.many else next(iter(one_or_more), None)
        return answers

    def _from_flags(self, question: _Question) -> list[Any]:
        try:
            return [self._read(question, text) for text in self.given[question.flag]]
        except MalformedError as error:
            raise MalformedError(f"{question.flag}: {error}", advice=error.advice) from error

    def _asked(self, question: _Question) -> list[Any]:
        answers: list[Any] = []
        while question.many or not answers:
            words = "another one" if answers else question.words
            text = typer.prompt(words, default="", show_default=False, err=True)
            if not text.strip() and question.flag not in _REQUIRED:
                break
            try:
                answers.append(self._read(question, text))
            except MalformedError as error:
                error_console.print(f"  [bold red]✘[/] {printable(f'{error}. {error.advice}'.strip())}")
        return answers

    def _read(self, question: _Question, text: str) -> Any:
        from registry.services.achievement_draft import read_text

        answer = question.read(read_text(text))
        self.said += [question.flag, text]
        return answer


def new(
    name: Annotated[str | None, typer.Option("--name", metavar="TEXT", help="What it is called.")] = None,
    description: Annotated[
        str | None, typer.Option("--description", metavar="TEXT", help="What its holder can do, in two sentences.")
    ] = None,
    criteria: Annotated[
        str | None, typer.Option("--criteria", metavar="TEXT", help="What had to be done, in Markdown; @FILE reads it.")
    ] = None,
    criteria_url: Annotated[
        str | None, typer.Option("--criteria-url", metavar="URL", help="Page that tells the criteria.")
    ] = None,
    language: Annotated[str | None, typer.Option("--language", metavar="TAG", help="Such as en or fr-CA.")] = None,
    kind: Annotated[str | None, typer.Option("--type", metavar="TYPE", help="Of Open Badges 3.0: Course, …")] = None,
    credits_available: Annotated[str | None, typer.Option("--credits", metavar="N", help="Such as 1.5.")] = None,
    tags: Annotated[str | None, typer.Option("--tags", metavar="'A, B'", help="Words to find it by.")] = None,
    align: Annotated[
        list[str] | None,
        typer.Option("--align", metavar="'URL NAME'", help="A skill of ESCO, CASE, CTDL or another. Repeatable."),
    ] = None,
    result: Annotated[
        str | None, typer.Option("--result", metavar="KIND…", help="Result of each learner: 'Percent; pass 60', …")
    ] = None,
    image: Annotated[str | None, typer.Option("--image", metavar="FILE|URL", help="PNG or SVG.")] = None,
    identifier: Annotated[
        str | None, typer.Option("--id", metavar="URI", help="Its id for ever. Default: a new urn:uuid:…")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write it to a new file.")] = None,
    no_questions: Annotated[bool, typer.Option("--no-questions", help="Ask nothing.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Make an achievement by answering questions. What a flag says is not asked."""
    from registry.services.achievement_draft import make_achievement

    single = {
        "--name": name,
        "--description": description,
        "--criteria": criteria,
        "--criteria-url": criteria_url,
        "--language": language,
        "--type": kind,
        "--credits": credits_available,
        "--tags": tags,
        "--result": result,
        "--image": image,
    }
    given = {flag: [] if text is None else [text] for flag, text in single.items()} | {"--align": align or []}
    asking = sys.stdin.isatty() and not no_questions
    missing = [flag for flag in _REQUIRED if not given[flag]]
    if missing and not asking:
        raise MalformedError(
            "there is nobody to ask" if not no_questions else "not everything that is needed was said",
            advice=f"Give {', '.join(missing)}, or run it at a terminal.",
        )
    if out is not None:
        check_new_file(out)
    interview = _Interview(given=given, asking=asking)
    kept = [*(["--id", identifier] if identifier else []), *(["--out", str(out)] if out else [])]
    try:
        value = make_achievement(identifier or f"urn:uuid:{uuid4()}", interview.answers(_questions()))
    except (typer.Abort, KeyboardInterrupt) as stop:
        error_console.print("\n[bold yellow]![/] stopped: nothing was written")
        if interview.said:
            error_console.print(f"  {printable(_go_on([*interview.said, *kept]))}")
        raise typer.Exit(1) from stop
    with problems_reported(as_json=as_json):
        try:
            _finish(value, out, as_json=as_json)
        except CredanchorError as error:
            if asking:
                error.advise(_go_on([*interview.said, *kept]))
            raise


def _finish(value: dict[str, Any], out: Path | None, *, as_json: bool) -> None:
    from registry.services.achievement import review_achievement

    review = review_achievement(canonicalize(value))
    if review.problems:
        raise AchievementFormatError(
            "these answers make no good achievement",
            review.problems,
            advice="Nothing was written: change what is named below.",
        )
    if out is not None:
        write_achievement(out, value)
    if as_json:
        file = None if out is None else str(out)
        print_json({"format": FORMAT, "file": file, "achievement": value})
        return
    print_warnings(review)
    if out is None:
        # As the file that it may be piped into.
        print_json(value)
        return
    path = printable(str(out))
    console.print(f"[bold green]✔[/] {printable(review.name)}: written to {path}")
    console.print(f"  to keep it under a code: credanchor achievement add {path}")


def _questions() -> tuple[_Question, ...]:
    from registry.services import achievement_draft as draft

    def text(answer: str) -> str:
        if not answer.startswith("@"):
            return answer
        try:
            return draft.read_text(_file(answer[1:]).decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise MalformedError("the file is no text in UTF-8", advice="Save it as UTF-8.") from error

    def result(answer: str) -> list[dict[str, Any]]:
        return [draft.read_result(answer, lambda: f"urn:uuid:{uuid4()}")]

    def image(answer: str) -> dict[str, Any]:
        return draft.read_image(answer, _file)

    kinds = "its type: Course, MicroCredential, Assessment, Membership …"
    align = "a skill that it leads to: address, space, name (ESCO, CASE, CTDL or another)"
    return (
        _Question(flag="--name", member="name", words="its name", read=draft.read_required),
        _Question(
            flag="--description",
            member="description",
            words="what its holder can do",
            read=lambda answer: draft.read_required(text(answer)),
        ),
        _Question(
            flag="--criteria",
            member="narrative",
            words="what had to be done for it",
            read=lambda answer: draft.read_required(text(answer)),
        ),
        _Question(flag="--criteria-url", member="criteriaUrl", words="a page that tells it", read=draft.read_address),
        _Question(flag="--language", member="inLanguage", words="its language, such as en", read=draft.read_language),
        _Question(flag="--type", member="achievementType", words=kinds, read=draft.read_kind),
        _Question(flag="--credits", member="creditsAvailable", words="its credits", read=draft.read_credits),
        _Question(flag="--tags", member="tag", words="words to find it by, with commas", read=draft.read_list),
        _Question(flag="--align", member="alignment", words=align, read=draft.read_alignment, many=True),
        _Question(
            flag="--result",
            member="resultDescription",
            words=f"the result that each learner has, {draft.RESULT_HELP}",
            read=result,
        ),
        _Question(flag="--image", member="image", words="its image: a file or an address", read=image),
    )


def _file(name: str) -> bytes:
    return read_input(Path(name).expanduser(), "the file", MAX_DOCUMENT_BYTES)


def _go_on(said: list[str]) -> str:
    return f"To go on with what you answered: {shlex.join(['credanchor', 'achievement', 'new', *said])}"
