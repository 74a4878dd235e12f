# The recipe of python -m app.teach, which finds the skeletons and writes the list of clips that this reads:
#
#   video,class,split1
#   dab/1.mp4,dab,train
#   dab/4.mp4,dab,test
#
# After changes here, python -m stgcn.train configs/actions/my_actions.py trains again.

data = dict(
    splits="work_dirs/taught/splits.csv",
    split=1,
    trim=True,  # most recordings begin before the action and end after it
    train=["work_dirs/taught/skeletons"],
    test=dict(clips="work_dirs/taught/skeletons"),
)

preprocess = dict(layout="coco17", fps=15.0, frames=24, stream="bone+joint_motion+bone_motion")

model = dict(width=32, dropout=0.2)  # both are those of the network it starts from

moments = dict(
    # What that network knows and goes on judging, played by made-up people, so that it is not taken for something new.
    # Strike out what is the same as one of yours under another name; what you add to `silent` is not announced.
    known=[
        "wave", "clap", "sit down", "stand up", "walk", "run", "jump", "squat", "pick up", "throw", "kick", "push",
    ],
    silent=[],
    puppets=0.5,
    by_legs=["squat", "kick"], by_hands=["wave", "clap", "throw", "push"],  # not to be told without these
    repeated=[],  # name here what goes on and looks the same backwards, such as waving
)  # fmt: skip

augment = dict(crop_share=(0.5, 1.0), position_noise=0.01, hide_legs=0.4, hide_hips=0.7, close=0.3)

training = dict(
    start="checkpoints/stgcn-webcam.pth", trunk_rate=0.03, beside=True,
    epochs=45, samples=240, learning_rate=0.05, weight_decay=1e-3, ema_momentum=0.01, amp=True,
)  # fmt: skip

about = dict(data="my own clips", licence="all rights reserved")
