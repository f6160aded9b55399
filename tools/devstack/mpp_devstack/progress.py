"""Shows a person what the devstack is doing. Knows rich and the terminal; knows nothing of packages or servers."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn


class Reporter:
    """Progress bars on a terminal, one line a step elsewhere. Safe to call from several threads.

    All output goes to standard error, so standard output stays free for `env` and `--json`.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._console = Console(stderr=True, highlight=False)
        self._live = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._lock = threading.Lock()
        self._bars = not quiet and sys.stderr.isatty()

    def __enter__(self) -> Self:
        if self._bars:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        if self._bars:
            self._live.stop()

    def say(self, text: str) -> None:
        """Print one line."""
        if not self._quiet:
            self._console.print(text, markup=False)

    def step(self, label: str, percent: float) -> None:
        """Show that `label` is `percent` (0 to 100) done."""
        with self._lock:
            if not self._bars:
                if label not in self._tasks:
                    self._tasks[label] = TaskID(0)
                    self.say(f"  {label} ...")
                return
            if label not in self._tasks:
                self._tasks[label] = self._live.add_task(label, total=100)
            self._live.update(self._tasks[label], completed=percent)
