"""Settings, trace context, and the ids of commands."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpp_chassis import trace
from mpp_chassis.call import Command, new_id
from mpp_chassis.settings import BadSettings, ClaimNames, from_env

NEEDED = {
    "MPP_MONGODB_URI": "mongodb://u:secret1@h/", "MPP_AMQP_URI": "amqp://u:secret2@h//", "MPP_OIDC_ISSUER": "https://i",
    "MPP_OIDC_JWKS_URL": "https://i/jwks", "MPP_FIELD_KEYS": "k:secret3", "MPP_INDEX_KEY": "secret4",
}  # fmt: skip


# --- settings --------------------------------------------------------------------------------------------------------


def test_the_defaults_and_what_is_needed() -> None:
    found = from_env("queue", NEEDED)
    assert (found.service, found.database, found.grpc_port, found.dispatch) == ("queue", "mpp_queue", 50051, True)
    assert found.retry_delays_ms == (1000, 10_000, 60_000, 600_000)
    assert found.bind == "127.0.0.1"
    assert not found.production


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_what_is_missing_is_named(name: str, value: str | None) -> None:
    env = {k: v for k, v in NEEDED.items() if k != name} | ({name: value} if value is not None else {})
    with pytest.raises(BadSettings, match=name):
        from_env("queue", env)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MPP_GRPC_PORT", "http"), ("MPP_GRPC_PORT", "-1"), ("MPP_GRPC_PORT", "1.5"), ("MPP_GRPC_PORT", "70000"),
        ("MPP_HTTP_PORT", "65536"), ("MPP_GRPC_THREADS", "0"), ("MPP_GRPC_THREADS", ""), ("MPP_RETRY_DELAYS_MS", ""),
        ("MPP_RETRY_DELAYS_MS", "a,b"), ("MPP_RETRY_DELAYS_MS", "1000,-5"), ("MPP_RETRY_DELAYS_MS", "0"),
        ("MPP_DISPATCH", "no"), ("MPP_LOG_LEVEL", "loud"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_and_named(name: str, value: str) -> None:
    with pytest.raises(BadSettings, match=name):
        from_env("queue", {**NEEDED, name: value})


def test_secrets_come_from_files_and_are_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "uri"
    file.write_text("mongodb://u:mounted@h/\n")
    env = {k: v for k, v in NEEDED.items() if k != "MPP_MONGODB_URI"} | {"MPP_MONGODB_URI_FILE": str(file)}
    found = from_env("queue", env)
    assert found.mongodb_uri == "mongodb://u:mounted@h/"
    shown = f"{found} {found!r}"
    for secret in ("secret1", "secret2", "secret3", "secret4", "mounted"):
        assert secret not in shown


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="MPP_INDEX_KEY_FILE"):
        from_env("queue", {**NEEDED, "MPP_INDEX_KEY_FILE": str(tmp_path / "none")})


def test_a_complaint_about_a_secret_does_not_show_it(tmp_path: Path) -> None:
    with pytest.raises(BadSettings) as caught:
        from_env("queue", {**NEEDED, "MPP_AMQP_URI": "", "MPP_GRPC_PORT": "x"})
    assert "secret" not in str(caught.value)


# --- trace context ---------------------------------------------------------------------------------------------------

FORM = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


@given(st.text(max_size=60) | st.from_regex(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", fullmatch=True))
def test_a_child_is_always_well_formed_and_keeps_a_valid_trace(parent: str) -> None:
    child = trace.child(parent)
    assert FORM.fullmatch(child)
    if FORM.fullmatch(parent) and set(parent[3:35]) != {"0"} and set(parent[36:52]) != {"0"}:
        assert child[3:35] == parent[3:35]
        assert child[36:52] != parent[36:52]
        assert child[-2:] == parent[-2:]
    else:
        assert child[3:35] != parent[3:35]


def test_the_trace_is_this_thread_s_own() -> None:
    trace.enter(trace.child(""))
    mine, seen = trace.trace_id(), []
    thread = threading.Thread(target=lambda: seen.append(trace.trace_id()))
    thread.start()
    thread.join()
    assert seen == [""]
    assert trace.trace_id() == mine == trace.current()[3:35]


# --- commands --------------------------------------------------------------------------------------------------------


def command(request_id: str = "r", method: str = "m", actor: str = "a", fingerprint: str = "f") -> Command:
    return Command(request_id, method, fingerprint, actor, datetime.now(UTC))


def test_a_command_is_the_same_by_id_method_and_actor_only() -> None:
    assert command().key == command(fingerprint="other").key
    others = [command(request_id="x"), command(method="x"), command(actor="x")]
    assert len({command().key, *(c.key for c in others)}) == 4
    assert len({new_id(command()), *(new_id(c) for c in others)}) == 4


def test_new_ids_have_the_form_of_a_resource_id() -> None:
    ids = {new_id(command(str(n))) for n in range(2000)}
    assert len(ids) == 2000
    assert all(re.fullmatch(r"[0-9a-hjkmnp-tv-z]{26}", i) for i in ids)
    letters = {i[at] for i in ids for at in range(25)}
    assert len(letters) == 32, "not all of the alphabet is used"


def test_an_id_does_not_give_away_the_command() -> None:
    assert command().key not in new_id(command())
    assert new_id(command()) == new_id(command())


def test_the_names_of_claims_are_configuration() -> None:
    assert from_env("queue", NEEDED).claims == ClaimNames()
    found = from_env("queue", {**NEEDED, "MPP_OIDC_ROLES_CLAIM": "realm_access.roles", "MPP_OIDC_NIK_CLAIM": "id.nik"})
    assert found.claims == ClaimNames(roles="realm_access.roles", nik="id.nik")
    with pytest.raises(BadSettings, match="MPP_OIDC_SITE_CLAIM"):
        from_env("queue", {**NEEDED, "MPP_OIDC_SITE_CLAIM": " "})
