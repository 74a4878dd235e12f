# The 21 actions of J-HMDB from its ground truth: 15 joints that people annotated in every frame.
# Skeletons that were estimated in the training clips are samples too, other views of the same; 124 clips of every
# split, which have no ground truth here, are learned from these alone. Tested on the ground truth of the test clips,
# which all have one, and on the joints that were estimated in them.

data = dict(
    format="jhmdb",
    split=1,
    splits="../shared/data/jhmdb/splits.csv",  # of the skeletons
    train=[
        "../shared/data/jhmdb/jhmdb_gt.npz",
        dict(path="work_dirs/skeletons/jhmdb/mmpose", format="skeletons"),
        dict(path="work_dirs/skeletons/jhmdb/movenet", format="skeletons"),
    ],
    test=dict(
        ground_truth="../shared/data/jhmdb/jhmdb_gt.npz",
        mmpose=dict(path="work_dirs/skeletons/jhmdb/mmpose", format="skeletons"),
        movenet=dict(path="work_dirs/skeletons/jhmdb/movenet", format="skeletons"),
    ),
)

preprocess = dict(layout="jhmdb15", fps=15.0, frames=20)  # the longest clips last 1.3 s

model = dict(width=21, dropout=0.2)  # a third of the paper's width: 660 clips are few

# No camera, no desk and no pose model stands between these joints and the network.
augment = dict(
    crop_share=(0.5, 1.0), position_noise=0.01, thin=0.0, hide_legs=0.0, confidence_noise=0.0, pan=0.8  # films
)

# Few clips are seen often, but never the same, so that they are not learned by heart.
training = dict(epochs=80, learning_rate=0.05, weight_decay=1e-3, mixup=0.4, ema_momentum=0.01, amp=True)

about = dict(data="J-HMDB, ground-truth and estimated poses", licence="CC BY 4.0")
