# The 21 actions of J-HMDB from COCO-17 skeletons that this project's own pose estimators found in the clips.
# The skeletons of both estimators are training samples, so that the network knows the noise of each.

data = dict(
    splits="../shared/data/jhmdb/splits.csv",
    split=1,
    train=["work_dirs/skeletons/jhmdb/mmpose", "work_dirs/skeletons/jhmdb/movenet"],
    test=dict(mmpose="work_dirs/skeletons/jhmdb/mmpose", movenet="work_dirs/skeletons/jhmdb/movenet"),
)

preprocess = dict(layout="coco17", fps=30.0, frames=48)  # the longest clips last 1.57 s

model = dict(width=32, dropout=0.3)  # half the paper's width: 660 clips are few

augment = dict(mirror=0.5, crop=0.5, speed=(0.8, 1.25), thin=0.15, hide_legs=0.15)

training = dict(epochs=50, batch_size=32, learning_rate=0.1, label_smoothing=0.1, amp=True)

about = dict(
    data="J-HMDB split 1 (HMDB51), skeletons extracted from its clips with this project",
    licence="CC BY 4.0",
)
