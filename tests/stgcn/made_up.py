"""A small made-up data set: a standing person who nods or waves."""

import json

import numpy as np

from stgcn.graph import LAYOUTS

ACTIONS = {"nod": "nose", "wave": "left_wrist"}  # action -> the joint that swings
CLIPS, FRAMES = 18, 20  # clips of each action, every third a test clip; frames of each clip
TRAINING_CLIPS, TEST_CLIPS = 24, 12  # of both actions
STANDING = np.random.default_rng(0).uniform((100, 50), (200, 200), (17, 2))

CONFIG = """
data = dict(splits={splits!r}, split=1, train=[{folder!r}], test=dict(made_up={folder!r}))
model = dict(width=4, dropout=0.0)
preprocess = dict(frames=20)
augment = dict(mirror=0.0, drop_joint=0.0, hide_legs=0.0)
training = dict(epochs=25, warmup_epochs=1, batch_size=8, learning_rate=0.05)
about = dict(licence="none needed")
"""


def write_config(root):
    """Write clips, their splits and a config into the folder `root`; path of the config."""
    rng = np.random.default_rng(1)
    rows = ["video,class,split1"]
    for action, joint in ACTIONS.items():
        for i in range(CLIPS):
            rows.append(f"{action}/{i}.mp4,{action},{'test' if i % 3 == 0 else 'train'}")
            write_clip(root / f"skeletons/{action}/{i}.skeletons.jsonl", joint, rng)
    (root / "splits.csv").write_text("\n".join(rows) + "\n")
    path = root / "tiny.py"
    path.write_text(CONFIG.format(splits=str(root / "splits.csv"), folder=str(root / "skeletons")))
    return path


def write_clip(path, joint, rng):
    """A standing person, somewhere in the picture, who swings one joint to and fro."""
    moving = LAYOUTS["coco17"].index(joint)
    place, phase = rng.uniform(-50, 50, 2), rng.uniform(0, 6)
    lines = [{"skeletons": 1, "layout": "coco17", "fps": 30, "size": [320, 240], "source": path.stem}]
    for i in range(FRAMES):
        positions = STANDING + place + rng.normal(0, 1, (17, 2))
        positions[moving, 0] += 30 * np.sin(phase + i)
        keypoints = np.column_stack([positions, np.full(17, 0.9)]).tolist()
        person = {"track": 1, "score": 0.9, "box": [50, 0, 250, 240], "keypoints": keypoints}
        lines.append({"frame": i, "time_s": i / 30, "people": [person]})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
