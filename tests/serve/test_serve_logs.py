"""The log: errors by their place alone, and nobody waits for who reads it."""

import logging
import sys
import time
from typing import Any

import pytest

from tumorscope.serve.logs import WAITING, logging_to_stderr


@pytest.fixture(autouse=True)
def _loggers_as_before():
    names = ("tumorscope.serve", "uvicorn", "python_multipart")
    before = {name: (log.handlers, log.propagate, log.level) for name in names for log in [logging.getLogger(name)]}
    yield
    for name, (handlers, propagate, level) in before.items():
        log = logging.getLogger(name)
        log.handlers, log.propagate = handlers, propagate
        log.setLevel(level)


def test_an_error_is_logged_by_its_place(capsys):
    with logging_to_stderr():
        logging.getLogger("tumorscope.serve.access").info("GET %s %d", "/v1/models", 200)
        try:
            int("Erika Muster")
        except ValueError:
            logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    said = capsys.readouterr().err
    assert "INFO GET /v1/models 200" in said
    assert "ValueError at test_serve_logs.py:" in said
    assert "Erika" not in said


def test_nobody_waits_for_a_reader_that_does_not_read(monkeypatch):
    class Stuck:
        def write(self, text):
            time.sleep(0.2)

        def flush(self):
            pass

    monkeypatch.setattr(sys, "stderr", Stuck())
    log = logging.getLogger("tumorscope.serve")
    with logging_to_stderr():
        handler: Any = log.handlers[0]
        start = time.perf_counter()
        for _ in range(WAITING + 100):
            log.info("a line")
        spent = time.perf_counter() - start
        assert handler.queue.qsize() > WAITING - 100
        handler.queue.queue.clear()
    assert spent < 5
