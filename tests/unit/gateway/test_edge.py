"""The settings: what is refused, and by which name."""

from __future__ import annotations

from pathlib import Path

import pytest
from mpp_gateway.edge import BadEdge, read

GOOD = "identity: {issuer: https://sso.example, jwks_url: https://sso.example/certs}\n"


def written(folder: Path, text: str, name: str = "edge.yaml") -> Path:
    (folder / name).write_text(text)
    return folder / name


def test_defaults_and_a_second_file_that_changes_one_setting(tmp_path: Path) -> None:
    first = written(tmp_path, GOOD + "limits: {subject: {per_second: 1, burst: 2}}\norigins: [https://a.example]\n")
    second = written(tmp_path, "limits: {subject: {per_second: 7, burst: 2}}\n", "more.yaml")
    edge = read(first, second)
    assert (edge.limits.subject.per_second, edge.limits.subject.burst) == (7, 2)
    assert edge.limits.address.per_second == 50
    assert edge.origins == ("https://a.example",)


def test_the_environment_wins(tmp_path: Path) -> None:
    env = {
        "MPP_OIDC_ISSUER": "https://other.example",
        "MPP_OIDC_JWKS_URL": "https://other.example/keys",
        "MPP_OIDC_AUDIENCE": "city",
        "MPP_EDGE_ORIGINS": "https://a.example, https://*.b.example",
    }
    edge = read(written(tmp_path, GOOD), env=env)
    assert (edge.identity.issuer, edge.identity.audience) == ("https://other.example", "city")
    assert edge.origins == ("https://a.example", "https://*.b.example")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "identity.issuer"),
        ("identity: {issuer: sso, jwks_url: https://x.example}", "identity.issuer"),
        (GOOD + "lissen: {}", "lissen: unknown"),
        (GOOD + "limits: {subject: {per_second: 1}}", "limits.subject.burst: missing"),
        (GOOD + "limits: {subject: {per_second: 0, burst: 1}}", "limits.subject.per_second"),
        (GOOD + "limits: {creating: {per_minute: 0, burst: 1}}", "limits.creating.per_minute"),
        (GOOD + "limits: {request_bytes: many}", "limits.request_bytes: not a whole number"),
        (GOOD + "limits: {request_bytes: true}", "limits.request_bytes"),
        (GOOD + "limits: [1]", "limits.: not a mapping"),
        (GOOD + "listen: {port: 70000}", "listen.port"),
        (GOOD + "listen: {tls_key_file: /k}", "go together"),
        (GOOD + "timeouts: {unary: -1}", "timeouts.unary"),
        (GOOD + "origins: ['*']", "origins"),
        (GOOD + "origins: [https://a.example/]", "origins"),
        (GOOD + "origins: https://a.example", "origins: not a list"),
        ("- a list", "not a mapping"),
        ("{", "edge.yaml"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BadEdge) as caught:
        read(written(tmp_path, text))
    assert words in str(caught.value)
