# Nine networks on the 21 actions of J-HMDB, from COCO-17 skeletons that this project found with MMPose.
# One estimator, and fewer epochs than configs/actions/jhmdb_coco17.py: 27 trainings in an afternoon.

data = dict(
    splits="../shared/data/jhmdb/splits.csv",
    split=1,
    train=["work_dirs/skeletons/jhmdb/mmpose"],
    test=dict(mmpose="work_dirs/skeletons/jhmdb/mmpose"),
)

preprocess = dict(layout="coco17", fps=15.0, frames=24)  # 1.53 s

model = dict(width=21, dropout=0.2)  # the rest is what is compared

augment = dict(crop_share=(0.5, 1.0), position_noise=0.01)

training = dict(epochs=20, learning_rate=0.05, weight_decay=1e-3, amp=True)

about = dict(data="J-HMDB split 1, skeletons extracted from its clips with MMPose", licence="CC BY 4.0")
