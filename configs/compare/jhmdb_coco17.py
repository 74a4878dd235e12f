# Nine networks on the 21 actions of J-HMDB, from COCO-17 skeletons that this project found with MMPose.
# One estimator, and fewer epochs than configs/actions/jhmdb_coco17.py: 27 trainings in an afternoon.

data = dict(
    splits="../shared/data/jhmdb/splits.csv",
    split=1,
    train=["work_dirs/skeletons/jhmdb/mmpose"],
    test=dict(mmpose="work_dirs/skeletons/jhmdb/mmpose"),
)

preprocess = dict(layout="coco17", fps=30.0, frames=48)  # the longest clips last 1.57 s

model = dict(width=32, dropout=0.3)  # the rest is what is compared

augment = dict(mirror=0.5, crop=0.5, speed=(0.8, 1.25), thin=0.15, hide_legs=0.15)

training = dict(epochs=30, batch_size=32, learning_rate=0.1, label_smoothing=0.1)

about = dict(data="J-HMDB split 1, skeletons extracted from its clips with MMPose", licence="CC BY 4.0")
