"""Findings in plain words: the pure functions of the page, called in the browser; the card as it is shown."""

import pytest

import tumorscope
from tumorscope.findings import VERDICTS

OK = {
    "kind": "slice",
    "verdict": "notumor",
    "label": "notumor",
    "tumor_probability": 0.1,
    "prediction_set": ["notumor"],
}


@pytest.fixture(scope="module")
def call(browser, address):
    page = browser.new_page()
    page.goto(address)

    def run(module, name, *arguments):
        script = "([module, name, given]) => import(`/assets/${module}.js`).then((found) => found[name](...given))"
        return page.evaluate(script, [module, name, list(arguments)])

    yield run
    page.close()


@pytest.mark.parametrize(
    ("sentence", "headline", "detail"),
    [
        ("Tumor likely: glioma.", "Tumor likely: glioma", ""),
        ("Too close to call. It abstains. Look.", "Too close to call", "It abstains. Look."),
        ("Under 87.2%. More.", "Under 87.2%", "More."),
    ],
)
def test_a_sentence_is_set_with_its_headline_apart(call, sentence, headline, detail):
    assert call("phrases", "spoken", {"sentence": sentence}) == {"headline": headline, "detail": detail}


@pytest.mark.parametrize(
    ("finding", "name"),
    [
        ({"slice": None, "sequence": None}, ""),
        ({"slice": None, "sequence": "FLAIR"}, "FLAIR"),
        ({"slice": 0, "sequence": None}, "slice 1"),
        ({"slice": 4, "sequence": "T1"}, "T1, slice 5"),
    ],
)
def test_a_part_of_a_file_has_a_name(call, finding, name):
    assert call("phrases", "partName", finding) == name


def test_the_page_shows_every_verdict_the_gravest_first(call, browser, address):
    page = browser.new_page()
    page.goto(address)
    shown = page.evaluate("import('/assets/phrases.js').then(({ VERDICTS }) => Object.keys(VERDICTS))")
    page.close()
    assert shown == list(VERDICTS)


@pytest.mark.parametrize(
    ("share", "digits", "said"),
    [
        (0.931, 0, "93%"),
        (0.9951, 0, ">99%"),
        (1, 0, "100%"),
        (0, 1, "0.0%"),
        (0.0004, 1, "<0.1%"),
        (0.0051, 1, "0.5%"),
        (0.9996, 1, ">99.9%"),
    ],
)
def test_a_percentage_is_never_a_false_certainty(call, share, digits, said):
    assert call("phrases", "asPercent", share, digits) == said


@pytest.mark.parametrize(
    ("names", "left"),
    [
        (["a/1.png", "a/1_mask.png", "a/.x.png", "a/Thumbs.db"], ["a/1.png"]),
        (["a/2_mask.png"], ["a/2_mask.png"]),  # a mask without its picture is a picture
        (["a/.git/1.png", "a/b/1"], ["a/b/1"]),
    ],
)
def test_a_folder_is_read_as_predict_reads_it(call, names, left):
    found = call("intake", "worthReading", [{"name": name} for name in names])
    assert [file["name"] for file in found] == left


def test_every_term_that_is_used_is_explained(call, browser, address):
    page = browser.new_page()
    page.goto(address)
    words = page.evaluate("import('/assets/words.js').then(({ TERMS }) => TERMS)")
    page.close()
    card = tumorscope.load().card
    assert set(card.classes) <= set(words)
    assert {metric for figures in card.metrics.values() for metric in figures} <= set(words)
    assert all(len(text) > 20 for text in words.values())


def test_the_card_is_shown_with_its_figures(visit):
    card = tumorscope.load().card
    with visit("/#/model") as page:
        page.locator(".tile").first.wait_for()
        said = " ".join(page.locator("#content").inner_text().split())
        rows = page.locator("table[aria-label], table").all_inner_texts()
        assert len(rows) == 4
        figure = card.metrics["navoneel_253, never shown"]["auc"]
        low, high = figure.interval
        assert f"AUC, tumor against none {figure.value:.3f} {low:.3f} to {high:.3f}, n = {figure.n}" in said
        for line in (*card.never_shown, *card.notes, card.licence):
            assert " ".join(line.split()) in said
        for name, count in card.training.sets.items():
            assert f"{name} {count:,}" in said
        assert f"Called a tumor {100 * card.thresholds.tumor:.1f}%" in said
        figures = sum(len(figures) for figures in card.metrics.values())
        table = page.get_by_role("table", name="Every measured figure")
        assert table.locator("tbody tr").count() == figures
        table.get_by_role("button", name="n", exact=True).click()
        numbers = [int(text.replace(",", "")) for text in table.locator("tbody tr td:last-child").all_inner_texts()]
        assert numbers == sorted(numbers)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "10% tumor of any kind"),
        ({"tumor_probability": 0.8, "prediction_set": ["glioma"]}, "80% tumor of any kind"),
        (
            {
                "verdict": "tumor",
                "label": "pituitary",
                "tumor_probability": 0.99,
                "prediction_set": ["notumor", "glioma", "pituitary"],
            },
            "99% tumor of any kind, 61% pituitary tumor, 38% glioma",
        ),
    ],
)
def test_the_shares_of_a_called_tumor_name_every_kind_in_question(call, change, said):
    shares = {"glioma": 0.38, "meningioma": 0.0, "notumor": 0.01, "pituitary": 0.61}
    assert call("phrases", "sharesText", OK | {"probabilities": shares} | change) == said
