# The 21 actions of J-HMDB from its ground truth: 15 joints that people annotated in every frame.
# 124 of the 660 training clips of split 1 have no ground truth here; the 268 test clips all have it.

data = dict(
    format="jhmdb",
    split=1,
    train=["../shared/data/jhmdb/jhmdb_gt.npz"],
    test=dict(ground_truth="../shared/data/jhmdb/jhmdb_gt.npz"),
)

preprocess = dict(layout="jhmdb15", fps=15.0, frames=20)  # the longest clips last 1.3 s

model = dict(width=21, dropout=0.2)  # a third of the paper's width: 536 clips are few

# No camera, no desk and no pose model stands between these joints and the network.
augment = dict(crop_share=(0.5, 1.0), position_noise=0.01, thin=0.0, hide_legs=0.0, confidence_noise=0.0)

# Few clips are seen often: until the training clips are known by heart, and at a learning rate that lets them.
training = dict(epochs=180, learning_rate=0.05, weight_decay=1e-3, ema_momentum=0.01, amp=True)

about = dict(data="J-HMDB split 1, ground-truth poses", licence="CC BY 4.0")
