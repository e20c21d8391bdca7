"""A public set, audited through the server: the figures are those of the command line."""

import json

import httpx
import pytest

from tumorscope.audits.audit import run_audit

NAME = "navoneel_253"


@pytest.mark.real_data
def test_an_audit_of_a_public_set_gives_the_figures_of_the_command_line(served, data_root):
    if not (data_root / NAME).is_dir():
        pytest.skip(f"no {NAME} in {data_root}")
    expected = run_audit(data_root / NAME)
    with httpx.Client(base_url=served("--data-root", data_root), timeout=600) as client:
        links = client.post("/v1/audits", json={"path": NAME}).json()["links"]
        client.get(links["events"])
        made = client.get(links["self"]).json()
        assert made["status"] == "done"
        told = {key: value for key, value in made["audit"].items() if key != "data"}
        assert told == json.loads(json.dumps({key: value for key, value in expected.summary.items() if key != "data"}))
        pairs = client.get(f"{links['self']}/twins", params={"limit": 100}).json()
        assert pairs["count"] == expected.summary["twins"]["pairs"] > 5
        pictures = {side["picture"] for pair in pairs["pairs"][:6] for side in (pair["a"], pair["b"])}
        assert {client.get(picture).content[:2] for picture in pictures} == {b"\xff\xd8"}
