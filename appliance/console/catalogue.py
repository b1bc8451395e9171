"""The languages' catalogues: collect the sentences, compile them the same way every time.

    python -m appliance.console.catalogue            collects and compiles
    python -m appliance.console.catalogue --check    says what is missing or stale, changes nothing

English stands in the code itself and needs no catalogue. The compiled files are kept beside the
sources, so that a device needs no compiler.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOMS = ("console", "compliance", "barrier")
FOLDER = Path(__file__).parent / "translations"
LANGUAGES = ("es",)
_NO_DAY = datetime(2026, 1, 1, tzinfo=UTC)
"""A date would make each compilation another file."""
_HEAD = "# The console's words. Collected by appliance.console.catalogue; translated by hand."
_KEYWORDS = {"_": None, "gettext": None, "say": None, "_l": None, "_n": (1, 2),
             "ngettext": (1, 2)}
_METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]


def main(arguments: list[str]) -> int:
    if "--check" in arguments:
        wrong = list(troubles())
        print("\n".join(wrong) or "every sentence is said in every language")
        return 1 if wrong else 0
    found = collected()
    for language in LANGUAGES:
        catalogue = read(language)
        catalogue.update(found, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        write(language, catalogue)
    return 0


def collected() -> Catalog:
    """Every sentence of the code and the templates, sorted."""
    found = Catalog(project="postern", charset="utf-8")
    for room in ROOMS:
        folder = Path(__file__).parent.parent / room
        for file, _line, message, _comments, context in extract_from_dir(
                folder, _METHODS, {"**/templates/**.html": {"silent": "false"}}, _KEYWORDS):
            found.add(message, locations=[(f"{room}/{file}", 0)], context=context)
    return found


def read(language: str) -> Catalog:
    path = FOLDER / language / "LC_MESSAGES" / "messages.po"
    if not path.exists():
        return Catalog(locale=language, project="postern", charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=language)


def write(language: str, catalogue: Catalog) -> None:
    """Source and compiled form, without dates: the same catalogue is the same bytes."""
    folder = FOLDER / language / "LC_MESSAGES"
    folder.mkdir(parents=True, exist_ok=True)
    catalogue.header_comment, catalogue.fuzzy = _HEAD, False
    kept = io.BytesIO()
    write_po(kept, catalogue, width=100, sort_output=True, omit_header=False, no_location=True)
    lines = [line for line in kept.getvalue().decode().splitlines()
             if not line.startswith(('"POT-Creation-Date', '"PO-Revision-Date', '"Generated-By',
                                     '"Last-Translator', '"Report-Msgid'))]
    (folder / "messages.po").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "messages.mo").write_bytes(compiled(language))


def compiled(language: str) -> bytes:
    """The catalogue's compiled bytes, from its source as it stands."""
    catalogue, kept = read(language), io.BytesIO()
    catalogue.creation_date = catalogue.revision_date = _NO_DAY
    write_mo(kept, catalogue)
    return kept.getvalue()


def troubles() -> Iterator[str]:
    """Sentences without Spanish, sentences nobody says any more, compiled files that are stale."""
    found, spanish = collected(), read("es")
    for message in found:
        if not message.id:
            continue
        said = spanish.get(message.id)
        strings = said.string if said and isinstance(said.string, tuple | list) else (
            [said.string] if said else [])
        if not said or not strings or not all(strings):
            yield f"es lacks: {message.id}"
    for message in spanish:
        if message.id and found.get(message.id) is None:
            yield f"es holds what nobody says: {message.id}"
    for language in LANGUAGES:
        path = FOLDER / language / "LC_MESSAGES" / "messages.mo"
        if not path.exists() or path.read_bytes() != compiled(language):
            yield f"{language} is not compiled from its source"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
