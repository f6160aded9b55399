"""The Keycloak realm: its structure, and that a token with the claims its mappers would print is accepted.

Keycloak itself does not run here: the mappers are interpreted as its documentation describes them.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from mpp_chassis.identity import ROLES, Authenticator, KeySet
from mpp_chassis.settings import ClaimNames

REALM = json.loads((Path(__file__).resolve().parents[3] / "deploy/keycloak/mpp-realm.json").read_text())
CLIENTS = {client["clientId"]: client for client in REALM["clients"]}
ISSUER = "https://sso.test/realms/mpp"
KEY = rsa.generate_private_key(65537, 2048)
OFFICER = {"site": ["malang"], "agency": ["dukcapil"], "counter": ["3"], "nik": ["3573014101900001"]}
# What Keycloak gives every user, and prints into realm_access by itself.
OWN_ROLES = ["offline_access", "uma_authorization", "default-roles-mpp"]


def printed(client: dict[str, Any], roles: list[str], attributes: dict[str, list[str]]) -> dict[str, Any]:
    """The claims of an access token of this client."""
    now = int(time.time())
    claims: dict[str, Any] = {"iss": ISSUER, "sub": "5f2c", "aud": ["account"], "iat": now, "exp": now + 900}
    claims |= {"azp": client["clientId"], "typ": "Bearer", "realm_access": {"roles": [*roles, *OWN_ROLES]}}
    for mapper in client["protocolMappers"]:
        config = mapper["config"]
        if config["access.token.claim"] != "true":
            continue
        match mapper["protocolMapper"]:
            case "oidc-audience-mapper":
                claims["aud"] = [*claims["aud"], config["included.custom.audience"]]
            case "oidc-usermodel-realm-role-mapper":
                assert config["multivalued"] == "true"
                claims[config["claim.name"]] = [*roles, *OWN_ROLES]
            case "oidc-hardcoded-claim-mapper":
                claims[config["claim.name"]] = config["claim.value"]
            case "oidc-usermodel-attribute-mapper":
                for value in attributes.get(config["user.attribute"], [])[:1]:
                    claims[config["claim.name"]] = int(value) if config["jsonType.label"] == "int" else value
            case other:
                raise AssertionError(f"no such mapper is known: {other}")
    return claims


@pytest.fixture(scope="module")
def jwks() -> Iterator[str]:
    public = jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
    body = json.dumps({"keys": [{**public, "kid": "k", "alg": "RS256", "use": "sig"}]}).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/certs"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("roles_claim", ["roles", "realm_access.roles"])
@pytest.mark.parametrize("client", ["frontend", "mppctl"])
def test_a_persons_token_is_accepted(jwks: str, client: str, roles_claim: str) -> None:
    door = Authenticator(KeySet(jwks), ISSUER, "mpp", lambda nik: "index", ClaimNames(roles=roles_claim))
    claims = printed(CLIENTS[client], ["officer", "citizen"], OFFICER)
    caller = door.caller(jwt.encode(claims, KEY, algorithm="RS256", headers={"kid": "k"}))
    assert caller.roles == {"officer", "citizen"}  # none of Keycloak's own
    assert (caller.site, caller.agency, caller.counter, caller.nik) == ("malang", "dukcapil", 3, "3573014101900001")
    assert caller.owner_keys == {"sub:5f2c", "nik:index"}


def test_a_citizen_without_attributes_is_accepted(jwks: str) -> None:
    door = Authenticator(KeySet(jwks), ISSUER, "mpp", lambda nik: "index")
    claims = printed(CLIENTS["frontend"], ["citizen"], {})
    caller = door.caller(jwt.encode(claims, KEY, algorithm="RS256", headers={"kid": "k"}))
    assert (caller.roles, caller.site, caller.agency, caller.counter) == ({"citizen"}, "", "", 0)


def test_a_service_account_gets_its_claims_from_its_own_client(jwks: str) -> None:
    client = CLIENTS["agency-template"]
    (user,) = (u for u in REALM["users"] if u["serviceAccountClientId"] == client["clientId"])
    door = Authenticator(KeySet(jwks), ISSUER, "mpp", lambda nik: "index")
    claims = printed(client, user["realmRoles"], {})
    caller = door.caller(jwt.encode(claims, KEY, algorithm="RS256", headers={"kid": "k"}))
    assert (caller.roles, caller.site, caller.agency) == ({"service"}, "malang", "dukcapil")


def test_the_realm_has_the_platforms_roles_and_no_others() -> None:
    assert {role["name"] for role in REALM["roles"]["realm"]} == ROLES


def test_browsers_and_the_command_line_are_public_with_pkce_and_nothing_older() -> None:
    for name in ("frontend", "mppctl"):
        client = CLIENTS[name]
        assert client["publicClient"]
        assert client["attributes"]["pkce.code.challenge.method"] == "S256"
        assert not client["implicitFlowEnabled"]
        assert not client["directAccessGrantsEnabled"]
        assert not any("*" in uri for uri in client["redirectUris"])
    assert CLIENTS["frontend"]["webOrigins"] == ["+"]
    assert CLIENTS["mppctl"]["attributes"]["oauth2.device.authorization.grant.enabled"] == "true"


def test_the_template_of_service_accounts_is_off_and_reaches_no_further_than_its_role() -> None:
    client = CLIENTS["agency-template"]
    assert not client["enabled"]
    assert not client["publicClient"]
    assert client["serviceAccountsEnabled"]
    assert not client["standardFlowEnabled"]
    assert not client["fullScopeAllowed"]
    assert {"client": "agency-template", "roles": ["service"]} in REALM["scopeMappings"]
    assert "secret" not in client


def test_nobody_writes_their_own_site_agency_or_nik() -> None:
    (provider,) = REALM["components"]["org.keycloak.userprofile.UserProfileProvider"]
    profile = json.loads(provider["config"]["kc.user.profile.config"][0])
    assert "unmanagedAttributePolicy" not in profile  # what is not declared cannot be set
    rights = {attribute["name"]: attribute["permissions"]["edit"] for attribute in profile["attributes"]}
    configs = [mapper["config"] for client in CLIENTS.values() for mapper in client["protocolMappers"]]
    mapped = {config["user.attribute"] for config in configs if "user.attribute" in config}
    assert mapped == {"site", "agency", "counter", "nik"}
    assert all(rights[name] == ["admin"] for name in mapped)


def test_the_nik_is_in_the_access_token_only() -> None:
    for client in CLIENTS.values():
        for mapper in client["protocolMappers"]:
            if mapper["config"].get("claim.name") == "nik":
                assert (mapper["config"]["id.token.claim"], mapper["config"]["userinfo.token.claim"]) == (
                    "false",
                    "false",
                )


def test_the_file_holds_no_secret_and_no_person() -> None:
    text = json.dumps(REALM)
    assert '"secret"' not in text
    assert '"credentials"' not in text
    assert all(user["username"].startswith("service-account-") for user in REALM["users"])
    assert REALM["sslRequired"] != "none"
    assert REALM["revokeRefreshToken"]
