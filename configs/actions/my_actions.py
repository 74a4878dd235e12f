# Actions of your own, from clips in clips/CLASS/*.mp4 and a list of them, clips/splits.csv:
#
#   video,class,split1
#   wave/me_1.mp4,wave,train
#   wave/me_2.mp4,wave,test
#
# Extract skeletons first: python -m app.video clips/*/*.mp4 --no-video --skeletons work_dirs/skeletons/clips

data = dict(
    splits="clips/splits.csv",
    split=1,
    train=["work_dirs/skeletons/clips"],
    test=dict(clips="work_dirs/skeletons/clips"),
)

preprocess = dict(layout="coco17", fps=15.0, frames=24, stream="bone+joint_motion+bone_motion")

model = dict(width=32, dropout=0.2)  # both are those of the network it starts from

moments = dict(repeated=[])  # name here what goes on and looks the same backwards, such as waving

augment = dict(crop_share=(0.5, 1.0), position_noise=0.01)

training = dict(
    start="checkpoints/stgcn-webcam.pth", epochs=60, learning_rate=0.05, weight_decay=1e-3, ema_momentum=0.01, amp=True
)

about = dict(data="my own clips", licence="all rights reserved")
