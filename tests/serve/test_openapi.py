"""The OpenAPI document says what the server does: by hand for what matters most, by schemathesis for the rest."""

import json

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable

from tumorscope.serve.problems import PROBLEMS
from tumorscope.serve.routes.documents import EXAMPLE, FAILED, FindingsDocument

schemathesis = pytest.importorskip("schemathesis")
positive_data_acceptance = pytest.importorskip("schemathesis.specs.openapi.checks").positive_data_acceptance
GenerationMode = schemathesis.GenerationMode
MAIN = "findings|jobs|audits|roots|runs|models|jobs/{job_id}"
"""Routes that are tried every time; the others take minutes."""
QUICK = settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
SLOW = settings(QUICK, max_examples=150, derandomize=False)


@pytest.fixture(scope="module")
def address(served):
    return served()


@pytest.fixture
def document(address):
    return httpx.get(f"{address}/openapi.json").json()


@pytest.fixture(scope="module")
def api(address):
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    return schema.exclude(path_regex="/events$")  # a stream, whose end is that of a job


def check(api, chosen):
    """Send what the document allows, and what it does not, to every operation; every answer must be as it says."""
    operations = [result.ok() for result in api.get_all_operations()]
    assert len(operations) >= 8
    for operation in operations:
        excluded = [positive_data_acceptance] if operation.path == "/v1/audits" else []  # what is sent is no zip
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            try:
                checked(operation.as_strategy(generation_mode=mode), chosen, excluded)()
            except Unsatisfiable:  # nothing can be wrong about this one
                assert mode is GenerationMode.NEGATIVE


def checked(cases, chosen, excluded):
    @chosen
    @given(case=cases)
    def answers_are_described(case):
        case.call_and_validate(timeout=30, excluded_checks=excluded)

    return answers_are_described


def test_answers_are_as_the_document_says(api):
    check(api.include(path_regex=f"^/v1/({MAIN})$"), QUICK)


@pytest.mark.slow
def test_many_answers_are_as_the_document_says(api):
    check(api, SLOW)


def test_the_document_names_every_problem_and_the_key(document):
    text = json.dumps(document)
    named = {name for name in PROBLEMS if f"urn:tumorscope:problem:{name}" in text}
    assert set(PROBLEMS) == named
    findings = document["paths"]["/v1/findings"]["post"]
    assert {"400", "401", "403", "408", "413", "415", "422", "429", "500", "503", "507"} < set(findings["responses"])
    assert set(findings["responses"]["413"]["content"]) == {"application/problem+json"}
    assert findings["security"] == [{}, {"ApiKey": []}, {"Bearer": []}]
    assert document["components"]["securitySchemes"]["ApiKey"]["name"] == "X-API-Key"
    assert "security" not in document["paths"]["/healthz"]["get"]
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_every_operation_says_what_it_is_for(document):
    operations = [op for methods in document["paths"].values() for op in methods.values()]
    assert len(operations) > 15
    assert all(op["summary"] and op["description"] and op["tags"] for op in operations)


def test_the_examples_are_of_the_shape_that_the_server_gives(address):
    files = [("files", ("scan.png", b"none"))]
    (said,) = httpx.post(f"{address}/v1/findings", files=files).json()["findings"]
    assert set(said) == set(EXAMPLE) == set(FAILED)
    shown = FindingsDocument.model_validate({"findings": [EXAMPLE, FAILED]})
    assert sum(shown.findings[0].probabilities.values()) == pytest.approx(1)
    assert said["message"] == FAILED["message"]


def test_a_server_with_a_key_says_that_it_needs_one(here):
    document = httpx.get(f"{here(api_key='a-key-of-24-characters-x').address}/openapi.json").json()
    assert document["paths"]["/v1/models"]["get"]["security"] == [{"ApiKey": []}, {"Bearer": []}]


def test_the_examples_of_findings_are_what_is_answered():
    (example,) = FindingsDocument.model_json_schema()["examples"]
    assert FindingsDocument.model_validate(example).model_dump(by_alias=True) == example
    assert {finding["kind"] for finding in example["findings"]} == {"slice", "volume"}
