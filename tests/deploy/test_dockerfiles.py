"""The Dockerfiles: hadolint, our own policy, and one for every service. `make images` builds and runs them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.dockerfile_policy import ROOT, VERSION, dockerfiles, faults, parse

SERVICES = sorted(path.parent.name for path in ROOT.glob("services/*/pyproject.toml"))
QUEUE = (ROOT / "services/queue/Dockerfile").read_text()
BASE = (ROOT / "deploy/images/base.Dockerfile").read_text()


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([str(hadolint), "--no-color", *map(str, dockerfiles())], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize("file", dockerfiles(), ids=lambda file: str(file.relative_to(ROOT)))
def test_each_keeps_the_policy(file: Path) -> None:
    assert faults(file.read_text()) == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_one_of_the_same_shape(service: str) -> None:
    """The queue's, with the service's own name and words."""

    def shape(text: str, name: str) -> list[str]:
        plain = [f"{each.word} {each.rest}" for each in parse(text) if each.word != "LABEL"]
        return [line.replace(f"mpp_{name}", "mpp_X").replace(f"services/{name}/", "services/X/") for line in plain]

    own = (ROOT / "services" / service / "Dockerfile").read_text()
    assert shape(own, service) == shape(QUEUE, "queue")
    assert f'title="mpp-{service}"' in own


def test_services_share_one_base_and_install_nothing_themselves() -> None:
    for service in SERVICES:
        text = (ROOT / "services" / service / "Dockerfile").read_text()
        assert f"ARG BASE=mpp-base:{VERSION}\n" in text
        assert "pip" not in text
        assert "apt" not in text.replace("# ", "")


@pytest.mark.parametrize(
    ("text", "old", "new", "fault"),
    [
        (QUEUE, "USER 10001:10001", "USER root", "USER is root"),
        (QUEUE, "USER 10001:10001", "", "USER is None"),
        (QUEUE, "mpp-base:0.2.0", "mpp-base:latest", "has no version"),
        (QUEUE, "mpp-base:0.2.0", "mpp-base", "has no version"),
        (QUEUE, "mpp-base:0.2.0", "registry.example/mpp-base:0.2.0", "names a registry"),
        (QUEUE, "FROM ${BASE}\n", "FROM debian:12-slim\n", "is not a variable"),
        (QUEUE, "STOPSIGNAL SIGTERM", "STOPSIGNAL SIGKILL", "no STOPSIGNAL"),
        (QUEUE, 'CMD ["python", "/opt', "CMD python /opt", "no HEALTHCHECK"),
        (QUEUE, 'ENTRYPOINT ["python", "-m", "mpp_queue.main"]', "ENTRYPOINT python", "ENTRYPOINT is no list"),
        (QUEUE, "image.licenses", "image.other", "no label licenses"),
        (QUEUE, "ARG VERSION=0.2.0", "ARG VERSION=0.1.0", "no ARG VERSION"),
        (QUEUE, "EXPOSE", "RUN echo\nEXPOSE", "RUN in the last stage"),
        (QUEUE, "EXPOSE", "ADD https://files.example/x /x\nEXPOSE", "ADD https"),
        (BASE, "--require-hashes", "", "without --require-hashes"),
        (BASE, "python3.11-venv", "python3.11-venv gcc", "compiler"),
        (BASE, "minimal-root /root", "curl -O https://x.example && minimal-root /root", "fetches from an address"),
    ],
)
def test_the_policy_finds_what_is_broken(text: str, old: str, new: str, fault: str) -> None:
    assert old in text
    assert any(fault in each for each in faults(text.replace(old, new))), faults(text.replace(old, new))


def test_the_context_of_a_build_holds_nothing_but_what_it_needs() -> None:
    """Everything is shut out first; what is let in again is code, locks and generated files."""
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    let_in = [line.removeprefix("!") for line in lines if line.startswith("!")]
    assert all(any(ROOT.glob(pattern)) for pattern in let_in), let_in
    for private in (".dev", ".venv", ".git", "deploy/compose", "sites", "tests"):
        assert not any(each == private or private.startswith(each + "/") for each in let_in)


def test_what_a_dockerfile_copies_is_let_into_the_build() -> None:
    ignore = (ROOT / ".dockerignore").read_text()
    let_in = {path for line in ignore.splitlines() if line.startswith("!") for path in ROOT.glob(line[1:])}
    for file in dockerfiles():
        for each in parse(file.read_text()):
            if each.word != "COPY" or "--from=" in each.rest:
                continue
            sources = [word for word in each.rest.split()[:-1] if not word.startswith("--")]
            for source in sources:
                assert (ROOT / source) in let_in, f"{file.name} copies {source}, which .dockerignore shuts out"
