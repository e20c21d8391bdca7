"""One file, one finding: by ``predict``, over HTTP, by the client, and as the page saves it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import tumorscope

FILES = (
    "mni152_axial_92_ring_painted.png",
    "phantom_notumor.png",
    "noise.png",
    "deep.png",
    "three sequences.tif",
    "cut short.png",
    "junk.exe",
)
SOURCE = Path(tumorscope.__file__).parents[1]
PREDICT = [sys.executable, "-c", "from tumorscope.cli import main; main()", "predict", "--json"]


def test_a_file_gives_the_same_finding_four_ways(visit, address, add, scans):
    paths = [scans[name] for name in FILES]
    predicted = by_command(paths)
    assert [finding["status"] for finding in predicted] == ["ok", "ok", "refused", "ok", "ok", "error", "error"]
    assert over_http(address, paths) == predicted
    assert by_client(address, paths) == predicted
    with visit() as page:
        add(page, *FILES)
        assert saved_by(page) == predicted


def by_command(paths):
    done = subprocess.run(
        [*PREDICT, *map(str, paths)],
        stdout=subprocess.PIPE,
        check=False,
        env=os.environ | {"PYTHONPATH": str(SOURCE)},
    )
    assert done.returncode == 1  # two of the files are no scans
    return [plain(finding) for finding in json.loads(done.stdout)]


def over_http(address, paths):
    parts = [
        b'--x\r\nContent-Disposition: form-data; name="files"; filename="%b"\r\n\r\n%b\r\n'
        % (path.name.encode(), path.read_bytes())
        for path in paths
    ]
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    with urlopen(Request(f"{address}/v1/findings", b"".join(parts) + b"--x--\r\n", form)) as answer:
        found = json.load(answer)["findings"]
    assert all(finding.pop("overlay") is None and finding.pop("layers") is None for finding in found)
    return [plain(finding) for finding in found]


def by_client(address, paths):
    with tumorscope.Client(address) as client:
        return [plain(json.loads(finding.to_json())) for finding in client.findings(paths)]


def saved_by(page):
    page.keyboard.press("d")
    with page.expect_download() as download:
        page.get_by_role("dialog").get_by_role("button", name="Findings").click()
    return [plain(finding) for finding in json.loads(download.value.path().read_bytes())]


def plain(finding):
    """A finding but for the folder of its file, which only ``predict`` and the client are told."""
    return finding | {"file": Path(finding["file"]).name}
