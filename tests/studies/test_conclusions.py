"""What a leaky protocol concludes, set beside what is true without leaks."""

from types import MappingProxyType

import pytest

from tumorscope.studies.conclusions import conclude

PROTOCOLS = {"random": {"leaky": True}, "patients apart": {"leaky": False}}


def _table(random, apart, claims=MappingProxyType({})):
    rows = [
        {"protocol": protocol, "option": "frozen", "pairs": 2, "value": value, "interval": [value - 0.01, value + 0.01],
         "n": 100, "real": abs(value) > 0.01, "whole": True}
        for protocol, value in (("random", random), ("patients apart", apart)) if value is not None
    ]  # fmt: skip
    return {"of": "training", "title": "Frozen", "against": "fine-tuned", "claims": claims, "rows": rows}


@pytest.mark.parametrize(
    ("random", "apart", "claims", "verdict"),
    [
        (-0.1, -0.05, {}, "stands"),
        (-0.1, 0.05, {}, "reversed"),
        (-0.1, 0.005, {}, "not shown without leaks"),
        (0.005, 0.05, {}, "seen only without leaks"),
        (0.005, -0.005, {}, "no difference shown either way"),
        (0.005, -0.05, {"frozen": "worse"}, "stands"),
        (-0.1, -0.05, {"frozen": "better"}, "reversed"),
        (-0.1, 0.0, {"frozen": "worse"}, "not shown without leaks"),
    ],
)
def test_a_conclusion_stands_only_where_it_is_shown_without_leaks(random, apart, claims, verdict):
    (found,) = conclude([_table(random, apart, claims)], PROTOCOLS, "random")
    assert found["verdict"] == verdict
    assert found["authors"] == claims.get("frozen")
    assert (found["published"]["value"], found["honest"]["value"]) == (random, apart)


def test_nothing_is_concluded_from_some_of_the_trainings():
    for unfinished in (0, 1):
        table = _table(-0.1, -0.05)
        table["rows"][unfinished]["whole"] = False
        assert conclude([table], PROTOCOLS, "random") == []


def test_nothing_is_concluded_before_both_are_measured_or_where_the_published_protocol_does_not_leak():
    assert conclude([_table(0.1, None)], PROTOCOLS, "random") == []
    assert conclude([_table(None, 0.1)], PROTOCOLS, "random") == []
    assert conclude([_table(0.1, 0.1)], PROTOCOLS, "patients apart") == []
