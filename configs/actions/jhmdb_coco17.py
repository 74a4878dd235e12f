# The 21 actions of J-HMDB from COCO-17 skeletons that this project's own pose estimators found in the clips.
# The skeletons of both estimators are training samples, so that the network knows the noise of each.

data = dict(
    splits="../shared/data/jhmdb/splits.csv",
    split=1,
    train=["work_dirs/skeletons/jhmdb/mmpose", "work_dirs/skeletons/jhmdb/movenet"],
    test=dict(mmpose="work_dirs/skeletons/jhmdb/mmpose", movenet="work_dirs/skeletons/jhmdb/movenet"),
)

preprocess = dict(layout="coco17", fps=15.0, frames=24)  # 1.53 s

model = dict(width=21, dropout=0.2)  # a third of the paper's width: 660 clips are few

augment = dict(crop_share=(0.5, 1.0), position_noise=0.01)

# Few clips are seen often: until the training clips are known by heart, and at a learning rate that lets them.
training = dict(epochs=60, learning_rate=0.05, weight_decay=1e-3, ema_momentum=0.01, amp=True)

about = dict(
    data="J-HMDB split 1 (HMDB51), skeletons extracted from its clips with this project",
    licence="CC BY 4.0",
)
