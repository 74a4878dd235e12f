# As webcam.py, but what is never announced is one class instead of eleven: sports are "other" too.
# To compare, see docs/decisions.md.

_base_ = "webcam.py"

data = dict(
    names=dict.fromkeys(
        ["brush_hair", "catch", "climb_stairs", "golf", "pour", "pullup", "shoot_ball", "shoot_bow", "shoot_gun",
         "swing_baseball"], "other"),
    classes=[
        "wave", "clap", "sit down", "stand up", "walk", "run", "jump", "squat", "pick up", "throw", "kick", "push",
        "idle", "other",
    ],
)  # fmt: skip

moments = dict(silent=[], repeated=["wave", "clap", "idle"])
