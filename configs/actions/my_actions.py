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

preprocess = dict(layout="coco17", fps=30.0, frames=48)

model = dict(width=32, dropout=0.3)

augment = dict(mirror=0.5, crop=0.5, speed=(0.8, 1.25), hide_legs=0.15)

training = dict(epochs=50, batch_size=32, learning_rate=0.1, label_smoothing=0.1, amp=True)

about = dict(data="my own clips", licence="all rights reserved")
