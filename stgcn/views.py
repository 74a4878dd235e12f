"""One clip, looked at in several ways: whole, its beginning, its end, and each of them in a mirror.

A network's answers to them are averaged: multi-view testing, as is usual on these benchmarks. The views of the PYSKL
paper are random; these are always the same.
"""

from dataclasses import replace

from stgcn.augment import mirror
from stgcn.data import Clip
from stgcn.graph import Layout

SHARE = 0.75  # of the time, in the views of beginning and end
VIEWS = 6


def views(clip: Clip, layout: Layout) -> list[Clip]:
    """VIEWS clips, the first of which is the clip itself; of a clip without frames, all are."""
    if not len(clip.times):
        return [clip] * VIEWS
    first_s, last_s = float(clip.times[0]), clip.end_s
    length_s = SHARE * (last_s - first_s)
    straight = [clip, _between(clip, first_s, first_s + length_s), _between(clip, last_s - length_s, last_s)]
    return straight + [replace(view, keypoints=mirror(view.keypoints, layout)) for view in straight]


def _between(clip: Clip, start_s: float, end_s: float) -> Clip:
    kept = (clip.times >= start_s) & (clip.times <= end_s)
    return replace(clip, times=clip.times[kept], keypoints=clip.keypoints[kept], end_s=end_s)
