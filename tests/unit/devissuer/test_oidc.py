"""The rules of a login, without HTTP: what is asked, what a code and a refresh token are good for."""

from __future__ import annotations

import dataclasses
import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from mpp_devissuer import directory, oidc
from mpp_devissuer.directory import BadDirectory, matches

DEMO = directory.load(directory.DEMO)
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
VERIFIER = "v" * 43
BACK = "http://127.0.0.1:5173/callback"
ASKED = {
    "client_id": "frontend",
    "redirect_uri": BACK,
    "response_type": "code",
    "scope": "openid offline_access",
    "state": "s-1",
    "nonce": "n-1",
    "code_challenge": oidc.challenge_of(VERIFIER),
    "code_challenge_method": "S256",
}


def form(**values: str) -> dict[str, list[str]]:
    return {name: [value] for name, value in values.items()}


def logins() -> oidc.Logins:
    numbers = itertools.count()
    return oidc.Logins(DEMO, lambda: f"secret-{next(numbers)}")


def code_of(here: oidc.Logins, now: datetime = NOW, **asked: str) -> str:
    wanted = here.request(form(**{**ASKED, **asked}))
    return here.code(here.choose(here.wait(wanted, now), "siti", now), now)


def redeem(here: oidc.Logins, code: str, now: datetime = NOW, client: str = "frontend", **changed: str) -> oidc.Granted:
    values = {"code": code, "redirect_uri": BACK, "code_verifier": VERIFIER, **changed}
    return here.redeem(form(**values), DEMO.clients[client], now)


def test_the_challenge_is_that_of_rfc_7636_appendix_b() -> None:
    assert oidc.challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == (
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )


@pytest.mark.parametrize(
    ("uri", "allowed", "good"),
    [
        ("http://127.0.0.1:5173/callback", "http://127.0.0.1:*/callback", True),
        ("http://127.0.0.1/callback", "http://127.0.0.1:*/callback", False),
        ("http://127.0.0.1:5173/callback/", "http://127.0.0.1:*/callback", False),
        ("http://127.0.0.1:5173/callback?x=1", "http://127.0.0.1:*/callback", False),
        ("http://127.0.0.1:5173@evil.example/callback", "http://127.0.0.1:*/callback", False),
        ("http://127.0.0.1:5173.evil.example/callback", "http://127.0.0.1:*/callback", False),
        ("http://127.0.0.1:٣٣٣/callback", "http://127.0.0.1:*/callback", False),
        ("http://127.0.0.1:/callback", "http://127.0.0.1:*/callback", False),
        ("https://mpp.example/cb", "https://mpp.example/cb", True),
        ("https://mpp.example/cb/..", "https://mpp.example/cb", False),
        ("https://MPP.example/cb", "https://mpp.example/cb", False),
    ],
)
def test_a_redirect_uri_is_compared_letter_for_letter(uri: str, allowed: str, good: bool) -> None:
    assert matches(uri, allowed) is good


@pytest.mark.parametrize("change", [{"client_id": "nobody"}, {"client_id": "agency-dukcapil"}, {"redirect_uri": ""}])
def test_an_unknown_client_or_address_is_never_redirected_to(change: dict[str, str]) -> None:
    with pytest.raises(oidc.Unusable):
        logins().request(form(**{**ASKED, **change}))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"request": "x"}, "request_not_supported"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
    ],
)
def test_what_else_is_wrong_is_told_to_the_client_with_its_state(change: dict[str, str], error: str) -> None:
    with pytest.raises(oidc.RefusedAtRedirect) as refused:
        logins().request(form(**{**ASKED, **change}))
    assert (refused.value.error, refused.value.redirect_uri, refused.value.state) == (error, BACK, "s-1")


def test_a_doubled_parameter_is_refused() -> None:
    with pytest.raises(oidc.RefusedAtRedirect):
        logins().request({**form(**ASKED), "nonce": ["a", "b"]})


@pytest.mark.parametrize(
    ("change", "client"),
    [
        ({"code_verifier": "w" * 43}, "frontend"),
        ({"code_verifier": ""}, "frontend"),
        ({"redirect_uri": "http://127.0.0.1:5174/callback"}, "frontend"),
        ({}, "mppctl"),
    ],
)
def test_a_wrong_try_burns_the_code(change: dict[str, str], client: str) -> None:
    here = logins()
    code = code_of(here)
    for attempt in (change, {}):
        with pytest.raises(oidc.Refused) as refused:
            redeem(here, code, client=client if attempt is change else "frontend", **attempt)
        assert refused.value.error == "invalid_grant"


def test_a_code_lives_60_seconds() -> None:
    here = logins()
    early, late = code_of(here), code_of(here)
    assert redeem(here, early, NOW + timedelta(seconds=59)).access.subject == "siti"
    with pytest.raises(oidc.Refused):
        redeem(here, late, NOW + timedelta(seconds=60))


def test_a_login_page_is_good_once_and_for_ten_minutes() -> None:
    here = logins()
    wanted = here.request(form(**ASKED))
    once, old = here.wait(wanted, NOW), here.wait(wanted, NOW)
    with pytest.raises(oidc.Unusable):
        here.choose(once, "nobody", NOW)
    here.choose(once, "siti", NOW)
    for name, at in ((once, NOW), (old, NOW + timedelta(minutes=10)), ("guess", NOW)):
        with pytest.raises(oidc.Unusable):
            here.choose(name, "siti", at)


def test_a_session_spares_the_page_unless_something_speaks_against_it() -> None:
    here = logins()
    session = here.choose(here.wait(here.request(form(**ASKED)), NOW), "siti", NOW).session
    assert here.session(session.id, NOW + timedelta(hours=11)) == session
    assert here.session(session.id, NOW + timedelta(hours=12)) is None
    later = NOW + timedelta(minutes=5)

    def good(**asked: str) -> bool:
        return oidc.good_for(session, here.request(form(**{**ASKED, **asked})), later)

    assert good()
    assert good(login_hint="siti", max_age="301")
    assert not any([good(prompt="login"), good(prompt="select_account"), good(login_hint="agus"), good(max_age="300")])
    here.end(session.id, later)
    assert here.session(session.id, later) is None


def test_a_second_use_of_a_code_ends_the_refresh_tokens_of_the_first() -> None:
    here = logins()
    code = code_of(here)
    refresh = redeem(here, code).refresh
    with pytest.raises(oidc.Refused):
        redeem(here, code)
    with pytest.raises(oidc.Refused):
        here.renew(form(refresh_token=refresh), DEMO.clients["frontend"], NOW)


def test_no_refresh_token_unless_asked_for() -> None:
    here = logins()
    assert redeem(here, code_of(here, scope="openid profile email")).refresh == ""


def test_a_logout_ends_codes_and_refresh_tokens_of_that_session_only() -> None:
    here = logins()
    ended, other = (here.choose(here.wait(here.request(form(**ASKED)), NOW), "siti", NOW) for _ in range(2))
    first, unused, second = here.code(ended, NOW), here.code(ended, NOW), here.code(other, NOW)
    refresh, kept = redeem(here, first).refresh, redeem(here, second).refresh
    here.end(ended.session.id, NOW)
    with pytest.raises(oidc.Refused):
        redeem(here, unused)
    with pytest.raises(oidc.Refused):
        here.renew(form(refresh_token=refresh), DEMO.clients["frontend"], NOW)
    assert here.renew(form(refresh_token=kept), DEMO.clients["frontend"], NOW).access.subject == "siti"


def test_only_service_accounts_ask_for_themselves_and_only_with_their_secret() -> None:
    here = logins()
    account = here.client("agency-dukcapil", "development-only-dukcapil")
    granted = here.own(account)
    assert (granted.access.subject, granted.access.roles, granted.access.agency) == (
        "agency-dukcapil",
        ("service",),
        "dukcapil",
    )
    with pytest.raises(oidc.Refused):
        here.own(here.client("frontend", ""))
    for name, secret in (("agency-dukcapil", ""), ("agency-dukcapil", "x"), ("frontend", "x"), ("nobody", "")):
        with pytest.raises(oidc.Refused) as refused:
            here.client(name, secret)
        assert refused.value.error == "invalid_client"


def test_the_demo_directory_has_every_role_and_somebody_with_two() -> None:
    held = [person.grant.roles for person in DEMO.people.values()]
    held += [client.grant.roles for client in DEMO.clients.values() if client.grant]
    assert {role for roles in held for role in roles} == set(directory.tokens.ROLES)
    assert any(len(roles) == 2 for roles in held)


PERSON = "{subject: a-1, name: A, about_id: x, about_en: y, roles: [citizen]}"


@pytest.mark.parametrize(
    ("people", "clients", "said"),
    [
        ("[{subject: a-1, name: A, about_id: x, roles: [citizen]}]", "[]", "people[0].about_en"),
        ("[{subject: a-1, name: A, about_id: x, about_en: y, roles: [boss]}]", "[]", "people[0].roles"),
        (f"[{PERSON}, {PERSON}]", "[]", "people"),
        ("[3]", "[]", "people[0]"),
        ("[]", "[{id: web, name: W}]", "clients[0]"),
        ("[]", "[{id: mpp, name: W, redirect_uris: ['https://a.example/']}]", "clients[0].id"),
        ("[]", "[{id: web, name: W, redirect_uris: ['http://a.example:*/']}]", "clients[0].redirect_uris"),
        ("[]", "[{id: web, name: W, redirect_uris: ['/callback']}]", "clients[0].redirect_uris"),
        ("[]", "[{id: web, name: W, redirect_uris: ['https://a.example/#x']}]", "clients[0].redirect_uris"),
        ("[]", "[{id: sa, name: S, secret: x}]", "clients[0]"),
        ("[]", "[{id: sa, name: S, secret: x, roles: [service], redirect_uris: ['https://a.example/']}]", "clients[0]"),
    ],
)
def test_a_bad_directory_is_refused_and_the_entry_named(tmp_path: Path, people: str, clients: str, said: str) -> None:
    file = tmp_path / "directory.yaml"
    file.write_text(f"people: {people}\nclients: {clients}\n")
    with pytest.raises(BadDirectory) as bad:
        directory.load(file)
    assert str(bad.value).startswith(said)


@dataclasses.dataclass
class Known:
    """What the model knows of one login."""

    code: str
    made: datetime
    spent: bool = False
    refresh: str = ""
    old: list[str] = dataclasses.field(default_factory=list)
    ended: bool = False


class Life(RuleBasedStateMachine):
    """Codes and refresh tokens against a simple model: each is good once, in its time, and a replay ends the login."""

    def __init__(self) -> None:
        super().__init__()
        self.here, self.now, self.known = logins(), NOW, list[Known]()

    @rule()
    def log_in(self) -> None:
        self.known.append(Known(code_of(self.here, self.now), self.now))

    @rule(seconds=st.integers(1, 40))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    def one(self, data: Any) -> Known:
        return data.draw(st.sampled_from(self.known))

    @precondition(lambda self: self.known)
    @rule(data=st.data(), right=st.booleans())
    def redeem(self, data: Any, right: bool) -> None:
        one = self.one(data)
        good = right and not one.spent and self.now < one.made + oidc.CODE_LIFE
        try:
            granted = redeem(self.here, one.code, self.now, code_verifier=VERIFIER if right else "x" * 43)
        except oidc.Refused:
            assert not good
            one.ended = one.ended or bool(one.refresh)
        else:
            assert good
            one.refresh = granted.refresh
        one.spent = True

    @precondition(lambda self: any(k.refresh for k in self.known))
    @rule(data=st.data(), replay=st.booleans())
    def renew(self, data: Any, replay: bool) -> None:
        one = data.draw(st.sampled_from([k for k in self.known if k.refresh]))
        token = data.draw(st.sampled_from(one.old)) if replay and one.old else one.refresh
        good = token == one.refresh and not one.ended
        try:
            granted = self.here.renew(form(refresh_token=token), DEMO.clients["frontend"], self.now)
        except oidc.Refused:
            assert not good
            one.ended = True
        else:
            assert good
            one.old.append(one.refresh)
            one.refresh = granted.refresh


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
