"""Files of displays: there and back, slips in them, what belongs to a site's folder of them, and for what is waited."""

from __future__ import annotations

from pathlib import Path

import grpc
import protovalidate
import pytest
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status
from mpp.catalog.v1 import site_pb2
from mpp.queue.v1 import display_pb2
from mpp_queue.displays import messages
from mppctl import displayfile, displays, exporting, pruning
from mppctl.sitefiles import FileProblems, SiteFiles, load
from typer import BadParameter

ROOT = Path(__file__).resolve().parents[3]
HALL = """\
kind: Display
site: contoh
id: lobi
labels: {number_id: Nomor, counter_id: Loket, counter_en: Counter}
speech_languages: [id, en]
rows: 30
messages:
  - {text_id: Selamat datang}
  - text_id: Libur
    starts_at: 2026-12-24T08:00:00+07:00
    ends_at: "2026-12-23T08:00:00+07:00"
closed_text_id: Tutup
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    target = tmp_path / "contoh" / "displays"
    target.mkdir(parents=True)
    (target / "lobi.yaml").write_text(HALL)
    return target


def only(path: Path) -> SiteFiles:
    (files,) = load(path)
    return files


def told(path: Path) -> str:
    with pytest.raises(FileProblems) as caught:
        load(path)
    return str(caught.value)


@pytest.mark.parametrize("folder", sorted((ROOT / "sites").glob("*/displays")), ids=lambda f: f.parent.name)
def test_the_sites_displays_are_such_that_the_queue_takes_them(folder: Path) -> None:
    files = only(folder)
    assert (files.site_name, files.whole_displays, files.catalogued) == (f"sites/{folder.parent.name}", True, False)
    for display in files.displays:
        messages.display_of(display).check(files.site_name)
        protovalidate.validate(display)


def test_the_file_that_the_readme_explains_is_one(tmp_path: Path) -> None:
    text = (ROOT / "sites" / "README.md").read_text()
    (tmp_path / "lobi.yaml").write_text(text[text.index("kind: Display") :].partition("```")[0])
    files = only(tmp_path / "lobi.yaml")
    messages.display_of(files.displays[0]).check("sites/malang")
    protovalidate.validate(files.displays[0])


def test_the_example_shows_every_queue_of_its_site() -> None:
    (display,) = only(ROOT / "sites" / "malang" / "displays").displays
    assert (list(display.queues), list(display.agencies), display.speech) == ([], [], True)


def test_every_field_of_a_display_comes_back(tmp_path: Path) -> None:
    """No field of the contract is forgotten: each one is set here, and a new one fails this test until it is."""
    both = site_pb2.LocalizedText(id="Ya: satu", en="Yes")
    labels = display_pb2.DisplayLabels(number=both, counter=both, waiting=both, wait=both, last_calls=both)
    message = display_pb2.DisplayMessage(text=both)
    message.starts_at.FromJsonString("2026-12-24T08:00:00+07:00")
    message.ends_at.FromJsonString("2026-12-25T08:00:00Z")
    slide = display_pb2.DisplaySlide(media_url="https://contoh.example/a.webp", seconds=7, caption=both)
    display = display_pb2.Display(
        name="sites/contoh/displays/lobi", title=both, queues=["sites/contoh/queues/a"], rows=2, columns=3, labels=labels,
        agencies=["sites/contoh/agencies/b"], highlight_seconds=4, blink=True, ring="gong", speech=True,
        speech_languages=["en", "id"], show_waiting=True, show_wait=True, show_clock=True, qr_url="https://contoh.example",
        image_url="https://contoh.example/b.png", messages=[message], slides=[slide], last_calls=5, closed_text=both,
        etag="0123",
    )  # fmt: skip
    for one in (display, labels, message, slide):
        assert {f.name for f in one.DESCRIPTOR.fields} == {f.name for f, _ in one.ListFields()}
    file = tmp_path / "lobi.yaml"
    file.write_text(exporting.dump(displayfile.document(display)))
    display.etag = ""  # is no part of a file
    assert only(file).displays == [display]


def test_an_empty_display_is_a_short_file(tmp_path: Path) -> None:
    display = display_pb2.Display(name="sites/contoh/displays/lobi")
    assert displayfile.document(display) == {"kind": "Display", "site": "contoh", "id": "lobi"}


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("display.rows", "6:7"),
        ("display.labels.counter.en", "4:59"),
        ("display.speech_languages[1]", "5:24"),
        ("display.messages[1].ends_at", "11:14"),
        ("display.messages[0].text.id", "8:15"),
        ("display.closed_text.id", "12:17"),
        ("display.name", "3:5"),
        ("parent", "1:1"),
    ],
)
def test_what_the_queue_refuses_has_its_place_in_the_file(folder: Path, path: str, place: str) -> None:
    files = only(folder)
    assert files.where("sites/contoh/displays/lobi", path) == f"{folder / 'lobi.yaml'}:{place}"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("id: lobi", "id: hall", "3:5: id: must be the name of its file, 'lobi'"),
        ("kind: Display", "kind: Channel", "1:7: kind: 'Channel' is not one of Display"),
        (
            "2026-12-24T08:00:00+07:00",
            '"2026-12-24 08:00"',
            "10:16: messages[1].starts_at: must be a time with its zone",
        ),
        ("rows: 30", "rows: 3000000000", "6:7: rows: must be at most"),
        ("rows: 30", "row: 30", "row: unknown key; did you mean 'rows'?"),
        ("closed_text_id: Tutup", "closed_text_en: Closed", "closed_text_id is missing"),
        ("number_id: Nomor", "number: Nomor", "labels.number: unknown key"),
    ],
)
def test_a_slip_is_told_with_its_place(folder: Path, old: str, new: str, problem: str) -> None:
    file = folder / "lobi.yaml"
    file.write_text(HALL.replace(old, new))
    assert problem in told(folder)


def test_a_folder_of_displays_is_of_one_site_and_of_the_one_around_it(folder: Path) -> None:
    (folder / "pintu.yaml").write_text("kind: Display\nsite: lain\nid: pintu\n")
    assert "must be 'contoh', the site of its folder" in told(folder)
    (folder / "lobi.yaml").unlink()
    assert only(folder).site_name == "sites/lain"
    (folder.parent / "site.yaml").touch()
    assert "must be 'contoh'" in told(folder)


def test_a_sites_folder_says_all_displays_or_none(folder: Path) -> None:
    files = only(ROOT / "sites" / "malang")
    assert (files.displays, files.whole_displays) == (only(ROOT / "sites" / "malang" / "displays").displays, True)
    files.leave_displays()
    assert (files.displays, files.whole_displays) == ([], False)
    text = (ROOT / "sites" / "malang" / "site.yaml").read_text().replace("id: malang\n", "id: contoh\n")
    (folder.parent / "site.yaml").write_text(text.replace("calendar:", "# "))
    (folder / "lobi.yaml").unlink()
    files = only(folder.parent)
    assert (files.displays, files.whole_displays) == ([], False)  # an empty folder deletes nothing


def test_all_of_a_site_is_said_by_a_folder_only(folder: Path) -> None:
    pruning.check(folder, services_only=False)
    assert not only(folder / "lobi.yaml").whole_displays
    with pytest.raises(BadParameter, match="folder of displays"):
        pruning.check(folder / "lobi.yaml", services_only=False)
    (folder / "lobi.yaml").unlink()
    assert "holds no display" in told(folder)  # a folder that was emptied by mistake deletes nothing


class Failed(grpc.RpcError, grpc.Call):  # type: ignore[misc]
    """A call that the queue refused, as grpc hands it out."""

    def __init__(self, reason: str) -> None:
        box = any_pb2.Any()
        box.Pack(error_details_pb2.ErrorInfo(reason=reason))
        code = code_pb2.FAILED_PRECONDITION
        self._known = rpc_status.to_status(status_pb2.Status(code=code, message="no", details=[box]))

    def code(self) -> grpc.StatusCode:
        return self._known.code

    def details(self) -> str:
        return str(self._known.details)

    def trailing_metadata(self) -> object:
        return self._known.trailing_metadata


class Queue:
    """Refuses as it is told, one reason a call, and then replies; its clock moves only while somebody waits."""

    def __init__(self, *reasons: str) -> None:
        self.reasons, self.now, self.calls = list(reasons), 0.0, 0

    def call(self) -> str:
        self.calls += 1
        if self.reasons:
            raise Failed(self.reasons.pop(0))
        return "set"

    def pause(self, seconds: float) -> None:
        self.now += seconds

    def heard(self, *, exists: bool = True, until: float = 15) -> str:
        return displays.heard_of_site(self.call, lambda: exists, until, lambda: self.now, self.pause)


def test_a_site_that_the_queue_has_not_heard_of_yet_is_waited_for() -> None:
    queue = Queue("SITE_NOT_FOUND", "SITE_NOT_FOUND")
    assert (queue.heard(), queue.calls) == ("set", 3)


@pytest.mark.parametrize(
    ("reasons", "exists", "calls"),
    [
        (("SITE_NOT_FOUND",), False, 1),  # the catalogue has no such site
        (("INVALID_FIELD",), True, 1),
        (("SITE_NOT_FOUND", "INVALID_FIELD"), True, 2),
    ],
)
def test_nothing_else_is_waited_for(reasons: tuple[str, ...], exists: bool, calls: int) -> None:
    queue = Queue(*reasons)
    with pytest.raises(Failed):
        queue.heard(exists=exists)
    assert queue.calls == calls


def test_the_wait_ends() -> None:
    queue = Queue(*["SITE_NOT_FOUND"] * 1000)
    with pytest.raises(Failed):
        queue.heard(until=3)
    assert 3 <= queue.now < 3 + 2 * displays.EVERY
