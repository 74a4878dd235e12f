from app.timing import Stopwatch


def test_seconds_add_up_by_part():
    ticks = iter([0.0, 1.0, 5.0, 7.0, 10.0, 10.5])
    stopwatch = Stopwatch(clock=lambda: next(ticks))
    for part in ("pose", "draw", "pose"):
        with stopwatch(part):
            pass
    assert stopwatch.seconds == {"pose": 1.5, "draw": 2.0}
    assert "0.7500 s/frame" in stopwatch.table(frames=2)
    assert stopwatch.table(frames=2).splitlines()[-1].split() == ["all", "1.7500", "s/frame"]
