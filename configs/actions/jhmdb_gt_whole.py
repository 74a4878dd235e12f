# As jhmdb_gt.py, but every clip is slowed down or sped up until it fills the window: what a body does, and not how fast
# or for how long. Fused with networks that see time as it passes, it makes up for some of their mistakes.

_base_ = "jhmdb_gt.py"

preprocess = dict(frames=32, whole_clips=True)
