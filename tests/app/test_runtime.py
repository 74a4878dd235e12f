"""The live schedule: newest wins, nobody waits for a model, no event is lost, failures reach the window loop."""

import threading
import time
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest

from app.cameras import CameraSource
from app.capture import Frame
from app.errors import UserError
from app.pipeline import Recogniser
from app.runtime import LiveRuntime, Rate, Slot
from tests.app.people import person
from tests.app.test_pipeline import checkpoint

FRAME_S = 0.01
IMAGE = np.zeros((48, 64, 3), np.uint8)


class PacedCamera(CameraSource):
    """Gives `frames` pictures at a steady pace; then ends, or fails with `failure`."""

    size, fps = (64, 48), Fraction(100)

    def __init__(self, frames: int, failure: Exception | None = None):
        self._left, self._index, self._failure = frames, 0, failure

    def read(self) -> Frame | None:
        if not self._left:
            if self._failure:
                raise self._failure
            return None
        time.sleep(FRAME_S)
        self._left -= 1
        frame = Frame(IMAGE, self._index, time.monotonic())
        self._index += 1
        return frame

    def close(self) -> None:
        """Nothing to release."""


@dataclass
class SlowEstimator:
    """Finds one person who waves, and takes its time."""

    seconds: float = 0.0
    calls: int = 0
    name = "slow"

    def estimate(self, frame: Frame):
        time.sleep(self.seconds)
        self.calls += 1
        return [person(frame.time_s, waves=True)]

    def reset(self) -> None:
        """Nothing is kept."""


def play(camera, estimator):
    """Every view until the end, and all events."""
    views, events = [], []
    with LiveRuntime(camera, estimator, Recogniser(checkpoint())) as runtime:
        while not runtime.ended:
            view = runtime.view(0.05)
            views += [view] if view else []
            events += runtime.events()
    return views, events + runtime.finish()


def test_a_slot_holds_the_newest_value_only():
    slot = Slot()
    for value in (1, 2, 3):
        slot.put(value)
    assert slot.take() == 3
    assert slot.take(timeout_s=0.01) is None


def test_closing_a_slot_wakes_whoever_waits():
    slot = Slot()
    taken = []
    waiter = threading.Thread(target=lambda: taken.append(slot.take()))
    waiter.start()
    slot.close()
    waiter.join(timeout=2)
    assert taken == [None]


def test_what_lies_in_a_closed_slot_can_still_be_taken():
    slot = Slot()
    slot.put("last")
    slot.close()
    assert slot.take() == "last"
    assert slot.take() is None


def test_rate_counts_the_last_second():
    rate = Rate()
    assert rate.per_second == 0
    for tick in np.arange(0, 5, 0.1):
        rate.tick(float(tick))
    assert rate.per_second == pytest.approx(10, rel=0.05)


def test_nobody_is_seen_in_the_first_picture_which_takes_the_models_long():
    class ColdEstimator(SlowEstimator):
        forgotten = 0

        def estimate(self, frame: Frame):
            self.seconds = 0.0 if self.calls else 0.3
            return super().estimate(frame)

        def reset(self) -> None:
            self.forgotten += 1

    estimator = ColdEstimator()
    views, _ = play(PacedCamera(80), estimator)
    seen = sorted({view.recognition.skeletons.index for view in views if view.recognition.skeletons.tracks})
    assert seen[0] > 20 and np.diff(seen).max() < 10
    assert estimator.forgotten == 1


def test_a_camera_that_fails_says_so_in_the_window_loop():
    with pytest.raises(UserError, match="cable"):
        play(PacedCamera(5, UserError("camera 0 gives no more frames; check its cable")), SlowEstimator())


def test_a_slow_model_lowers_its_rate_and_does_not_hold_up_the_picture():
    estimator = SlowEstimator(seconds=20 * FRAME_S)
    start = time.monotonic()
    views, _ = play(PacedCamera(100), estimator)
    elapsed = time.monotonic() - start
    assert 2 <= estimator.calls <= elapsed / estimator.seconds + 1
    assert len(views) > 3 * estimator.calls
    assert [view.frame.index for view in views] == sorted({view.frame.index for view in views})
    # However many frames have passed, what is shown is a few estimates old at most: nothing queues up.
    assert max(view.monitor.pose_delay_s for view in views) < 5 * estimator.seconds


def test_times_count_from_the_first_frame_and_every_start_has_its_end():
    views, events = play(PacedCamera(300), SlowEstimator())
    assert views[0].frame.time_s < 1
    starts = [(event.track, event.start_s) for event in events if event.event == "start"]
    ends = [(event.track, event.start_s) for event in events if event.event == "end"]
    assert starts and sorted(starts) == sorted(ends)


def test_a_pause_shows_no_new_picture():
    with LiveRuntime(PacedCamera(10_000), SlowEstimator(), Recogniser(checkpoint())) as runtime:
        assert runtime.view(2.0)
        runtime.paused = True
        time.sleep(5 * FRAME_S)
        runtime.view(0.0)
        assert runtime.view(10 * FRAME_S) is None
        runtime.paused = False
        assert runtime.view(2.0)
