"""What decoders print is caught; what others print meanwhile goes where it belongs."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from ferdata.core.native_messages import listen

COMPLAINT = b"Corrupt JPEG data: premature end of data segment\n"


def write(*lines: bytes) -> int:
    for line in lines:
        os.write(2, line)
    return len(lines)


@pytest.mark.parametrize(
    "line",
    [COMPLAINT, b"libpng warning: iCCP: known incorrect sRGB profile\n", b"TIFFReadDirectory: x\n"],
)
def test_messages_of_decoders_are_caught(line: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(3):
        assert listen(write, line, line) == (2, [line.decode().strip()] * 2)
    assert listen(write) == (0, [])
    assert capfd.readouterr().err == ""


def test_other_lines_are_passed_on(capfd: pytest.CaptureFixture[str]) -> None:
    assert listen(write, b"progress 5%\n", COMPLAINT, b"a warning\n")[1] == [
        COMPLAINT.decode()[:-1]
    ]
    assert capfd.readouterr().err == "progress 5%\na warning\n"


def test_an_exception_leaves_standard_error_as_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        os.write(2, COMPLAINT + b"other\n")
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        listen(fail)
    os.write(2, b"still here\n")
    assert capfd.readouterr().err == "other\nstill here\n"
    assert listen(write, COMPLAINT)[1] == [COMPLAINT.decode().strip()]


def test_threads_hear_their_own_decoder(capfd: pytest.CaptureFixture[str]) -> None:
    heard: dict[int, list[str]] = {}

    def work(number: int) -> None:
        line = b"Corrupt JPEG data: %d\n" % number
        heard[number] = [each for _ in range(50) for each in listen(write, line)[1]]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == {number: [f"Corrupt JPEG data: {number}"] * 50 for number in range(4)}
    assert capfd.readouterr().err == ""


def test_a_process_without_standard_error() -> None:
    code = (
        "import os; os.close(2)\n"
        "from ferdata.core.native_messages import listen\n"
        "print(listen(os.write, 2, b'Corrupt JPEG data: x\\n'), listen(len, 'ab'))\n"
        "try: os.fstat(2)\n"
        "except OSError: print('closed')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["(21, ['Corrupt JPEG data: x']) (2, [])", "closed"]
