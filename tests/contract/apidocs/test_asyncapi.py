"""docs/api/asyncapi.json: the public events as the services send them, and nothing of a person in it."""

from __future__ import annotations

import copy
import importlib
import json
from typing import Any

import pytest
from jsonschema import Draft7Validator
from mpp_chassis.broker import entitlement_stream
from mpp_chassis.events import PUBLIC_EXCHANGE, EventType, event_types

from tests.contract.apidocs.schemas import ROOT, document, faults, strict

ASYNCAPI = document("asyncapi.json")
CLOSED = strict(ASYNCAPI)
OFFICIAL = json.loads((ROOT / "tests/contract/apidocs/schemas/asyncapi-3.0.0.json").read_text())
EVENTS = {
    kind.message.DESCRIPTOR.full_name: kind
    for file in sorted((ROOT / "proto" / "mpp").glob("*/v1/events.proto"))
    for kind in event_types(importlib.import_module(f"mpp.{file.parent.parent.name}.v1.events_pb2"))
}
PUBLIC = {name: kind for name, kind in EVENTS.items() if kind.public}
MESSAGES = ASYNCAPI["components"]["messages"]


def test_it_is_asyncapi_3_by_the_official_schema_and_a_broken_copy_is_not() -> None:
    validator = Draft7Validator(OFFICIAL)
    assert [e.message[:300] for e in validator.iter_errors(ASYNCAPI)] == []
    for spoil in (
        lambda d: d["channels"]["public.queue"].update(adress="x"),
        lambda d: d["operations"]["deliverToAgency"].update(action="publish"),
        lambda d: d["components"]["messages"]["mpp.queue.v1.TicketCalled"]["bindings"]["amqp"].update(queue={}),
    ):
        broken = copy.deepcopy(ASYNCAPI)
        spoil(broken)
        assert list(validator.iter_errors(broken))


def test_each_reference_leads_somewhere() -> None:
    for reference in references(ASYNCAPI):
        place: Any = ASYNCAPI
        for step in reference.removeprefix("#/").split("/"):
            assert step in place, reference
            place = place[step]


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [r for inside in value.values() for r in references(inside)]
    return [r for inside in value for r in references(inside)] if isinstance(value, list) else []


def test_every_public_event_is_there_and_no_internal_one() -> None:
    assert {name for name in MESSAGES if name.startswith("mpp.")} == set(PUBLIC)
    text = json.dumps(ASYNCAPI)
    for name in set(EVENTS) - set(PUBLIC):
        assert f'"{name}"' not in text


@pytest.mark.parametrize("name", PUBLIC)
def test_an_event_is_told_as_the_chassis_sends_it(name: str) -> None:
    kind: EventType = PUBLIC[name]
    key = kind.public_key
    assert MESSAGES[name]["x-mpp-routing-key"] == key
    channel = ASYNCAPI["channels"][key]
    assert channel["bindings"]["amqp"]["exchange"]["name"] == PUBLIC_EXCHANGE
    assert list(channel["messages"]) == [name]
    assert name in ASYNCAPI["channels"][entitlement_stream(kind.source)]["messages"]
    assert name in ASYNCAPI["channels"]["agencyQueue"]["messages"]


@pytest.mark.parametrize("name", PUBLIC)
def test_no_personal_field_is_described(name: str) -> None:
    kind = PUBLIC[name]
    by_name = kind.message.DESCRIPTOR.fields_by_name
    told = set(ASYNCAPI["components"]["schemas"][name]["properties"])
    hidden = {by_name[field].json_name for field in kind.personal}
    assert told == {f.json_name for f in kind.message.DESCRIPTOR.fields} - hidden


def test_the_three_ways_in_are_told() -> None:
    servers = ASYNCAPI["servers"]
    assert {servers[s]["protocol"] for s in servers} == {"amqps", "grpc", "https"}
    assert ASYNCAPI["channels"]["feed"]["address"] == "/mpp.subscriptions.v1.FeedService/Subscribe"
    headers = MESSAGES["WebhookDelivery"]["headers"]["required"]
    assert headers == ["webhook-id", "webhook-timestamp", "webhook-signature"]


@pytest.mark.parametrize("name", [n for n in PUBLIC if "examples" in MESSAGES[n]])
def test_a_sample_keeps_to_its_schema(name: str) -> None:
    for sample in MESSAGES[name]["examples"]:
        assert faults(MESSAGES[name]["payload"], CLOSED, sample["payload"]) == []


def test_samples_are_of_events_that_exist() -> None:
    from mpp_apidocs.examples import payloads

    assert set(payloads()) <= set(PUBLIC)
