"""Rules, runbooks and dashboards as files: promtool is content, alerts fire and keep quiet, names exist in the code."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from mpp_observe import dashboards, prometheus, rules

pytestmark = pytest.mark.timeout(300)  # 6 s of promtool's work, on a machine that may be doing much else
ROOT = Path(__file__).resolve().parents[3]
RUNBOOKS = ROOT / "docs" / "runbooks"
OBSERVABILITY = prometheus.OBSERVABILITY
OUR_OWN = re.compile(r"(?<![:\w])mpp_[a-z0-9_]+")


def declared() -> set[str]:
    """Every name under which the code's metrics are exposed."""
    found = set()
    for file in [*ROOT.glob("chassis/mpp_chassis/metrics.py"), *ROOT.glob("services/*/mpp_*/**/metrics.py")]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Counter", "Gauge", "Histogram"):
                name = ast.literal_eval(node.args[0])
                parts = ("_bucket", "_count", "_sum") if node.func.id == "Histogram" else ("",)  # type: ignore[attr-defined]
                found |= {name + part for part in parts}
    return found


def expressions() -> Iterator[tuple[str, str]]:
    """(where, PromQL) of everything that asks Prometheus."""
    yield from ((f"record {name}", text) for name, text in rules.records().items())
    yield from ((f"alert {alert.name}", alert.expression) for alert in rules.alerts())
    for dashboard in dashboards.load():
        yield f"{dashboard.title}: its variable", dashboard.variable[2]
        for row in dashboard.rows:
            for panel in row.panels:
                yield from ((f"{dashboard.title}: {panel.title}", text) for text, _ in panel.queries)


def test_promtool_is_content_with_the_configuration_and_the_rules() -> None:
    assert "SUCCESS" in rules.promtool("check", "config", str(OBSERVABILITY / "prometheus.yml"))


def test_each_alert_fires_and_keeps_quiet(tmp_path: Path) -> None:
    assert "SUCCESS" in rules.run_unit_tests(rules.cases(), tmp_path)


def test_each_alert_has_a_case_that_makes_it_fire() -> None:
    fired = {(case["alert"], labels["severity"]) for case in rules.cases() for labels in case.get("fires", ())}
    assert fired == {(alert.name, alert.severity) for alert in rules.alerts()}


def test_a_wrong_case_is_found(tmp_path: Path) -> None:
    """The proof that the cases prove something: what should fire does not, and what should not fire does."""
    case = next(c for c in rules.cases() if c["alert"] == "MppConsumerPaused")
    silent, loud = copy.deepcopy(case), copy.deepcopy(case)
    silent["series"][0]["values"] = "0x90"
    loud["well"] = "60m"
    for broken in (silent, loud):
        with pytest.raises(RuntimeError, match="MppConsumerPaused"):
            rules.run_unit_tests([broken], tmp_path)


def test_each_alert_says_what_is_wrong_and_where_to_read_on() -> None:
    for alert in rules.alerts():
        assert alert.severity in ("page", "ticket", "inform"), alert.name
        assert len(alert.annotations["summary"]) > 20, alert.name
        assert alert.annotations["runbook_url"] == f"docs/runbooks/{alert.name}.md"
        text = (ROOT / alert.annotations["runbook_url"]).read_text()
        for part in ("## What it means", "## First look", "## Causes and cures", "## When to wake whom"):
            assert part in text, f"{alert.name}: {part} is missing"


def test_no_runbook_is_left_over() -> None:
    assert {f.stem for f in RUNBOOKS.glob("Mpp*.md")} == {alert.name for alert in rules.alerts()}


def test_runbooks_name_only_metrics_that_exist() -> None:
    for file in RUNBOOKS.glob("*.md"):
        for name in OUR_OWN.findall(file.read_text()):
            assert name in declared(), f"{file.name}: {name}"


def test_every_metric_that_is_asked_for_is_in_the_code() -> None:
    known, records = declared(), rules.records()
    for where, text in expressions():
        for name in OUR_OWN.findall(re.sub(r'"[^"]*"', '""', text)):
            assert name in known, f"{where} asks for {name}"
        for name in re.findall(r"\b[a-z]+:mpp[a-z0-9_:]+", text):
            assert name in records, f"{where} asks for {name}"


def test_each_service_is_scraped_where_it_runs_in_compose() -> None:
    jobs = yaml.safe_load((OBSERVABILITY / "prometheus.yml").read_text())["scrape_configs"]
    targets = {t for job in jobs if job["job_name"] == "mpp" for c in job["static_configs"] for t in c["targets"]}
    services = {p.parent.name for p in (ROOT / "services").glob("*/pyproject.toml")}
    assert targets == {f"{service}-{process}:9090" for service in services for process in ("serve", "work")}


def test_kubernetes_gives_targets_the_labels_that_rules_ask_for() -> None:
    documents = yaml.safe_load_all((ROOT / "deploy/k8s/components/prometheus/scrape.yaml").read_text())
    monitor = next(d for d in documents if d["kind"] == "PodMonitor")
    relabelled = {r["targetLabel"] for r in monitor["spec"]["podMetricsEndpoints"][0]["relabelings"]}
    assert relabelled == {"job", "service", "process"}


def test_each_service_has_its_metrics_in_one_file() -> None:
    for package in (ROOT / "services").glob("*/mpp_*"):
        for file in package.rglob("*.py"):
            if file.name != "metrics.py":
                assert "prometheus_client" not in file.read_text(), f"{file.relative_to(ROOT)} declares a metric"


def test_the_dashboards_are_as_their_yaml_says() -> None:
    assert dashboards.generate(check=True) == [], "run `make dashboards`"


def test_grafana_finds_the_source_that_the_dashboards_name() -> None:
    source = yaml.safe_load((OBSERVABILITY / "grafana/provisioning/datasources/mpp.yaml").read_text())["datasources"][0]
    for dashboard in dashboards.load():
        assert f'"uid": "{source["uid"]}"' in dashboard.file.read_text()


def test_no_label_is_a_person_or_an_id() -> None:
    """Labels are bounded words; names of tickets, files, people and requests are not."""
    allowed = {"site", "queue", "agency", "step", "state", "flag", "due", "turn", "rating", "kind", "found", "channel",
               "result", "template", "provider", "outcome", "method", "code", "key", "lease", "action", "collection",
               "operation", "sweep", "why", "entitlement", "reason", "way", "priority_class"}  # fmt: skip
    for file in [*ROOT.glob("chassis/mpp_chassis/metrics.py"), *ROOT.glob("services/*/mpp_*/**/metrics.py")]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Counter", "Gauge", "Histogram"):
                labels = ast.literal_eval(node.args[2]) if len(node.args) > 2 else ()
                assert set(labels) <= allowed, f"{file.relative_to(ROOT)}: {set(labels) - allowed}"
