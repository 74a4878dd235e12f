import io
import json

from app.events import ActionEvent, EventWriter

START = ActionEvent("start", 3, "wave", 0.8, 1.25, None, 40)
END = ActionEvent("end", 3, "wave", 0.9, 1.25, 2.5, 80)


class Log(io.StringIO):
    """Counts how often it is flushed."""

    flushes = 0

    def flush(self):
        self.flushes += 1
        super().flush()


def test_events_are_json_lines_flushed_one_by_one():
    log = Log()
    writer = EventWriter(log)
    writer.write(START)
    assert log.flushes == 1
    writer.write(END)
    start, end = map(json.loads, log.getvalue().splitlines())
    assert start == {"event": "start", "track": 3, "action": "wave", "score": 0.8,
                     "start_s": 1.25, "end_s": None, "frame": 40}  # fmt: skip
    assert end["start_s"] == start["start_s"] and end["end_s"] == 2.5


def test_people_can_read_them():
    assert "person 3 starts: wave" in START.describe()
    assert "person 3 ends:   wave after 1.25 s" in END.describe()
