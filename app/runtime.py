"""The live schedule: threads that hand the newest value on, so that slow models lower the rate and never add delay.

capture ──▶ pose ──▶ action, each a thread; between them slots that hold one value. The window loop asks for the
newest view whenever it likes and never waits for a model.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Generic, Self, TypeVar

from app.cameras import CameraSource
from app.capture import Frame
from app.decisions import ActionState
from app.events import ActionEvent
from app.pipeline import Recogniser, Recognition
from app.pose.base import PoseEstimator
from app.skeletons import SkeletonFrame, Windows

JOIN_TIMEOUT_S = 2.0  # a camera that hangs must not keep the program from ending
RATE_MEMORY_S = 1.0  # frame rates are counted over this long

Value = TypeVar("Value")


class Slot(Generic[Value]):
    """Room for one value between two threads. A new value replaces one that was not taken: the newest wins."""

    def __init__(self):
        self._changed = threading.Condition()
        self._value: Value | None = None
        self._closed = False

    def put(self, value: Value) -> None:
        """Leave a value, in place of the one before."""
        with self._changed:
            self._value = value
            self._changed.notify()

    def take(self, timeout_s: float | None = None) -> Value | None:
        """Wait for a value and take it; None when the slot is closed and empty, or the time is up."""
        with self._changed:
            self._changed.wait_for(lambda: self._value is not None or self._closed, timeout_s)
            value, self._value = self._value, None
            return value

    def close(self) -> None:
        """No more values: whoever waits is woken. A value that lies in the slot can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class Rate:
    """Events per second over the last second."""

    def __init__(self):
        self._times: deque[float] = deque()

    def tick(self, now_s: float) -> None:
        """Count one event."""
        self._times.append(now_s)
        while now_s - self._times[0] > RATE_MEMORY_S:
            self._times.popleft()

    @property
    def per_second(self) -> float:
        """0 until two events were counted."""
        times = list(self._times)
        return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else 0.0


@dataclass(frozen=True)
class Monitor:
    """How live it is, measured. Rates per second; delays in seconds from capture to result."""

    camera_fps: float = 0.0
    pose_fps: float = 0.0
    pose_delay_s: float = 0.0
    action_delay_s: float = 0.0


@dataclass(frozen=True)
class View:
    """The newest picture with the newest that is known about it."""

    frame: Frame
    recognition: Recognition
    monitor: Monitor


@dataclass
class _Newest:
    """What the threads have found so far; written by one thread each, read by the window loop."""

    skeletons: SkeletonFrame = field(default_factory=lambda: SkeletonFrame(0, 0.0, ()))
    states: dict[int, ActionState] = field(default_factory=dict)
    pose_delay_s: float = 0.0
    action_delay_s: float = 0.0


class LiveRuntime:
    """Runs a camera, a pose estimator and a recogniser side by side. Use it in a `with`.

    Times count from the first frame. `clock` must be the clock of the camera's frames.
    """

    def __init__(
        self, camera: CameraSource, estimator: PoseEstimator, recogniser: Recogniser,
        clock: Callable[[], float] = time.monotonic,
    ):  # fmt: skip
        self._camera, self._estimator, self._recogniser, self._clock = camera, estimator, recogniser, clock
        self._origin_s: float | None = None  # time of the first frame, on the clock
        self._newest = _Newest()
        self._camera_rate, self._pose_rate = Rate(), Rate()
        self._to_display: Slot[Frame] = Slot()
        self._to_pose: Slot[Frame] = Slot()
        self._to_action: Slot[Windows] = Slot()
        self._events: deque[ActionEvent] = deque()
        self._failure: BaseException | None = None
        self._stop = threading.Event()
        self.paused = False
        parts = (self._capture, self._estimate, self._judge)
        self._threads = [threading.Thread(target=self._guarded, args=(part,), daemon=True) for part in parts]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        for slot in (self._to_display, self._to_pose, self._to_action):
            slot.close()
        for thread in self._threads:
            thread.join(JOIN_TIMEOUT_S)

    @property
    def ended(self) -> bool:
        """Whether there will be no further view: the camera's file is at its end, or a part has failed."""
        return self._stop.is_set()

    def view(self, timeout_s: float) -> View | None:
        """The newest frame, once; None when none comes in time. Raises what a thread has failed with."""
        frame = self._to_display.take(timeout_s)
        if self._failure:
            raise self._failure
        if frame is None:
            return None
        newest = self._newest
        monitor = Monitor(self._camera_rate.per_second, self._pose_rate.per_second,
                          newest.pose_delay_s, newest.action_delay_s)
        return View(frame, Recognition(newest.skeletons, newest.states), monitor)

    def events(self) -> list[ActionEvent]:
        """The events since the last call, in order; none is ever lost."""
        return [self._events.popleft() for _ in range(len(self._events))]

    def finish(self) -> list[ActionEvent]:
        """After the `with`: the last events, among them the ends of what lasts."""
        return self.events() + self._recogniser.finish()

    def _now_s(self) -> float:
        return self._clock() - self._origin_s

    def _guarded(self, part: Callable[[], None]) -> None:
        """Run one part; what it raises is kept for the window loop."""
        try:
            part()
        except BaseException as error:  # noqa: BLE001
            self._failure = error
            self._stop.set()
            self._to_display.close()

    def _capture(self) -> None:
        while not self._stop.is_set() and (frame := self._camera.read()) is not None:
            if self._origin_s is None:
                self._origin_s = frame.time_s
            if self.paused:
                continue
            frame = replace(frame, time_s=frame.time_s - self._origin_s)
            self._camera_rate.tick(frame.time_s)
            self._to_pose.put(frame)
            self._to_display.put(frame)
        self._to_pose.close()

    def _warm_up(self) -> None:
        """The first picture takes the models long, several frames. Whoever is seen in it and next when it is done would
        seem to have glided there, which looks like an action; so nobody is seen in it."""
        if (frame := self._to_pose.take()) is not None:
            self._estimator.estimate(frame)
            self._estimator.reset()

    def _estimate(self) -> None:
        self._warm_up()
        while (frame := self._to_pose.take()) is not None and not self._stop.is_set():
            poses = self._estimator.estimate(frame)
            skeletons = self._recogniser.track(frame.index, frame.time_s, poses)
            windows = self._recogniser.collect(skeletons)
            if windows:
                self._to_action.put(windows)
            self._newest.skeletons = skeletons
            self._newest.pose_delay_s = self._now_s() - frame.time_s
            self._pose_rate.tick(frame.time_s)
        self._to_action.close()

    def _judge(self) -> None:
        while (windows := self._to_action.take()) is not None and not self._stop.is_set():
            states, events = self._recogniser.judge(windows)
            self._newest.states = states
            self._newest.action_delay_s = self._now_s() - windows.time_s
            self._events.extend(events)
        self._stop.set()
        self._to_display.close()
