"""A file from outside is parsed in a child with limits; the process that asked goes on whatever the child does."""

import os
import signal
import threading
from pathlib import Path

import pytest

from survey.exceptions import FileRefused, Overloaded
from survey.untrusted import reading
from survey.untrusted.protocol import MEBIBYTE, FileRefusedError, Limits
from survey.untrusted.reading import read, read_value
from tests.survey.untrusted import parsing

SMALL = Limits(processor_seconds=1, seconds=60, memory=64 * MEBIBYTE, output=MEBIBYTE)


def code_of(parser, limits=SMALL, **parameters):
    with pytest.raises(FileRefused) as refused:
        list(read(parser, b"x", limits, **parameters))
    return refused.value.code


def goes_on():
    return read_value(parsing.length, b"12345", SMALL) == {"length": 5}


def test_values_and_parameters_pass_through():
    assert read_value(parsing.length, b"abc", SMALL, name="名") == {"length": 3, "name": "名"}
    assert list(read(parsing.count, b"", SMALL, numbers=1000)) == list(range(1000))
    assert read_value(parsing.length, b"x" * 40 * MEBIBYTE, Limits(5, 60, 256 * MEBIBYTE, 1000))


def test_a_refusal_of_the_parser_keeps_its_code_and_parameters():
    with pytest.raises(FileRefusedError) as refused:
        list(read(parsing.refuse, b"", SMALL))
    assert (refused.value.code, refused.value.parameters) == ("too_many_rows", {"limit": 3})


@pytest.mark.parametrize(
    ("parser", "parameters", "code"),
    [
        (parsing.loop, {}, "file_too_slow"),
        (parsing.allocate, {"size": 2**32}, "file_too_complex"),
        (parsing.endless, {}, "file_too_complex"),
        (parsing.fail, {}, "file_damaged"),
        (parsing.end_by_signal, {"number": int(signal.SIGSEGV)}, "file_damaged"),
        (parsing.end_by_signal, {"number": int(signal.SIGKILL)}, "file_too_complex"),
    ],
)
def test_a_child_that_takes_too_much_or_fails_is_refused(parser, parameters, code):
    assert code_of(parser, **parameters) == code
    assert goes_on()


def test_a_child_that_only_waits_is_killed_at_its_deadline():
    assert code_of(parsing.sleep, Limits(1, 1, 64 * MEBIBYTE, 1000)) == "file_too_slow"


def test_a_child_has_no_secrets_no_files_and_no_network(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "not for children")
    reading._server.stop()  # the next server starts under this environment
    facts = read_value(parsing.facts, b"", SMALL)
    assert "SECRET_KEY" not in facts["environment"] and "DATABASE_URL" not in facts["environment"]
    assert not (facts["file"] or facts["connection"] or facts["program"])
    assert facts["nice"] >= 10 and facts["session"] != os.getsid(0) and 0 < facts["alarm"] <= 60
    assert len(facts["open"]) == 1, "only the connection on which it answers"
    assert not Path(f"/proc/{facts['pid']}").exists() or goes_on()


def test_a_server_that_died_is_started_again():
    assert goes_on()
    process = reading._server._process
    process.kill()
    process.wait()
    assert goes_on()


def test_a_reader_that_stops_early_frees_its_place():
    for _number in range(5):
        values = read(parsing.endless, b"", SMALL)
        next(values)
        values.close()
    assert goes_on()


def test_more_files_at_once_than_places_are_refused_with_503(monkeypatch):
    monkeypatch.setattr(reading, "WAIT_SECONDS", 0.2)
    open_ones = [read(parsing.count, b"", SMALL, numbers=2) for _number in range(reading.AT_ONCE)]
    for values in open_ones:
        next(values)
    with pytest.raises(Overloaded) as refused:
        goes_on()
    assert refused.value.status == 503 and refused.value.code == "file_busy"
    for values in open_ones:
        list(values)
    assert goes_on()


def test_threads_read_at_the_same_time():
    results = []
    threads = [
        threading.Thread(
            target=lambda size=size: results.append(read_value(parsing.length, b"x" * size, SMALL))
        )
        for size in (1, 2, 3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(result["length"] for result in results) == [1, 2, 3]


def test_a_fork_of_this_process_has_a_server_of_its_own():
    assert goes_on()
    pid = os.fork()
    if pid == 0:
        os._exit(0 if reading._server._process is None and goes_on() else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert goes_on()
