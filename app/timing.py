"""How long each part of the work takes."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Stopwatch:
    """Adds up seconds by part: `with stopwatch("pose"): ...`."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter):
        self._clock = clock
        self.seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        """Count the time spent inside the `with` block towards `part`."""
        start = self._clock()
        try:
            yield
        finally:
            self.seconds[part] += self._clock() - start

    def table(self, frames: int) -> str:
        """Seconds per frame of each part, in the order in which the parts first ran, and their sum."""
        rows = [*self.seconds.items(), ("all", sum(self.seconds.values()))]
        return "\n".join(f"{part:>8}  {seconds / max(frames, 1):.4f} s/frame" for part, seconds in rows)
