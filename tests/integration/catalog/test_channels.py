"""Channels and their kinds on the real store: settings fit the kind, what is referred to exists, events tell."""

from __future__ import annotations

from typing import Any

import pytest
from mpp.catalog.v1 import catalog_service_pb2 as rpc
from mpp.catalog.v1 import channel_pb2

KIND = channel_pb2.ChannelAttribute


def text(words: str) -> dict[str, str]:
    return {"id": words, "en": words}


@pytest.fixture
def corner(office: Any) -> Any:
    office.apply_offering()
    office.apply_channel_kind()
    return office


def test_a_channel_is_read_back_and_listed(corner: Any, eventually: Any) -> None:
    ear = corner.ear()
    applied = corner.apply_channel()
    assert corner.apply_channel() == applied
    assert corner.stub.GetChannel(rpc.GetChannelRequest(name=applied.name), timeout=30) == applied
    lane = applied.settings["lanes"][0]
    assert (lane["id"], lane["counter"]) == ("satu", 3)
    listed = corner.stub.ListChannels(rpc.ListChannelsRequest(parent=corner.site), timeout=30).channels
    assert list(listed) == [applied]
    for narrowed, found in (
        ({"agency": f"{corner.site}/agencies/dukcapil"}, 1),
        ({"agency": f"{corner.site}/agencies/samsat"}, 0),
        ({"kind": f"{corner.site}/channelKinds/drive_thru"}, 1),
        ({"kind": f"{corner.site}/channelKinds/room", "agency": f"{corner.site}/agencies/dukcapil"}, 0),
    ):
        request = rpc.ListChannelsRequest(parent=corner.site, **narrowed)
        assert len(corner.stub.ListChannels(request, timeout=30).channels) == found
    kinds = corner.stub.ListChannelKinds(rpc.ListChannelKindsRequest(parent=corner.site), timeout=30).channel_kinds
    assert [k.name.rsplit("/", 1)[1] for k in kinds] == ["drive_thru"]
    got = corner.stub.GetChannelKind(rpc.GetChannelKindRequest(name=kinds[0].name), timeout=30)
    assert got.attributes == kinds[0].attributes
    eventually(lambda: [key for key, _, _ in ear.listen()] == ["channel_published.v1"])
    assert ear.heard[0][2]["channel"]["settings"]["lanes"][0]["counter"] == 3


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"lanes": [{"id": "satu"}, {"id": "dua", "counter": "x"}]}, "channel.settings.lanes[1].counter"),
        ({"lanes": [{"id": "satu", "counter": 1.5}]}, "channel.settings.lanes[0].counter"),
        ({"lanes": []}, None),
        ({}, "channel.settings.lanes"),
        ({"lanes": [], "wheels": 4}, "channel.settings.wheels"),
        ({"lanes": [], "document": "KTP"}, "channel.settings.document"),
    ],
)
def test_settings_that_do_not_fit_name_their_path(corner: Any, settings: Any, field: str | None) -> None:
    channel = corner.a_channel()
    channel.settings.Clear()
    channel.settings.update(settings)
    if field is None:
        corner.apply_channel(channel)
        return
    refused = corner.refused(lambda: corner.apply_channel(channel))
    assert (refused.code, refused.fields) == ("INVALID_ARGUMENT", (field,))
    assert corner.document("channels", channel.name) is None


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"kind": "channelKinds/room"}, "CHANNEL_KIND_NOT_FOUND", "channel.kind"),
        ({"agency": "agencies/dlh"}, "AGENCY_NOT_FOUND", "channel.agency"),
        ({"agency": "agencies/samsat"}, "OFFERING_NOT_FOUND", "channel.offerings[0]"),
        ({"offerings": ["offerings/tidak-ada"]}, "OFFERING_NOT_FOUND", "channel.offerings[0]"),
    ],
)
def test_what_a_channel_refers_to_must_exist(corner: Any, change: Any, reason: str, field: str) -> None:
    site = corner.site
    full = {k: [f"{site}/{one}" for one in v] if isinstance(v, list) else f"{site}/{v}" for k, v in change.items()}
    refused = corner.refused(lambda: corner.apply_channel(corner.a_channel(**full)))
    assert (refused.code, refused.reason, refused.fields) == ("FAILED_PRECONDITION", reason, (field,))


def test_a_kind_does_not_leave_its_channels_behind(corner: Any) -> None:
    channel = corner.apply_channel()
    wanted = corner.a_channel_kind()
    wanted.attributes.add(id="roof", display_name=text("Atap"), type=KIND.TYPE_FLAG, required=True)
    refused = corner.refused(lambda: corner.apply_channel_kind(wanted))
    assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "CHANNEL_UNFIT")
    wanted.attributes[-1].required = False
    corner.apply_channel_kind(wanted)
    corner.delete_channel(channel.name)
    wanted.attributes[-1].required = True
    corner.apply_channel_kind(wanted)


def test_a_kind_that_contradicts_itself_names_the_field(office: Any) -> None:
    wanted = office.a_channel_kind()
    wanted.attributes[0].entries[1].least = 9999
    refused = office.refused(lambda: office.apply_channel_kind(wanted))
    assert refused.fields == ("channel_kind.attributes[0].entries[1].most",)


def test_an_agencys_admin_keeps_the_channels_of_that_agency_only(corner: Any) -> None:
    corner.apply_channel(who=corner.admin("dukcapil"))
    stolen = corner.a_channel(agency=f"{corner.site}/agencies/samsat", offerings=[])
    other = corner.admin("samsat")
    for call in (
        lambda: corner.apply_channel(stolen, who=other),
        lambda: corner.apply_channel(who=other),
        lambda: corner.delete_channel(stolen.name, who=other),
        lambda: corner.apply_channel_kind(who=corner.admin("dukcapil")),
    ):
        assert corner.refused(call).code == "PERMISSION_DENIED"
    corner.delete_channel(stolen.name, who=corner.admin("dukcapil"))
