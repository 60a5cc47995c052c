"""Write what the documents take from the code: tables, ``.env.example``, the pages of tools, settings, clients and errors, the
contracts, and ``llms.txt``. The answers on the tools' pages come from a run on the demo's database.

Run it from the project's root after changing a setting, a tool or a page: ``python docs/generate.py``. With ``--quick`` the answers of
the last run are used again. Tests hold the files equal.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

from _generate import (  # noqa: E402 - the path must be set before
    clients_page,
    contracts,
    errors_page,
    llms,
    recording,
    settings_page,
    tool_pages,
)
from _generate.tables import drivers_markdown, env_example, settings_markdown, tools_markdown  # noqa: E402
from feature_list import features_markdown  # noqa: E402

DOCS = ROOT / "docs"


def with_table(markdown: str, name: str, table: str, *, marker: str = "<!-- {} -->") -> str:
    """A document with the table between its two markers brought up to date; without markers it stays as it is."""
    begin, end = marker.format(f"{name}:begin"), marker.format(f"{name}:end")
    before, found, rest = markdown.partition(begin)
    _, found_end, after = rest.partition(end)
    return f"{before}{begin}\n{table}\n{end}{after}" if found and found_end else markdown


def with_tables(markdown: str) -> str:
    """README with its tables brought up to date."""
    return with_table(with_table(markdown, "settings", settings_markdown()), "tools", tools_markdown(folder="docs/tools/"))


def files() -> dict[Path, str]:
    """All files that are made, with what belongs into them; those made of other documents come last."""
    answers = recording.kept()
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    found = {
        ROOT / "mkdocs.yml": with_table(navigation, "nav", tool_pages.navigation(), marker="# {}"),
        ROOT / ".env.example": env_example(),
        ROOT / "README.md": with_tables((ROOT / "README.md").read_text(encoding="utf-8")),
        DOCS / "installing.md": with_table((DOCS / "installing.md").read_text(encoding="utf-8"), "drivers", drivers_markdown()),
        DOCS / "features.md": features_markdown(),
        DOCS / "settings.md": settings_page.page(),
        DOCS / "clients.md": clients_page.page(),
        DOCS / "troubleshooting.md": errors_page.page(answers),
    }
    found |= {DOCS / "tools" / name: text for name, text in tool_pages.pages(answers).items()}
    found |= {DOCS / "contracts" / name: text for name, text in contracts.files().items()}
    return found


def summaries() -> dict[Path, str]:
    """What is made of the pages as they are on disk."""
    return {DOCS / "llms.txt": llms.outline(), DOCS / "llms-full.txt": llms.whole()}


def main(arguments: list[str]) -> int:
    """Rewrite the files whose content changed, and remove pages of what is no more."""
    if "--quick" not in arguments:
        recording.write(recording.record())
    made = files()
    for path, content in made.items():
        write(path, content)
    for folder in ("tools", "contracts"):
        for path in (DOCS / folder).iterdir():
            if path not in made:
                path.unlink()
                print(f"removed {path.relative_to(ROOT)}")
    for path, content in summaries().items():
        write(path, content)
    return 0


def write(path: Path, content: str) -> None:
    """Write a file whose content changed, and say so."""
    if not path.exists() or path.read_text(encoding="utf-8") != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8", newline="\n")
        print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
