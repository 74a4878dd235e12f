# The 10 actions of Northwestern-UCLA, from 20 joints in space: trained on two sides, tested on a third.

data = dict(
    format="nwucla",
    train=["../shared/data/nwucla/nwucla.npz"],
    test=dict(view_3="../shared/data/nwucla/nwucla.npz"),
)

# Clips are cut to one action and last from 1 to 201 frames. Stretched over the window, the frames of the shortest lie
# far apart: no gap is too long to bridge.
preprocess = dict(layout="kinect20", fps=15.0, frames=32, max_gap_s=10.0, whole_clips=True)

# ST-GCN++, half as wide as in its paper: as many weights as ST-GCN of width 21.
model = dict(
    strategy="directed",
    width=32,
    dropout=0.2,
    edge_importance=False,
    adaptive=True,
    graph_residual=True,
    multi_scale=True,
)

# The third camera stands elsewhere, and looks down more steeply than the two that training sees.
augment = dict(
    crop_share=(0.5, 1.0), position_noise=0.01, turn_deg=60, tilt_deg=30, thin=0.0, hide_legs=0.0, confidence_noise=0.0
)

training = dict(epochs=150, learning_rate=0.05, weight_decay=1e-3, ema_momentum=0.01, amp=True)

about = dict(data="Northwestern-UCLA, views 1 and 2", licence="research use")
