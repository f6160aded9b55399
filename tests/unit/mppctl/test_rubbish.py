"""mppctl on rubbish and in trouble: what is told and where it stands, how it ends, that nothing is done and not said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status
from mpp.catalog.v1 import agency_pb2, catalog_service_pb2, site_pb2
from mppctl import connection, exporting, main, problems, yamlfile
from mppctl.main import app
from mppctl.problems import BAD_FILE, INTERRUPTED, UNREACHABLE
from mppctl.sitefiles import FileProblems, SiteFiles, load
from typer.testing import CliRunner

KIND = "kind: ChannelKind\nsite: contoh\nid: kiosk\nname_id: Kios\nattributes: []\n"
CHANNEL = "kind: Channel\nsite: contoh\nid: k\nchannel_kind: kiosk\nagency: a\nname_id: Kios\nsettings:\n"
BOMB = CHANNEL + "  a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"  {b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)  # fmt: skip


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No platform is known here, and none answers: who sends anything ends with another exit code."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(connection, "ATTEMPTS", 1)
    return tmp_path


def applied(file: object, given: str | bytes | None = None) -> tuple[int, str]:
    arguments = ["--endpoint", "catalog=127.0.0.1:1", "--token", "t", "apply", "-f", str(file)]
    result = CliRunner(env={"COLUMNS": "300"}).invoke(app, arguments, input=given)
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(BOMB, ":13:6: is more than 200000 values when its aliases", id="a bomb of aliases"),
        pytest.param(CHANNEL + "  a: &a [1, *a]\n", ":8:6: an anchor stands within itself", id="a circle"),
        pytest.param(CHANNEL + "  a: " + "[" * 600, ":1:1: is nested too deeply", id="depth"),
        pytest.param(CHANNEL + "\ta: 1\n", ":8:1: is not YAML: found character '\\t'", id="a tab"),
        pytest.param(KIND + "id: kiosk\n", ":6:1: id: this key is written twice", id="a key twice"),
        pytest.param(
            CHANNEL + "  a: 1\n  a: 2\n", ":9:3: settings.a: this key is written twice", id="a key twice below"
        ),
        pytest.param(KIND + "name_en: A\0B\n", ":6:11: holds the character '\\x00'", id="NUL"),
        pytest.param(KIND + 'name_en: "A\\0B"\n', ":6:10: name_en: holds a control character", id="NUL, written"),
        pytest.param(KIND + 'name_en: "\\uD800"\n', ":6:10: name_en: holds a control character", id="half a character"),
        pytest.param(KIND + 'name_en: "\\e[2J"\n', ":6:10: name_en: holds a control character", id="escape"),
        pytest.param(KIND + "? [a, b]\n: c\n", ":6:3: ", id="a list as a key"),
        pytest.param(
            CHANNEL + "  a: " + "9" * 5000 + "\n", ":8:6: settings.a: must be at most", id="digits without end"
        ),
        pytest.param("- " * 500, ":1:1: ", id="lists in lists"),
        pytest.param("", ":1:1: is empty", id="nothing"),
    ],
)
def test_rubbish_is_told_with_its_place_and_nothing_is_sent(nowhere: Path, text: str, told: str) -> None:
    file = nowhere / "x.yaml"
    file.write_text(text)
    code, output = applied(file)
    assert (code, f"{file}{told}" in output) == (BAD_FILE, True), output
    assert "\x1b[2J" not in output
    code, output = applied("-", given=text)
    assert (code, f"-{told}" in output) == (BAD_FILE, True), output


def test_a_number_that_the_contract_cannot_hold_is_told(nowhere: Path) -> None:
    file = nowhere / "x.yaml"
    file.write_text(KIND.replace("[]", "[{id: a, name_id: A, type: number, most: 99999999999}]"))
    assert "x.yaml:5:54: attributes[0].most: must be at most 2147483647" in applied(file)[1]


def test_a_file_without_end_is_not_read_to_its_end(nowhere: Path) -> None:
    huge = nowhere / "huge.yaml"
    with huge.open("wb") as stream:
        stream.truncate(100 * 2**20)  # holes: it takes no room
    for file in (huge, "/dev/zero"):
        code, output = applied(file)
        assert (code, f"{file}:1:1: is larger than 2000000 characters" in output) == (BAD_FILE, True), output
    code, output = applied("-", given="x" * (yamlfile.MOST_CHARACTERS + 1))
    assert (code, "larger" in output) == (BAD_FILE, True)


def test_what_is_no_text_is_told(nowhere: Path) -> None:
    (nowhere / "x.yaml").write_bytes(b"\xff\xfe\x00")
    assert applied(nowhere / "x.yaml")[0] == BAD_FILE
    code, output = applied("-", given=b"kind: \xff\n")
    assert (code, "-:1:1: is not UTF-8 text" in output) == (BAD_FILE, True), output


def test_links_that_lead_in_a_circle_are_told(nowhere: Path) -> None:
    site = nowhere / "contoh"
    (site / "agencies").mkdir(parents=True)
    (site / "site.yaml").write_text("kind: Site\n")
    (site / "kinds").symlink_to(site / "kinds")
    (site / "loop").symlink_to(site)
    (site / "agencies" / "a.yaml").symlink_to(site / "agencies" / "a.yaml")
    (site / "agencies" / "b.yaml").symlink_to(site)
    for path in (
        site,
        site / "kinds",
        site / "agencies",
        site / "agencies" / "a.yaml",
        site / "loop" / "loop",
        nowhere,
    ):
        code, output = applied(path)
        assert (code, str(nowhere) in output) == (BAD_FILE, True), (path, output)


def test_nobody_at_home_is_told(nowhere: Path) -> None:
    (nowhere / "x.yaml").write_text(KIND)
    code, output = applied(nowhere / "x.yaml")
    assert (code, "127.0.0.1:1" in output, "is the platform up?" in output) == (UNREACHABLE, True, True), output


class Failed(grpc.RpcError, grpc.Call):  # type: ignore[misc]
    """A call that was refused, as grpc hands it out."""

    def __init__(self, code: int, reason: str) -> None:
        box = any_pb2.Any()
        box.Pack(error_details_pb2.ErrorInfo(reason=reason))
        self._known = rpc_status.to_status(status_pb2.Status(code=code, message="no", details=[box]))

    def code(self) -> grpc.StatusCode:
        return self._known.code

    def details(self) -> str:
        return str(self._known.details)

    def trailing_metadata(self) -> object:
        return self._known.trailing_metadata


class Platform:
    """A catalogue of one site that keeps what it is told, and a fault that comes with the `at`-th change."""

    def __init__(self, at: int = 0, fault: BaseException | None = None) -> None:
        self.at, self.fault, self.kept, self.etags = at, fault, dict[str, Any](), list[str]()

    def metadata(self, *_: Any, **__: Any) -> list[tuple[str, str]]:
        return []

    def stub(self, *_: Any) -> Any:
        return self

    def __getattr__(self, name: str) -> str:
        return name

    def call(self, method: str, request: Any, metadata: Any = None) -> Any:
        if method == "GetSite":
            return site_pb2.Site(name=request.name, etag="e0")
        if method.startswith("List"):
            reply = getattr(catalog_service_pb2, f"{method}Response")()
            if method == "ListAgencies":
                reply.agencies.add(name="sites/contoh/agencies/a0", etag="e1")
            return reply
        self.etags.append(request.agency.etag)
        if len(self.etags) == self.at and self.fault:
            raise self.fault
        self.kept[request.agency.name] = request.agency
        return request.agency


def three() -> SiteFiles:
    files = SiteFiles("sites/contoh")
    files.agencies += [agency_pb2.Agency(name=f"sites/contoh/agencies/a{n}") for n in range(3)]
    return files


@pytest.mark.parametrize(
    ("fault", "lines"),
    [
        (KeyboardInterrupt(), ["interrupted; 2 of 3 not done; run it again", "under way may have been done"]),
        (Failed(code_pb2.UNAUTHENTICATED, "TOKEN_EXPIRED"), ["TOKEN_EXPIRED", "gave up", "; 1 of 3 not done"]),
        (Failed(code_pb2.UNAVAILABLE, ""), ["is the platform up?", "gave up", "; 1 of 3 not done"]),
    ],
    ids=["Ctrl-C", "an expired token", "a gateway that went away"],
)
def test_what_was_not_done_is_told(fault: BaseException, lines: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    platform: Any = Platform(2, fault)
    report = main._apply(platform, three(), dry_run=False)
    told = capsys.readouterr()
    assert list(platform.kept) == ["sites/contoh/agencies/a0"]
    assert [line for line in lines if line not in told.err] == []
    assert "agencies: 1" in told.out
    assert report.interrupted == isinstance(fault, KeyboardInterrupt)


def test_what_is_changed_is_what_was_read(capsys: pytest.CaptureFixture[str]) -> None:
    """So that two runs at once cannot undo each other unseen; and the second hears why."""
    platform: Any = Platform(1, Failed(code_pb2.ABORTED, "ETAG_MISMATCH"))
    main._apply(platform, three(), dry_run=False)
    assert platform.etags == ["e1", "", ""]
    assert "somebody else changed it since this run began" in capsys.readouterr().err


def test_an_interruption_elsewhere_has_its_own_exit_code() -> None:
    with pytest.raises(problems.typer.Exit) as ended, problems.explained():
        raise KeyboardInterrupt
    assert ended.value.exit_code == INTERRUPTED


def test_an_export_that_cannot_be_written_is_told_and_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "x.yaml"
    target.write_text("before")

    def full(self: Path, *_: Any, **__: Any) -> int:
        with self.open("w") as stream:
            stream.write("half")
        raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(problems.typer.Exit) as ended, problems.explained():
        exporting._write(target, "after")
    assert (ended.value.exit_code, target.read_text()) == (BAD_FILE, "before")


@pytest.mark.parametrize("make", [lambda f: f.mkdir(), lambda f: f.symlink_to("/nowhere")], ids=["folder", "dead link"])
def test_a_file_that_is_none_is_told(nowhere: Path, make: Callable[[Path], None]) -> None:
    (nowhere / "agencies").mkdir()
    make(nowhere / "agencies" / "x.yaml")
    with pytest.raises(FileProblems, match=r"x\.yaml:1:1: cannot be read"):
        load(nowhere / "agencies")
