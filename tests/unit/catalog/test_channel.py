"""Kinds of channel are data: what contradicts itself, what fits, and where it does not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpp_catalog import domain, messages
from mpp_catalog.domain import AgendaHours, AppointmentRules, Attribute, Channel, ChannelKind, Text

ENTRIES = (
    Attribute("id", Text("Jalur"), "text", required=True),
    Attribute("counter", Text("Loket"), "number", least=1, most=99),
    Attribute("optional", Text("Boleh dilewati"), "flag"),
)
KIND = ChannelKind(
    name="sites/malang/channelKinds/drive_thru",
    display_name=Text("Lantatur", "Drive-thru"),
    attributes=(
        Attribute("lanes", Text("Jalur"), "list", required=True, entries=ENTRIES),
        Attribute("document", Text("Dokumen"), "text", words=("SIM", "SKCK")),
        Attribute("days", Text("Hari"), "texts", words=("monday", "friday")),
        Attribute("note", Text("Catatan"), "localized_text"),
        Attribute("seats", Text("Kursi"), "number"),
    ),
)
SETTINGS: dict[str, Any] = {
    "lanes": [{"id": "satu", "counter": 3}, {"id": "dua", "optional": True}],
    "document": "SIM",
    "days": ["monday"],
    "note": {"id": "Siapkan KTP", "en": "Have your card ready"},
    "seats": -4,
}
CHANNEL = Channel(
    name="sites/malang/channels/sim-corner",
    kind=KIND.name,
    agency="sites/malang/agencies/polresta",
    display_name=Text("Pojok SIM", "Licence corner"),
    offerings=("sites/malang/offerings/sim-perpanjangan",),
    settings=SETTINGS,
    appointments=AppointmentRules(slot_minutes=15, places=2, hours=(AgendaHours(2, "09:00", "11:00"),)),
)


def refused(kind: ChannelKind, settings: Any) -> str | None:
    with pytest.raises(domain.InvalidField) as caught:
        kind.check_settings(settings)
    return caught.value.field


def test_settings_that_fit_are_taken() -> None:
    KIND.check()
    CHANNEL.check()
    KIND.check_settings(SETTINGS)
    KIND.check_settings({"lanes": []})


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"lanes": None}, "lanes"),
        ({"lanes": "satu"}, "lanes"),
        ({"lanes": ["satu"]}, "lanes[0]"),
        ({"lanes": [{"id": "a"}, {"counter": 3}]}, "lanes[1].id"),
        ({"lanes": [{"id": "a"}, {"id": "a"}]}, "lanes"),
        ({"lanes": [{"id": "a"}, {"id": "b", "counter": 100}]}, "lanes[1].counter"),
        ({"lanes": [{"id": "a", "counter": 0}]}, "lanes[0].counter"),
        ({"lanes": [{"id": "a", "counter": 2.5}]}, "lanes[0].counter"),
        ({"lanes": [{"id": "a", "counter": True}]}, "lanes[0].counter"),
        ({"lanes": [{"id": "a", "counter": "3"}]}, "lanes[0].counter"),
        ({"lanes": [{"id": "a", "colour": "red"}]}, "lanes[0].colour"),
        ({"lanes": [{"id": "a", "optional": 1}]}, "lanes[0].optional"),
        ({"document": "KTP"}, "document"),
        ({"document": " "}, "document"),
        ({"document": "x" * 3000}, "document"),
        ({"days": ["monday", "sunday"]}, "days[1]"),
        ({"days": ["monday", "monday"]}, "days"),
        ({"note": "Siapkan KTP"}, "note"),
        ({"note": {"en": "Ready"}}, "note"),
        ({"note": {"id": "a", "jv": "b"}}, "note"),
        ({"note": {"id": " "}}, "note.id"),
        ({"note": {"id": 3}}, "note"),
        ({"roof": True}, "roof"),
    ],
)
def test_a_value_that_does_not_fit_is_named_by_its_path(change: dict[str, Any], field: str) -> None:
    assert refused(KIND, {**SETTINGS, **change}) == f"channel.settings.{field}"


WHICH = {
    "least": (replace(KIND.attributes[1], least=1), "attributes[0].least"),
    "most": (replace(KIND.attributes[4], least=5, most=4), "attributes[0].most"),
    "words": (replace(KIND.attributes[4], words=("a",)), "attributes[0].words"),
    "words twice": (replace(KIND.attributes[1], words=("a", "a")), "attributes[0].words"),
    "list without entries": (replace(KIND.attributes[0], entries=()), "attributes[0].entries"),
    "entries without list": (replace(KIND.attributes[1], entries=ENTRIES), "attributes[0].entries"),
    "two levels": (replace(KIND.attributes[0], entries=(KIND.attributes[0],)), "attributes[0].entries[0].type"),
    "entry twice": (replace(KIND.attributes[0], entries=ENTRIES + ENTRIES[:1]), "attributes[0].entries"),
    "no name": (replace(KIND.attributes[1], display_name=Text("")), "attributes[0].display_name.id"),
}


@pytest.mark.parametrize(("attribute", "field"), WHICH.values(), ids=WHICH)
def test_a_kind_that_contradicts_itself_names_the_field(attribute: Attribute, field: str) -> None:
    with pytest.raises(domain.InvalidField) as caught:
        replace(KIND, attributes=(attribute,)).check()
    assert caught.value.field == f"channel_kind.{field}"


def test_an_attribute_is_there_once() -> None:
    with pytest.raises(domain.InvalidField, match="given twice"):
        replace(KIND, attributes=KIND.attributes + KIND.attributes[:1]).check()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "sites/batu/channelKinds/room"}, "channel.kind"),
        ({"agency": "sites/batu/agencies/kua"}, "channel.agency"),
        ({"offerings": ("sites/malang/offerings/a", "sites/batu/offerings/b")}, "channel.offerings[1]"),
        ({"offerings": ("sites/malang/offerings/a",) * 2}, "channel.offerings"),
        ({"display_name": Text(" ")}, "channel.display_name.id"),
        (
            {"appointments": AppointmentRules(slot_minutes=15, places=1, public_places=2)},
            "channel.appointments.public_places",
        ),
    ],
)
def test_a_channel_names_the_field_that_is_wrong(change: dict[str, Any], field: str) -> None:
    with pytest.raises(domain.InvalidField) as caught:
        replace(CHANNEL, **change).check()
    assert caught.value.field == field


def test_a_kind_that_changed_names_the_channel_that_would_not_fit() -> None:
    stricter = replace(KIND, attributes=(*KIND.attributes, Attribute("roof", Text("Atap"), "flag", required=True)))
    KIND.refuse_unfit([(CHANNEL.name, SETTINGS)])
    with pytest.raises(domain.ChannelUnfit) as caught:
        stricter.refuse_unfit([(CHANNEL.name, {**SETTINGS, "roof": True}), ("sites/malang/channels/x", SETTINGS)])
    assert caught.value.metadata == {"channel": "sites/malang/channels/x"}


def test_what_is_stored_is_shown_and_read_back_the_same() -> None:
    for resource, show, read in (
        (KIND, messages.channel_kind, messages.to_channel_kind),
        (CHANNEL, messages.channel, messages.to_channel),
        (replace(CHANNEL, settings={}, appointments=None), messages.channel, messages.to_channel),
    ):
        shown = show(resource.name, 1, messages.fields(resource))  # type: ignore[operator]
        assert read(shown) == resource  # type: ignore[operator]


ATTRIBUTES = st.sampled_from(KIND.attributes)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 200)
    | st.text(max_size=5)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "en", "counter", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*SETTINGS, "roof"]), JSON, max_size=4))
def test_whatever_comes_it_is_taken_or_refused_with_a_path(settings: dict[str, Any]) -> None:
    field = "channel.settings."
    try:
        KIND.check_settings(settings)
    except domain.InvalidField as error:
        field = error.field or ""
    else:
        KIND.check_settings(messages.to_channel(messages.channel("sites/a/channels/b", 1, stored(settings))).settings)
    assert field.startswith("channel.settings.")


def stored(settings: dict[str, Any]) -> dict[str, Any]:
    return messages.fields(replace(CHANNEL, settings=settings))


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 0.5, -float("inf")])
def test_a_number_that_is_none_is_refused(value: float) -> None:
    assert refused(KIND, {"lanes": [], "seats": value}) == "channel.settings.seats"
    message = messages.channel("sites/a/channels/b", 1, stored({"seats": 1}))
    message.settings["seats"] = value
    assert refused(KIND, {"lanes": [], **messages.to_channel(message).settings}) == "channel.settings.seats"


def test_a_list_has_an_end() -> None:
    assert refused(KIND, {"lanes": [{"id": f"l{n}"} for n in range(201)]}) == "channel.settings.lanes"


@pytest.mark.parametrize(
    ("on", "reason", "count"),
    [
        (domain.Dependants(["o"], ["c"], 3, 2), "OPEN_TICKETS", "3"),
        (domain.Dependants(["o"], ["c"], 0, 2), "OPEN_APPLICATIONS", "2"),
        (domain.Dependants(["o"], ["c"], appointments=4), "OPEN_APPOINTMENTS", "4"),
        (domain.Dependants(["o"], ["c", "d"]), "HAS_CHANNELS", "2"),
        (domain.Dependants(["o"]), "HAS_OFFERINGS", "1"),
    ],
)
def test_what_hangs_on_a_resource_holds_it_and_citizens_are_told_of_first(
    on: domain.Dependants, reason: str, count: str
) -> None:
    with pytest.raises(domain.CatalogError) as caught:
        domain.refuse_retiring("sites/x/agencies/a", on)
    assert (caught.value.reason, caught.value.metadata["count"]) == (reason, count)
    domain.refuse_retiring("sites/x/agencies/a", domain.Dependants())
