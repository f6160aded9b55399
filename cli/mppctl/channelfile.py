"""Files of channels and their kinds. Knows the format and the public messages; whether settings fit a kind is told by
the catalogue, which knows the kind.
"""

from __future__ import annotations

from mpp.catalog.v1 import channel_pb2

from mppctl import fileparts
from mppctl.yamlfile import Value

_TYPES = {
    "text": channel_pb2.ChannelAttribute.TYPE_TEXT,
    "number": channel_pb2.ChannelAttribute.TYPE_NUMBER,
    "flag": channel_pb2.ChannelAttribute.TYPE_FLAG,
    "texts": channel_pb2.ChannelAttribute.TYPE_TEXTS,
    "localized_text": channel_pb2.ChannelAttribute.TYPE_LOCALIZED_TEXT,
    "list": channel_pb2.ChannelAttribute.TYPE_LIST,
}


def kind(value: Value) -> channel_pb2.ChannelKind:
    """`kind: ChannelKind`. Raises FileProblem."""
    f = value.fields("kind site id name_id attributes", "name_en")
    site, name = fileparts.identifier(f["site"]), fileparts.kind_identifier(f["id"])
    return channel_pb2.ChannelKind(
        name=f"sites/{site}/channelKinds/{name}",
        display_name=fileparts.name(f),
        attributes=[_attribute(item) for item in f["attributes"].items()],
    )


def channel(value: Value) -> channel_pb2.Channel:
    """`kind: Channel`. Raises FileProblem."""
    f = value.fields(
        "kind site id channel_kind agency name_id", "name_en source offerings settings appointments closures"
    )
    if source := f.get("source"):
        source.choice({"public": None, "sample": None})  # for who reads the file; the catalogue has no such mark
    site = f"sites/{fileparts.identifier(f['site'])}"
    offerings, settings, rules = f.get("offerings"), f.get("settings"), f.get("appointments")
    message = channel_pb2.Channel(
        name=f"{site}/channels/{fileparts.identifier(f['id'])}",
        kind=f"{site}/channelKinds/{fileparts.kind_identifier(f['channel_kind'])}",
        agency=f"{site}/agencies/{fileparts.identifier(f['agency'])}",
        display_name=fileparts.name(f),
        offerings=[f"{site}/offerings/{fileparts.identifier(item)}" for item in offerings.items()] if offerings else [],
    )
    if settings:
        plain = settings.plain()
        if not isinstance(plain, dict):
            raise settings.problem("must be a mapping (key: value)")
        message.settings.update(plain)
    if rules:
        message.appointments.CopyFrom(fileparts.appointments(rules))
    if days := f.get("closures"):
        message.closures.extend(fileparts.closures(days))
    return message


def _attribute(value: Value) -> channel_pb2.ChannelAttribute:
    f = value.fields("id name_id type", "name_en required least most words entries")
    required, words, entries = f.get("required"), f.get("words"), f.get("entries")
    return channel_pb2.ChannelAttribute(
        id=fileparts.kind_identifier(f["id"]),
        display_name=fileparts.name(f),
        type=f["type"].choice(_TYPES),
        required=bool(required and required.flag()),
        least=fileparts.whole(f, "least"),
        most=fileparts.whole(f, "most"),
        words=words.texts() if words else [],
        entries=[_attribute(item) for item in entries.items()] if entries else [],
    )
