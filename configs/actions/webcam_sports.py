# As webcam.py, but the ten actions that are never announced, most of them sports, are classes of their own.
# To compare, see docs/experiments.md.

_base_ = "webcam.py"

SPORTS = ["brush_hair", "catch", "climb_stairs", "golf", "pour", "pullup", "shoot_ball", "shoot_bow", "shoot_gun",
          "swing_baseball"]  # fmt: skip

data = dict(
    names=dict(_delete_=True, sit="sit down", stand="stand up", pick="pick up", kick_ball="kick"),
    classes=[
        "wave", "clap", "sit down", "stand up", "walk", "run", "jump", "squat", "pick up", "throw", "kick", "push",
        *SPORTS, "idle", "other",
    ],
)  # fmt: skip

moments = dict(repeated=["wave", "clap", "brush_hair", "idle"], silent=SPORTS)

del SPORTS
