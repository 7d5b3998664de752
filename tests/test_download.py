import hashlib
import io
import json
import stat
import zipfile

import pytest
from replay import BODY, replay
from sectorbook import archives, provenance, retrieval
from sectorbook.errors import SectorbookError
from sectorbook.provenance import Fetch, Publication, Request
from sectorbook.retrieval import Manners

PUBLISHER = "https://data.example.gov"
ABOUT = Publication(
    source="qcew", title="Census", publisher="Bureau", licence="Public domain", citation="Bureau, Census"
)
QUICK = Manners(
    contact="desk@example.org",
    attempts=3,
    first_wait_s=0.01,
    longest_wait_s=0.05,
    read_timeout_s=0.5,
    gap_s=0.0,
)


@pytest.fixture
def server(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with replay() as running:
        yield running


def fetch(*names, **known):
    files = tuple(Request(name=name, url=f"{PUBLISHER}/{name}", **known) for name in names)
    return Fetch(about=ABOUT, vintage="2023", edition="2023", files=files)


def get(server, tmp_path, *names, manners=QUICK, refresh=False, **known):
    return retrieval.download(
        fetch(*names, **known),
        tmp_path,
        manners=manners,
        mirrors={PUBLISHER: server.address},
        refresh=refresh,
    )


def left(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_arrives_with_its_sidecar(server, tmp_path):
    told = []
    sidecar = retrieval.download(
        fetch("fine.csv"), tmp_path, manners=QUICK, mirrors={PUBLISHER: server.address}, told=told.append
    )
    assert (tmp_path / "fine.csv").read_bytes() == BODY
    assert left(tmp_path) == ["fine.csv", "sidecar.json"]
    entry = provenance.verify(tmp_path, "fine.csv")
    assert entry.url == f"{PUBLISHER}/fine.csv" and entry.sha256 == hashlib.sha256(BODY).hexdigest()
    assert sidecar.via == server.address and sidecar.citation == ABOUT.citation
    assert told == [f"1 of 1: fine.csv, {len(BODY):,} bytes"]
    (agent,) = server.agents
    assert agent.startswith("sectorbook/") and "desk@example.org" in agent


def test_what_is_there_is_not_fetched_again_unless_it_was_changed_or_asked_for(server, tmp_path):
    get(server, tmp_path, "fine.csv")
    get(server, tmp_path, "fine.csv")
    assert server.seen["fine.csv"] == 1
    (tmp_path / "fine.csv").write_bytes(BODY + b"39049,1\n")
    get(server, tmp_path, "fine.csv")
    assert server.seen["fine.csv"] == 2
    get(server, tmp_path, "fine.csv", refresh=True)
    assert server.seen["fine.csv"] == 3


@pytest.mark.parametrize(
    "name, asked", [("flaky.csv", 3), ("busy.csv", 2), ("moved.csv", 1), ("weak.csv", 2)]
)
def test_passing_faults_pass(server, tmp_path, name, asked):
    get(server, tmp_path, name)
    assert (tmp_path / name).read_bytes() == BODY
    assert server.seen[name] == asked
    assert left(tmp_path) == sorted([name, "sidecar.json"])


@pytest.mark.parametrize("name", ["cut.csv", "dated.csv"])
def test_a_cut_transfer_goes_on_where_it_stopped(server, tmp_path, name):
    get(server, tmp_path, name)
    assert (tmp_path / name).read_bytes() == BODY
    assert server.ranges == [None, "bytes=70000-"]


def test_a_server_that_gives_pieces_is_asked_until_the_file_is_whole(server, tmp_path):
    get(server, tmp_path, "stingy.csv", manners=QUICK.model_copy(update={"attempts": 5}))
    assert (tmp_path / "stingy.csv").read_bytes() == BODY
    assert server.ranges == [None, "bytes=70000-", "bytes=110000-", "bytes=150000-"]


def test_a_transfer_goes_on_in_another_run(server, tmp_path):
    once = QUICK.model_copy(update={"attempts": 1})
    with pytest.raises(SectorbookError, match="goes on where it stopped"):
        get(server, tmp_path, "cut.csv", manners=once)
    assert left(tmp_path) == [".cut.csv.part", ".cut.csv.part.json"]
    get(server, tmp_path, "cut.csv", manners=once)
    assert server.ranges == [None, "bytes=70000-"]
    assert (tmp_path / "cut.csv").read_bytes() == BODY and left(tmp_path) == ["cut.csv", "sidecar.json"]


def test_a_file_that_changed_meanwhile_is_fetched_whole(server, tmp_path):
    get(server, tmp_path, "changed.csv")
    assert (tmp_path / "changed.csv").read_bytes() == BODY


LASTING = {
    "missing.csv": "is not there .status 404.",
    "down.csv": "the server answered 503, in 3 attempts",
    "short.csv": "could not be fetched",
    "circle.csv": "leads in a circle",
    "page.csv": "answered with a web page",
    "disguised.csv": "is a web page, not data",
    "empty.csv": "is empty",
    "slow.csv": "did not answer in time",
    "wrongpart.csv": "another part of the file",
}


@pytest.mark.parametrize("name", LASTING)
def test_lasting_faults_leave_nothing(server, tmp_path, name):
    with pytest.raises(SectorbookError, match=LASTING[name]) as caught:
        get(server, tmp_path, name)
    assert PUBLISHER.removeprefix("https://") in str(caught.value)
    assert left(tmp_path) == []


def test_a_server_that_drips_is_given_up(server, tmp_path):
    with pytest.raises(SectorbookError, match="not complete after"):
        get(
            server,
            tmp_path,
            "drip.csv",
            manners=QUICK.model_copy(update={"file_timeout_s": 0.2, "attempts": 1}),
        )
    assert left(tmp_path) == []


@pytest.mark.parametrize("known", [{"sha256": "0" * 64}, {"bytes": 12}])
def test_wrong_checksum_or_size_is_not_kept(server, tmp_path, known):
    with pytest.raises(SectorbookError, match="expected"):
        get(server, tmp_path, "fine.csv", **known)
    assert left(tmp_path) == []


def test_a_file_over_the_limit_is_not_kept(server, tmp_path):
    with pytest.raises(SectorbookError, match="the limit is 1,000"):
        get(server, tmp_path, "fine.csv", manners=QUICK.model_copy(update={"max_bytes": 1000}))
    assert left(tmp_path) == []


def test_the_files_before_a_fault_are_kept_and_listed(server, tmp_path):
    with pytest.raises(SectorbookError, match="is not there"):
        get(server, tmp_path, "fine.csv", "missing.csv")
    assert left(tmp_path) == ["fine.csv", "sidecar.json"]
    assert [f.name for f in provenance.read_sidecar(tmp_path).files] == ["fine.csv"]


def test_a_refresh_that_fails_keeps_the_old_file(server, tmp_path):
    server.files["data.csv"] = BODY
    get(server, tmp_path, "data.csv")
    server.files.clear()
    with pytest.raises(SectorbookError):
        get(server, tmp_path, "data.csv", refresh=True)
    assert provenance.verify(tmp_path, "data.csv").bytes == len(BODY)


def test_offline_names_what_is_missing_and_how_to_get_it(server, tmp_path):
    gone = server.address.rsplit(":", 1)[0] + ":9"
    with pytest.raises(SectorbookError) as caught:
        retrieval.download(fetch("a.csv", "b.csv"), tmp_path, manners=QUICK, mirrors={PUBLISHER: gone})
    text = str(caught.value)
    assert "a.csv, b.csv" in text and f"{PUBLISHER}/a.csv" in text and "run the same command again" in text


@pytest.mark.parametrize("name", ["../up.csv", "/etc/up.csv", "a/b.csv", ".hidden"])
def test_a_name_that_leaves_the_folder_is_refused(name):
    with pytest.raises(ValueError):
        Request(name=name, url="https://data.example.gov/x")


# -- archives ---------------------------------------------------------------------------------------------


def pack(path, members, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def link(name):
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def test_unzip_returns_the_wanted_members(tmp_path):
    path = pack(tmp_path / "a.zip", [("2023/b.csv", "2"), ("2023/a.csv", "1"), ("2023/readme.txt", "x")])
    (tmp_path / "out").mkdir()
    found = archives.unzip(path, tmp_path / "out", lambda name: name.endswith(".csv"))
    assert [(p.name, p.read_text()) for p in found] == [("a.csv", "1"), ("b.csv", "2")]


BAD_ZIPS = {
    "outside the folder": [("../../up.csv", "x")],
    "written outside": [("/etc/up.csv", "x")],
    "be written": [("a\\..\\..\\up.csv", "x")],
    "is a link": [(link("a.csv"), "/etc/passwd")],
    "as a zip bomb does": [("a.csv", b"0" * (20 << 20))],
    "two of its members are named": [("x/a.csv", "1"), ("y/a.csv", "2")],
}


@pytest.mark.parametrize("why", BAD_ZIPS)
def test_a_hostile_zip_is_refused(tmp_path, why):
    path = pack(tmp_path / "a.zip", BAD_ZIPS[why])
    (tmp_path / "out").mkdir()
    with pytest.raises(SectorbookError, match=why):
        archives.unzip(path, tmp_path / "out")
    assert left(tmp_path / "out") == [] and left(tmp_path) == ["a.zip", "out"]


def test_a_zip_that_opens_to_too_much_is_refused(tmp_path):
    path = pack(tmp_path / "a.zip", [("a.csv", "x" * 5000), ("b.csv", "x" * 6000)], zipfile.ZIP_STORED)
    with pytest.raises(SectorbookError, match="more than 10,000 bytes"):
        archives.unzip(path, tmp_path, max_bytes=10_000)
    assert left(tmp_path) == ["a.zip"]


def test_a_damaged_archive_is_refused(tmp_path):
    whole = io.BytesIO()
    pack(whole, [("a.csv", json.dumps(list(range(5000))))])
    (tmp_path / "a.zip").write_bytes(whole.getvalue()[:3000])
    with pytest.raises(SectorbookError, match="damaged or not a zip file"):
        archives.unzip(tmp_path / "a.zip", tmp_path)
