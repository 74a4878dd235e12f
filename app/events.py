"""What happened: the start and the end of actions, and the file they are written to as they happen."""

import json
from dataclasses import asdict, dataclass
from typing import Literal, TextIO


@dataclass(frozen=True)
class ActionEvent:
    """One person's action begins or ends. `end` repeats the `start_s` of its `start`.

    score: the smoothed score that started the action, or the highest one while it lasted (`end`), 0..1.
    start_s, end_s: seconds of capture time; end_s is None at the start.
    frame: index of the frame at which this was decided.
    """

    event: Literal["start", "end"]
    track: int
    action: str
    score: float
    start_s: float
    end_s: float | None
    frame: int

    def describe(self) -> str:
        """One line for people."""
        if self.event == "start":
            return f"{self.start_s:7.2f} s  person {self.track} starts: {self.action} ({self.score:.2f})"
        return f"{self.end_s:7.2f} s  person {self.track} ends:   {self.action} after {self.end_s - self.start_s:.2f} s"


class EventWriter:
    """Appends events to a file as JSON Lines, flushed one by one: a reader sees each as it happens."""

    def __init__(self, file: TextIO):
        self._file = file

    def write(self, event: ActionEvent) -> None:
        """Append one event."""
        self._file.write(json.dumps(asdict(event)) + "\n")
        self._file.flush()
