"""A simulated day as a person watches it, and its summary. Pure: from the ledger to what rich can print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from mppctl.simulation.ledger import Ledger, LineFigures
from mppctl.simulation.play import Result

BAR = 24  # characters


@dataclass(frozen=True, slots=True)
class Moment:
    """Facts beside the ledger. `behind`: simulated seconds that the platform lags; 0 at full speed."""

    wall_seconds: float
    calls: int
    repeats: int
    behind: float = 0.0


def live(ledger: Ledger, moment: Moment, rows: int) -> RenderableType:
    """The picture: the `rows` busiest queues, one line of totals, and what went wrong."""
    lines = list(ledger.lines.values())
    busiest = sorted(lines, key=lambda f: (-f.waiting, -f.at_counters, f.plan.name))
    shown = sorted(busiest[:rows], key=lambda f: f.plan.name)
    most = max((f.most_waiting for f in shown), default=0) or 1
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading, justify in (("queue", "left"), ("at", "right"), ("waiting", "right"), ("", "left"),
                             ("counters", "left"), ("done", "right"), ("wait", "right")):  # fmt: skip
        table.add_column(heading, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for figures in shown:
        table.add_row(*_row(figures, most))
    parts: list[RenderableType] = [table]
    if len(lines) > len(shown):
        parts.append(Text(f"and {len(lines) - len(shown)} queues with fewer people", style="dim"))
    parts += [totals(ledger, moment), *_wrong(ledger)]
    return Group(*parts)


def _row(figures: LineFigures, most: int) -> Sequence[RenderableType]:
    plan = figures.plan
    return (
        f"{plan.site}/{plan.short}",
        clock(figures.now),
        str(figures.waiting),
        bar(figures.waiting, figures.most_waiting, most),
        _counters(figures),
        f"{figures.ended}/{figures.expected}",
        minutes(_mean(figures.waits[-10:])),
    )


def bar(waiting: int, most_here: int, most: int, width: int = BAR) -> Text:
    """Who waits now, solid; the most that waited today, faint."""
    now, before = (round(width * n / most) for n in (waiting, most_here))
    now = max(now, 1) if waiting else 0
    colour = "green" if now <= width / 3 else "yellow" if now <= 2 * width / 3 else "red"
    return Text.assemble(("█" * now, colour), ("░" * max(0, before - now), "dim"), " " * (width - max(now, before)))


def _counters(figures: LineFigures) -> Text:
    """One mark a counter: serving, waiting for the one who was called, free."""
    free = max(0, len(figures.plan.counters) - figures.at_counters)
    return Text.assemble(("●" * figures.serving, "green"), ("◐" * figures.called, "yellow"), ("○" * free, "dim"))


def totals(ledger: Ledger, moment: Moment) -> Text:
    """All queues in one line."""
    lines = list(ledger.lines.values())
    total = {
        name: sum(getattr(f, name) for f in lines) for name in ("came", "expected", "waiting", "at_counters", "ended")
    }
    waits = [w for f in lines for w in f.waits]
    rate = moment.calls / moment.wall_seconds if moment.wall_seconds > 0 else 0.0
    text = (
        f"{total['came']} of {total['expected']} came, {total['waiting']} wait, {total['at_counters']} at counters, "
        f"{total['ended']} done; mean wait {minutes(_mean(waits))}; {moment.calls} calls, {rate:.0f}/s"
    )
    if moment.behind > 60:
        text += f"; {minutes(moment.behind)} behind: the platform is slower than this speed"
    return Text(text, style="bold")


def _wrong(ledger: Ledger) -> list[Text]:
    found = [Text(f"{count} x {escape(what)}", style="yellow") for what, count in ledger.errors.most_common(5)]
    return found + [Text(breach, style="bold red") for breach in ledger.breaches[:5]]


def summary(result: Result) -> dict[str, Any]:
    """The figures at the end, for people and programs. Waits in minutes, latencies in milliseconds."""
    lines = result.ledger.lines.values()
    waits = sorted(w / 60 for f in lines for w in f.waits)
    latencies = sorted(1000 * s for s in result.latencies)
    names = ("expected", "came", "refused", "finished", "no_show", "cancelled", "closed", "waiting")
    return {
        **{name: sum(getattr(f, name) for f in lines) for name in names},
        "wait_minutes": {"mean": round(_mean(waits), 1), "p90": round(_quantile(waits, 0.9), 1)},
        "most_waiting": max((f.most_waiting for f in lines), default=0),
        "seconds": round(result.seconds, 1),
        "calls": result.calls,
        "calls_a_second": round(result.calls / result.seconds, 1) if result.seconds else 0.0,
        "repeated": result.repeats,
        "latency_ms": {"p50": round(_quantile(latencies, 0.5), 1), "p99": round(_quantile(latencies, 0.99), 1)},
        "errors": dict(result.ledger.errors),
        "asked": result.asked,
        "broken_off": result.broken_off,
        "breaches": list(result.breaches),
    }


def told(result: Result) -> RenderableType:
    """The summary as a person reads it."""
    s = summary(result)
    table = Table(show_header=False, box=None, pad_edge=False)
    ends = f"{s['finished']} served, {s['no_show']} no-shows, {s['cancelled']} gave up"
    for label, text in (
        ("visits", f"{s['came']} of {s['expected']} came: {ends}, {s['refused']} got no number"),
        ("wait", f"mean {s['wait_minutes']['mean']} min, nine in ten within {s['wait_minutes']['p90']} min; "
                 f"at most {s['most_waiting']} in one queue"),
        ("calls", f"{s['calls']} in {s['seconds']} s, {s['calls_a_second']}/s; "
                  f"p50 {s['latency_ms']['p50']} ms, p99 {s['latency_ms']['p99']} ms; {s['repeated']} tried again"),
        ("checked", f"{s['asked']} tickets asked for at the end: no number twice, none called twice, none lost"
                    if not s["breaches"] else f"[bold red]{len(s['breaches'])} breaches[/bold red]"),
    ):  # fmt: skip
        table.add_row(label, text)
    notes = [Text(f"{count} x {what}", style="yellow") for what, count in result.ledger.errors.most_common()]
    notes += [Text(breach, style="bold red") for breach in result.breaches[:20]]
    if result.broken_off:
        notes.append(
            Text(f"Broken off; {s['waiting']} still wait and are closed at the end of the day.", style="yellow")
        )
    return Group(table, *notes)


def clock(seconds: float) -> str:
    """`11:42`; nothing before the first step."""
    return f"{int(seconds // 3600):02d}:{int(seconds % 3600 // 60):02d}" if seconds else "-"


def minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _quantile(ordered: Sequence[float], q: float) -> float:
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))] if ordered else 0.0
