"""The routes of the page and of the samples."""

import httpx
import pytest

from tumorscope.samples import example_scans


@pytest.fixture(scope="module")
def client(served):
    with httpx.Client(base_url=served()) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/assets/app.js", "text/javascript; charset=utf-8"),
        ("/assets/vendor/preact.js", "text/javascript; charset=utf-8"),
        ("/assets/tokens.css", "text/css; charset=utf-8"),
        ("/assets/icon.svg", "image/svg+xml"),
    ],
)
def test_the_files_of_the_page_have_their_types(client, path, kind):
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == kind
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert client.head(path).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/assets/",
        "/assets/none.js",
        "/assets/../routes/page.py",
        "/assets/%2e%2e/app.py",
        "/assets//etc/passwd",
        "/v1/samples/none.png",
        "/v1/samples/%2e%2e%2fLICENSE.txt",
    ],
)
def test_what_is_no_file_of_the_page_is_not_there(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_samples_are_the_example_scans(client):
    said = client.get("/v1/samples").json()
    assert [sample["name"] for sample in said["samples"]] == sorted(path.name for path in example_scans().glob("*.png"))
    assert "McConnell Brain Imaging Centre" in said["licence"]
    for sample in said["samples"]:
        assert client.get(sample["url"]).content == (example_scans() / sample["name"]).read_bytes()
    titles = {sample["name"]: sample["title"] for sample in said["samples"]}
    assert titles["mni152_axial_92_ring_painted.png"] == "Template axial 92, ring painted"
    assert titles["phantom_notumor.png"] == "Drawn phantom, no tumor"
