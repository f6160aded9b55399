"""Channels and their kinds: a kind declares attributes, a channel has values for them. A kind is data, not code.

Knows the types that an attribute may have and how a value fits; never a kind by name: no rule here asks which kind it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from mpp_catalog.domain.errors import ChannelUnfit, InvalidField
from mpp_catalog.domain.parts import Closure, Text, check_closures, check_text, check_unique, site_of
from mpp_catalog.domain.queue import AppointmentRules

TEXT, NUMBER, FLAG, TEXTS, LOCALIZED_TEXT, LIST = "text", "number", "flag", "texts", "localized_text", "list"
TEXT_MOST = 2000  # letters of one text
ITEMS_MOST = 200  # of one list


@dataclass(frozen=True, slots=True)
class ChannelKindPublished:
    """A kind of channel is new or changed."""

    kind: ChannelKind


@dataclass(frozen=True, slots=True)
class ChannelPublished:
    """A channel is new or changed."""

    channel: Channel


@dataclass(frozen=True, slots=True)
class Attribute:
    """One thing that a channel tells about itself. `least` and `most` of a NUMBER, both 0: any."""

    id: str
    display_name: Text
    type: str
    required: bool = False
    least: int = 0
    most: int = 0
    words: tuple[str, ...] = ()
    entries: tuple[Attribute, ...] = ()

    def check(self, at: str) -> None:
        """Raise InvalidField for a bound, words or entries that this type cannot have, or that contradict each other."""
        check_text(f"{at}.display_name", self.display_name)
        if self.type != NUMBER and (self.least or self.most):
            raise InvalidField(f"{at}.least", f"least and most belong to numbers, not to a {self.type}")
        if self.most < self.least:
            raise InvalidField(f"{at}.most", f"must not be less than least ({self.least})")
        if self.words and self.type not in (TEXT, TEXTS):
            raise InvalidField(f"{at}.words", f"belong to texts, not to a {self.type}")
        check_unique(f"{at}.words", self.words)
        if self.type == LIST and not self.entries:
            raise InvalidField(f"{at}.entries", "a list needs the attributes of its entries")
        if self.entries and self.type != LIST:
            raise InvalidField(f"{at}.entries", f"belong to a list, not to a {self.type}")
        for index, entry in enumerate(self.entries):
            if entry.type == LIST:
                raise InvalidField(f"{at}.entries[{index}].type", "a list within a list is one level too deep")
            entry.check(f"{at}.entries[{index}]")
        check_unique(f"{at}.entries", [entry.id for entry in self.entries])


@dataclass(frozen=True, slots=True)
class ChannelKind:
    """What channels of a kind tell about themselves: `sites/{site}/channelKinds/{kind}`."""

    name: str
    display_name: Text
    attributes: tuple[Attribute, ...] = ()
    published_at: datetime | None = field(default=None, compare=False)
    published_by: str = field(default="", compare=False)
    events: tuple[ChannelKindPublished, ...] = field(default=(), compare=False)

    def check(self) -> None:
        """Raise InvalidField for an attribute given twice or one that breaks a rule of its own."""
        check_text("channel_kind.display_name", self.display_name)
        check_unique("channel_kind.attributes", [a.id for a in self.attributes])
        for index, attribute in enumerate(self.attributes):
            attribute.check(f"channel_kind.attributes[{index}]")

    def announced(self) -> ChannelKind:
        """This kind with the event that tells of it."""
        return replace(self, events=(ChannelKindPublished(self),))

    def check_settings(self, settings: Mapping[str, Any]) -> None:
        """Raise InvalidField with the path of the first value that does not fit: `channel.settings.lanes[1].counter`."""
        _check_values("channel.settings", _last(self.name), self.attributes, settings)

    def refuse_unfit(self, channels: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Raise ChannelUnfit where a channel of this kind (name, settings) would no longer fit it."""
        for name, settings in channels:
            try:
                self.check_settings(settings)
            except InvalidField as error:
                raise ChannelUnfit(
                    f"{name} would not fit: {error}", field="channel_kind.attributes", metadata={"channel": name}
                ) from error


@dataclass(frozen=True, slots=True)
class Channel:
    """A way by which citizens come to an agency's services: `sites/{site}/channels/{channel}`."""

    name: str
    kind: str
    agency: str
    display_name: Text
    offerings: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    appointments: AppointmentRules | None = None
    closures: tuple[Closure, ...] = ()
    published_at: datetime | None = field(default=None, compare=False)
    published_by: str = field(default="", compare=False)
    events: tuple[ChannelPublished, ...] = field(default=(), compare=False)

    def check(self) -> None:
        """Raise InvalidField for what belongs to another site, a blank text, bookings that break a rule of their own."""
        site = site_of(self.name)
        for path, name in (("channel.kind", self.kind), ("channel.agency", self.agency)):
            if site_of(name) != site:
                raise InvalidField(path, "belongs to another site")
        for index, offering in enumerate(self.offerings):
            if site_of(offering) != site:
                raise InvalidField(f"channel.offerings[{index}]", "belongs to another site")
        check_unique("channel.offerings", self.offerings)
        check_text("channel.display_name", self.display_name)
        if self.appointments:
            self.appointments.check("channel.appointments")
        check_closures("channel.closures", self.closures)

    def announced(self) -> Channel:
        """This channel with the event that tells of it."""
        return replace(self, events=(ChannelPublished(self),))


def _check_values(at: str, owner: str, attributes: Sequence[Attribute], values: Mapping[str, Any]) -> None:
    known = {attribute.id: attribute for attribute in attributes}
    for key in values:
        if key not in known:
            raise InvalidField(f"{at}.{key}", f"{owner} has no attribute {key!r}; it has {', '.join(known) or 'none'}")
    for attribute in attributes:
        value = values.get(attribute.id)
        if value is not None:
            _check_value(f"{at}.{attribute.id}", attribute, value)
        elif attribute.required:
            raise InvalidField(f"{at}.{attribute.id}", f"is missing; {owner} needs it")


def _check_value(at: str, attribute: Attribute, value: Any) -> None:
    if attribute.type == TEXT:
        _check_word(at, attribute, value)
    elif attribute.type == NUMBER:
        _check_number(at, attribute, value)
    elif attribute.type == FLAG:
        if not isinstance(value, bool):
            raise InvalidField(at, "must be true or false")
    elif attribute.type == TEXTS:
        for index, item in enumerate(_list(at, value)):
            _check_word(f"{at}[{index}]", attribute, item)
        check_unique(at, value)
    elif attribute.type == LOCALIZED_TEXT:
        _check_localized(at, value)
    else:
        _check_entries(at, attribute, value)


def _check_word(at: str, attribute: Attribute, value: Any) -> None:
    if not isinstance(value, str) or not value.strip():
        raise InvalidField(at, "must be a text that says something")
    if len(value) > TEXT_MOST:
        raise InvalidField(at, f"must be at most {TEXT_MOST} letters long")
    if attribute.words and value not in attribute.words:
        raise InvalidField(at, f"{value!r} is not one of {', '.join(attribute.words)}")


def _check_number(at: str, attribute: Attribute, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not float(value).is_integer():
        raise InvalidField(at, "must be a whole number")
    if (attribute.least or attribute.most) and not attribute.least <= value <= attribute.most:
        raise InvalidField(at, f"must be from {attribute.least} to {attribute.most}")


def _check_localized(at: str, value: Any) -> None:
    if not isinstance(value, Mapping) or not {"id"} <= value.keys() <= {"id", "en"}:
        raise InvalidField(at, "must be a text in Indonesian with English beside it: {id: ..., en: ...}")
    if not all(isinstance(text, str) and len(text) <= TEXT_MOST for text in value.values()):
        raise InvalidField(at, f"must be texts of at most {TEXT_MOST} letters")
    check_text(at, Text(value["id"]))


def _check_entries(at: str, attribute: Attribute, value: Any) -> None:
    entries = _list(at, value)
    for index, entry in enumerate(entries):
        if not isinstance(entry, Mapping):
            raise InvalidField(f"{at}[{index}]", "must be a mapping (key: value)")
        _check_values(f"{at}[{index}]", f"an entry of {attribute.id!r}", attribute.entries, entry)
    check_unique(at, [entry["id"] for entry in entries if isinstance(entry.get("id"), str)])


def _list(at: str, value: Any) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise InvalidField(at, "must be a list")
    if len(value) > ITEMS_MOST:
        raise InvalidField(at, f"must have at most {ITEMS_MOST} items")
    return value


def _last(name: str) -> str:
    return name.rsplit("/", 1)[1]
