"""Puts the rules to promtool: syntax, and that each alert fires when it must and keeps quiet when it must.

Knows the compact form of deploy/observability/tests/*.yaml. Never knows what a metric means.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from mpp_observe.prometheus import OBSERVABILITY, programs


@dataclass(frozen=True, slots=True)
class Alert:
    """One alerting rule. Two rules may share a name and differ in severity."""

    name: str
    expression: str
    severity: str
    annotations: Mapping[str, str]


def rule_files() -> list[Path]:
    return sorted((OBSERVABILITY / "rules").glob("*.yaml"))


@cache
def _rules() -> list[Mapping[str, Any]]:
    documents = [yaml.safe_load(file.read_text()) for file in rule_files()]
    return [rule for document in documents for group in document["groups"] for rule in group["rules"]]


def alerts() -> list[Alert]:
    return [
        Alert(rule["alert"], rule["expr"], rule.get("labels", {}).get("severity", ""), rule.get("annotations", {}))
        for rule in _rules()
        if "alert" in rule
    ]


def records() -> dict[str, str]:
    """Expression by name of each recording rule."""
    return {rule["record"]: rule["expr"] for rule in _rules() if "record" in rule}


def cases() -> list[Mapping[str, Any]]:
    return [
        case for file in sorted((OBSERVABILITY / "tests").glob("*.yaml")) for case in yaml.safe_load(file.read_text())
    ]


def promtool(*words: str) -> str:
    """Its output. Raises RuntimeError with it when promtool is not content."""
    done = subprocess.run([str(programs()[1]), *words], capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise RuntimeError(f"promtool {' '.join(words)}:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def run_unit_tests(chosen: Sequence[Mapping[str, Any]], folder: Path) -> str:
    """Each case with its own alert and the recording rules only. Raises RuntimeError with what differed."""
    files = []
    for n, case in enumerate(chosen):
        rules = [rule for rule in _rules() if rule.get("alert", case["alert"]) == case["alert"]]
        (folder / f"rules-{n}.json").write_text(json.dumps({"groups": [{"name": "chosen", "rules": rules}]}))
        files.append(folder / f"test-{n}.json")  # JSON is YAML
        test = {"rule_files": [f"rules-{n}.json"], "evaluation_interval": "1m", "tests": [_test(case)]}
        files[-1].write_text(json.dumps(test))
    return promtool("test", "rules", *map(str, files))


def _test(case: Mapping[str, Any]) -> dict[str, Any]:
    checks = [{"eval_time": case["well"], "alertname": case["alert"], "exp_alerts": []}]
    if "badly" in case:
        expected = [{"exp_labels": labels, "exp_annotations": _told(case["alert"], labels)} for labels in case["fires"]]
        checks.append({"eval_time": case["badly"], "alertname": case["alert"], "exp_alerts": expected})
    return {"interval": "1m", "input_series": case["series"], "alert_rule_test": checks}


def _told(name: str, labels: Mapping[str, str]) -> dict[str, str]:
    """The rule's annotations with these labels filled in."""
    rule = next(a for a in alerts() if a.name == name and a.severity == labels["severity"])
    told = dict(rule.annotations)
    for label, value in labels.items():
        told = {key: text.replace(f"{{{{ $labels.{label} }}}}", value) for key, text in told.items()}
    return told
