"""What the tour shows on a terminal: each step with its call and its answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from .steps import Chapter, Step

WIDEST = 118
PREFERRED_THEME = "ansi_dark"


class Screen:
    """Writes the tour; keeps count of its steps."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self.console.width = min(self.console.width, WIDEST)
        self._number = 0

    def title(self, text: str, below: str) -> None:
        """The head of the tour."""
        self.console.print(Panel(Text(below), title=f"[bold]{escape(text)}[/]", title_align="left", border_style="cyan"))

    def chapter(self, chapter: Chapter) -> None:
        """The head of a chapter."""
        self.console.print()
        self.console.print(Rule(f"[bold cyan]{escape(chapter.title)}[/]", style="cyan"))

    def step(self, title: str, why: str) -> None:
        """The head of a step, with its number."""
        self._number += 1
        self.console.print()
        self.console.print(Text.assemble((f"{self._number:2}  ", "cyan"), (title, "bold")))
        self.console.print(Padding(Text(why, style="dim"), (0, 0, 0, 4)))

    def call(self, tool: str, arguments: Mapping[str, object]) -> None:
        """A call, with SQL set apart where it is long."""
        query = arguments.get("query")
        apart = isinstance(query, str) and "\n" in query
        shown = {name: "(below)" if apart and name == "query" else value for name, value in arguments.items()}
        parts: list[RenderableType] = [Text.assemble(("call  ", "green"), (tool, "bold green"), " ", _compact(shown))]
        if apart:
            parts.append(Padding(Syntax(str(query), "sql", theme=PREFERRED_THEME, background_color="default"), (0, 0, 0, 6)))
        self.console.print(Padding(Group(*parts), (0, 0, 0, 4)))

    def answer(self, text: str, step: Step, *, seconds: float, is_error: bool) -> None:
        """An answer as the assistant gets it, cut where it is long."""
        lines = text.rstrip().splitlines() or [""]
        shown = lines[: step.lines]
        if len(lines) > step.lines:
            shown.append(f"… {len(lines) - step.lines} more lines")
        word = "refused, as it should be" if is_error and step.error else "error" if is_error else "answer"
        style = "yellow" if is_error else "blue"
        label = f"[{style}]{word}[/] [dim]{seconds * 1000:,.0f} ms[/]"
        content = Text("\n".join(shown), no_wrap=True, overflow="ellipsis")
        panel = Panel(content, title=label, title_align="left", border_style=style, box=box.ROUNDED)
        self.console.print(Padding(panel, (0, 0, 0, 4)))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A plain table."""
        table = Table(box=box.SIMPLE_HEAD if any(columns) else None, header_style="bold", show_header=any(columns))
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*map(escape, row))
        self.console.print(Padding(table, (0, 0, 0, 4)))

    def skipped(self, step: Step, missing: str) -> None:
        """A step that needs a tool which the server does not have."""
        self.console.print(f"\n    [dim]left out: {escape(step.title)} (this server has no {escape(missing)})[/]")

    def wrong(self, problem: str) -> None:
        """Something that is not as it should be."""
        self.console.print(Text("    not as expected: " + problem, style="bold red"))

    def note(self, text: str) -> None:
        """A plain line."""
        self.console.print(text)

    def end(self, entry: Mapping[str, object], places: Sequence[tuple[str, str]], problems: int) -> None:
        """What to do next: the entry for a client, unbroken so that it can be copied."""
        self.console.print()
        good = "[bold green]That was the tour.[/]" if not problems else f"[bold red]{problems} steps were not as expected.[/]"
        self.console.print(Rule(good, style="cyan"))
        self.console.print("To go on in Claude Desktop, put this into its configuration file and restart it:\n")
        self.console.print(json.dumps(entry, indent=2), soft_wrap=True, markup=False, highlight=False)
        self.console.print()
        for system, place in places:
            self.console.print(f"  [dim]{escape(system):8}[/] {escape(place)}", soft_wrap=True)


def _compact(arguments: Mapping[str, object]) -> Text:
    return Text(json.dumps(arguments, ensure_ascii=False) if arguments else "", style="green")
