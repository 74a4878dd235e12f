import os
import signal
import time

import pytest

from app.errors import UserError, run


def _raise(error):
    raise error


def _be_sent(number):
    os.kill(os.getpid(), number)
    time.sleep(10)  # at most: the signal's handler ends it


@pytest.mark.parametrize(
    ("main", "code", "line"),
    [
        (lambda: _raise(UserError("no such file; check the path")), 2, "error: no such file; check the path\n"),
        (lambda: _raise(KeyboardInterrupt()), 130, "stopped\n"),
        (lambda: _be_sent(signal.SIGTERM), 143, "stopped\n"),
        (lambda: None, 0, ""),
    ],
)
def test_every_end_has_its_exit_code_and_at_most_one_line(main, code, line, capsys):
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as exit_:
        run(main)
    assert exit_.value.code == code
    assert capsys.readouterr().err == line
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_defect_of_ours_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        run(lambda: 1 / 0)
