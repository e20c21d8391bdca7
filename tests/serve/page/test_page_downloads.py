"""What is downloaded holds what it should: picture, JSON, CSV, report."""

import base64
import csv
import io
import json
import re
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

import tumorscope

FILES = ("mni152_axial_92_ring_painted.png", "phantom_notumor.png", "noise.png", "cut short.png")


def fetch(page, choice):
    page.keyboard.press("d")
    with page.expect_download() as download:
        page.get_by_role("dialog").get_by_role("button", name=choice).click()
    page.get_by_role("dialog").wait_for(state="detached")
    return download.value.suggested_filename, download.value.path().read_bytes()


@pytest.fixture(scope="module")
def predicted(scans):
    findings = tumorscope.load().predict([scans[name] for name in FILES])
    return [finding.model_dump(mode="json") for finding in findings]


def test_the_json_holds_the_findings_of_predict(page, add, predicted):
    add(page, *FILES)
    name, content = fetch(page, "Findings")
    assert re.fullmatch(r"tumorscope-findings-\d{8}-\d{4}\.json", name)
    found = json.loads(content)
    assert [finding["file"] for finding in found] == list(FILES)
    for finding, expected in zip(found, predicted, strict=True):
        assert {**finding, "file": ""} == {**expected, "file": ""}


def test_the_csv_has_a_row_a_finding(page, add, predicted):
    add(page, *FILES)
    name, content = fetch(page, "Worklist")
    assert name.endswith(".csv")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert [row["file"] for row in rows] == list(FILES)
    assert [row["verdict"] for row in rows] == ["tumor", "notumor", "refused", "error"]
    assert [row["status"] for row in rows] == ["ok", "ok", "refused", "error"]
    for row, expected in zip(rows[:3], predicted, strict=False):
        assert float(row["tumor_probability"]) == expected["tumor_probability"]
        assert row["sentence"] == expected["sentence"]
        assert float(row["p_glioma"]) == expected["probabilities"]["glioma"]
        assert row["prediction_set"].split() == expected["prediction_set"]
        assert row["model_sha256"] == expected["model"]["sha256"]
    assert "damaged or truncated" in rows[3]["message"]


def test_a_name_that_is_a_formula_stays_text(page, scans, add, tmp_path):
    hostile = tmp_path / '=HYPERLINK("x"),.png'
    hostile.write_bytes(scans["phantom_glioma.png"].read_bytes())
    add(page, str(hostile))
    _, content = fetch(page, "Worklist")
    row = next(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert row["file"] == "'" + hostile.name


def test_a_filter_narrows_what_is_downloaded(page, add):
    add(page, *FILES)
    page.locator(".chip", has_text="Refused").click()
    page.keyboard.press("d")
    page.get_by_label("The 1 that the filter shows").check()
    with page.expect_download() as download:
        page.get_by_role("button", name="Findings").click()
    assert [finding["file"] for finding in json.loads(download.value.path().read_bytes())] == ["noise.png"]


def test_the_picture_is_the_view_with_its_overlays(page, add, film):
    add(page, "phantom_glioma.png")
    page.keyboard.press("i")
    shown = film(page)
    name, content = fetch(page, "Picture in view")
    assert name.endswith(".png")
    picture = cv2.cvtColor(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    height, width = shown.shape[:2]
    assert picture.shape == (height + 46, width, 3)
    assert np.abs(picture[:height].astype(int) - shown).mean() < 1
    assert picture[height:].max() > 150  # the line beneath


def test_two_panes_give_one_picture_of_both(page, add):
    add(page, "phantom_glioma.png", "phantom_notumor.png")
    width = page.locator(".film").bounding_box()["width"]
    page.keyboard.press("c")
    page.locator('[data-pane="1"] .corner').first.wait_for()
    _, content = fetch(page, "Picture in view")
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[1] > width


class Parsed(HTMLParser):
    """Collects the tags, addresses and text of a document."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.addresses, self.words = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [
            value for name, value in attrs if name in ("src", "href", "srcset", "action", "data", "poster")
        ]

    def handle_data(self, data):
        self.words.append(data)


def test_the_report_stands_alone(page, browser, add, predicted):
    add(page, *FILES)
    name, content = fetch(page, "Report")
    assert name.endswith(".html")
    text = content.decode("utf-8")
    report = Parsed(text)
    words = " ".join(" ".join(report.words).split())
    for file in FILES:
        assert file in words
    assert "Tumor likely: glioma or pituitary tumor 99% tumor of any kind, " in words
    assert "This does not look like a brain MRI the model knows" in words
    assert "This file could not be read" in words
    assert predicted[0]["model"]["sha256"] in words
    assert "called a tumor from a probability of 87.2%" in words
    assert "Research use only" in words
    assert "script" not in report.tags
    assert len(report.addresses) == 5  # a slice without and with overlays for two, without for the refused one
    assert all(address.startswith("data:image/jpeg;base64,") for address in report.addresses)
    assert not re.search(r"https?://|@import|url\(", text)
    pictures = [
        cv2.imdecode(np.frombuffer(base64.b64decode(address.split(",")[1]), np.uint8), cv2.IMREAD_COLOR).astype(int)
        for address in report.addresses[:2]
    ]
    assert max(picture.shape[0] for picture in pictures) == 320
    colored = [np.abs(picture[..., 0] - picture[..., 2]).max() for picture in pictures]
    assert colored[0] < 12 < 100 < colored[1]
