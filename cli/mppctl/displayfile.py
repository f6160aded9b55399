"""Files of displays (a hall's screens), both ways. Knows the format and the public message; what a screen may be told
is decided by the queue service.
"""

from __future__ import annotations

from typing import Any

from mpp.queue.v1 import display_pb2

from mppctl import fileparts
from mppctl.fileparts import identifier
from mppctl.yamlfile import Fields, Value

_WHOLES = "rows columns highlight_seconds last_calls"
_FLAGS = "blink speech show_waiting show_wait show_clock"
_WORDS = "ring image_url qr_url"
_LABELS = tuple(display_pb2.DisplayLabels.DESCRIPTOR.fields_by_name)
_TEXTS = "title_id title_en closed_text_id closed_text_en"
_KEYS = f"queues agencies labels speech_languages messages slides {_TEXTS} {_WHOLES} {_FLAGS} {_WORDS}"
_MOST = 2**31 - 1  # of the contract's whole numbers


def display(value: Value) -> display_pb2.Display:
    """`kind: Display`. Raises FileProblem."""
    f = value.fields("kind site id", _KEYS)
    site = f"sites/{identifier(f['site'])}"
    message = display_pb2.Display(name=f"{site}/displays/{identifier(f['id'])}")
    _plain(f, message)
    for key in ("queues", "agencies"):
        if names := f.get(key):
            getattr(message, key).extend(f"{site}/{key}/{identifier(item)}" for item in names.items())
    if languages := f.get("speech_languages"):
        message.speech_languages.extend(languages.texts())
    for key in ("title", "closed_text"):
        _text(f, key, getattr(message, key))
    if labels := f.get("labels"):
        message.labels.CopyFrom(_labels(labels))
    if running := f.get("messages"):
        message.messages.extend(_message(item) for item in running.items())
    if slides := f.get("slides"):
        message.slides.extend(_slide(item) for item in slides.items())
    return message


def _plain(f: Fields, message: display_pb2.Display) -> None:
    for key in _WHOLES.split():
        setattr(message, key, _whole(f, key))
    for key in _FLAGS.split():
        flag = f.get(key)
        setattr(message, key, bool(flag and flag.flag()))
    for key in _WORDS.split():
        setattr(message, key, f.text(key))


def _labels(value: Value) -> display_pb2.DisplayLabels:
    f = value.fields("", " ".join(f"{label}_id {label}_en" for label in _LABELS))
    labels = display_pb2.DisplayLabels()
    for label in _LABELS:
        _text(f, label, getattr(labels, label))
    return labels


def document(message: display_pb2.Display) -> dict[str, Any]:
    """The file that says it: `display` of it is the message again, without its etag. Times are in UTC."""
    site, _, short = message.name.removeprefix("sites/").split("/")
    found: dict[str, Any] = {"kind": "Display", "site": site, "id": short, **_said("title", message.title)}
    for key in ("queues", "agencies"):
        found[key] = [name.rpartition("/")[2] for name in getattr(message, key)]
    found |= {key: getattr(message, key) for key in f"{_WHOLES} {_FLAGS} {_WORDS}".split()}
    found["speech_languages"] = list(message.speech_languages)
    found["messages"] = [_running(one) for one in message.messages]
    found["slides"] = [
        {"media_url": s.media_url, "seconds": s.seconds, **_said("caption", s.caption)} for s in message.slides
    ]
    found |= _said("closed_text", message.closed_text)
    found = {key: value for key, value in found.items() if value not in ("", [], 0, False)}
    if message.HasField("labels"):
        found["labels"] = {k: v for label in _LABELS for k, v in _said(label, getattr(message.labels, label)).items()}
    return found


def _message(value: Value) -> display_pb2.DisplayMessage:
    f = value.fields("text_id", "text_en starts_at ends_at")
    message = display_pb2.DisplayMessage()
    _text(f, "text", message.text)
    for key in ("starts_at", "ends_at"):
        if moment := f.get(key):
            try:
                getattr(message, key).FromJsonString(moment.text())
            except ValueError:
                raise moment.problem('must be a time with its zone, as in "2026-12-24T08:00:00+07:00"') from None
    return message


def _running(message: display_pb2.DisplayMessage) -> dict[str, str]:
    times = {k: getattr(message, k).ToJsonString() for k in ("starts_at", "ends_at") if message.HasField(k)}
    return {**_said("text", message.text), **times}


def _slide(value: Value) -> display_pb2.DisplaySlide:
    f = value.fields("media_url seconds", "caption_id caption_en")
    slide = display_pb2.DisplaySlide(media_url=f["media_url"].text(), seconds=_whole(f, "seconds"))
    _text(f, "caption", slide.caption)
    return slide


def _text(f: Fields, key: str, into: Any) -> None:
    if (said := fileparts.text(f, key)) is not None:
        into.CopyFrom(said)


def _said(key: str, text: Any) -> dict[str, str]:
    """`key_id` and `key_en`; nothing where nothing is said."""
    return {f"{key}_{language}": words for language in ("id", "en") if (words := getattr(text, language))}


def _whole(f: Fields, key: str) -> int:
    number = fileparts.whole(f, key)
    if number > _MOST:
        raise f[key].problem(f"must be at most {_MOST}")
    return number
