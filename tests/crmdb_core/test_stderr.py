"""A log that nobody reads never stops the work."""

from __future__ import annotations

import os
import subprocess
import sys

PROGRAM = """
import sys
import click
from crmdb_core.exits import run

@click.command()
def main():
    for number in range({lines}):
        print(f"line {{number:06}} " + "x" * 80, file=sys.stderr)
    print("done", flush=True)
    raise SystemExit({code})

run(main, name="program", args=[])
"""


def started(lines: int, code: int, err: int) -> subprocess.Popen[bytes]:
    program = PROGRAM.format(lines=lines, code=code)
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=err)


def test_a_full_pipe_stops_nothing() -> None:
    reader, writer = os.pipe()
    process = started(50_000, 3, writer)
    os.close(writer)
    assert process.stdout is not None
    assert b"done\n" == process.stdout.read()
    process.stdout.close()
    assert 3 == process.wait(30)
    os.close(reader)


def test_what_is_read_comes_whole_and_in_order() -> None:
    process = started(5_000, 0, subprocess.PIPE)
    _, err = process.communicate(timeout=30)
    assert [f"line {number:06}" for number in range(5_000)] == [line[:11].decode() for line in err.splitlines()]


def test_a_reader_that_is_gone_is_no_failure() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = started(10, 0, writer)
    os.close(writer)
    assert b"done\n" == process.communicate(timeout=30)[0]
    assert 0 == process.returncode
