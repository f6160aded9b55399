"""The Grafana dashboards: rows of panels in YAML (deploy/observability/grafana/*.yaml), and the JSON made of them.

A panel is four lines there and forty lines of JSON here: the YAML is what people read and change. Knows the shape of
Grafana's JSON; never knows a metric (a test compares the names in the queries with the code's).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mpp_observe.prometheus import OBSERVABILITY

FOLDER = OBSERVABILITY / "grafana"
WIDTH = 24  # of Grafana's grid


@dataclass(frozen=True, slots=True)
class Panel:
    """`queries`: (PromQL, legend). `unit` is Grafana's. `kind`: timeseries or stat."""

    title: str
    queries: Sequence[tuple[str, str]]
    unit: str
    about: str
    kind: str


@dataclass(frozen=True, slots=True)
class Row:
    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """`variable`: (name, label, metric that has the name as a label). `file` is the JSON."""

    uid: str
    title: str
    variable: tuple[str, str, str]
    rows: Sequence[Row]
    file: Path


def load() -> list[Dashboard]:
    """All dashboards. Raises KeyError or TypeError naming what a panel lacks."""
    return [_dashboard(file) for file in sorted(FOLDER.glob("*.yaml"))]


def _dashboard(file: Path) -> Dashboard:
    read = yaml.safe_load(file.read_text())
    rows = [Row(row["title"], [_read(panel) for panel in row["panels"]]) for row in read["rows"]]
    variable = (read["variable"]["name"], read["variable"]["label"], read["variable"]["metric"])
    return Dashboard(read["uid"], read["title"], variable, rows, FOLDER / "dashboards" / f"{file.stem}.json")


def _read(panel: Mapping[str, Any]) -> Panel:
    queries = panel.get("queries") or [panel]
    return Panel(
        title=panel["title"],
        queries=[(q["query"], q["legend"]) for q in queries],
        unit=panel.get("unit", "short"),
        about=panel.get("about", ""),
        kind=panel.get("kind", "timeseries"),
    )


def render(dashboard: Dashboard) -> str:
    """Grafana's JSON. Panels of a row lie side by side, three a line."""
    panels: list[dict[str, Any]] = []
    y = 0
    for row in dashboard.rows:
        panels.append({"type": "row", "id": len(panels) + 1, "title": row.title, "collapsed": False, "panels": [],
                       "gridPos": {"h": 1, "w": WIDTH, "x": 0, "y": y}})  # fmt: skip
        y += 1
        for n, panel in enumerate(row.panels):
            place = {"h": 8, "w": WIDTH // 3, "x": n % 3 * (WIDTH // 3), "y": y + n // 3 * 8}
            panels.append({"id": len(panels) + 1, "gridPos": place, **_panel(panel)})
        y += -(-len(row.panels) // 3) * 8
    return json.dumps({**_frame(dashboard), "panels": panels}, indent=1, ensure_ascii=False) + "\n"


def _panel(panel: Panel) -> dict[str, Any]:
    source = {"type": "prometheus", "uid": "mpp-prometheus"}
    targets = [
        {"refId": chr(ord("A") + n), "expr": expression, "legendFormat": legend, "datasource": source}
        for n, (expression, legend) in enumerate(panel.queries)
    ]
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.about,
        "datasource": source,
        "targets": targets,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}} if panel.kind == "timeseries" else {},
    }


def _frame(dashboard: Dashboard) -> dict[str, Any]:
    name, label, metric = dashboard.variable
    variable = {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": {"type": "prometheus", "uid": "mpp-prometheus"},
        "query": f"label_values({metric}, {name})",
        "refresh": 2,
        "includeAll": True,
        "allValue": ".*",
        "multi": True,
        "current": {"text": "All", "value": "$__all"},
    }
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "tags": ["mpp"],
        "schemaVersion": 38,
        "version": 1,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [variable]},
    }


def generate(*, check: bool) -> list[Path]:
    """Write the files (or, with `check`, nothing); those that were not up to date."""
    stale = []
    for dashboard in load():
        text = render(dashboard)
        if not dashboard.file.exists() or dashboard.file.read_text() != text:
            stale.append(dashboard.file)
            if not check:
                dashboard.file.parent.mkdir(parents=True, exist_ok=True)
                dashboard.file.write_text(text)
    return stale
