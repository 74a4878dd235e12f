# Actions of people in front of a camera, for the live view: what this project comes with.
# Moments of made-up performances instead of clips, more than half of them of people of whom a desk or the picture's
# edge hides the legs.

data = dict(
    val=0.2,  # not to choose an epoch: app.calibrate needs clips that the network does not know
    splits="../shared/data/jhmdb/splits.csv",
    split=1,
    names={
        "sit": "sit down", "stand": "stand up", "pick": "pick up", "kick_ball": "kick",
        # Most of these are sports, which people in front of a camera seldom do: they are not to be taken for the rest.
        **dict.fromkeys(["brush_hair", "catch", "climb_stairs", "golf", "pour", "pullup", "shoot_ball", "shoot_bow",
                         "shoot_gun", "swing_baseball"], "other"),
    },
    classes=[
        "wave", "clap", "sit down", "stand up", "walk", "run", "jump", "squat", "pick up", "throw", "kick", "push",
        "idle", "other",
    ],
    train=[
        "work_dirs/skeletons/jhmdb/mmpose",
        "work_dirs/skeletons/jhmdb/movenet",
        # Every second of these clips, shown at a quarter to half of its size.
        dict(path="work_dirs/skeletons/jhmdb_small/movenet", splits="work_dirs/small/splits.csv"),
        # Twelve recordings, some half a minute long, and nobody squats anywhere else: as many as clips of a class.
        *[dict(path="../shared/data/webcam_lzq/webcam_lzq.npz", format="webcam", names={"stand": "idle"})] * 12,
        # Six recordings of people who sign: hands that move a lot, and nothing of it has a name here.
        *[
            dict(path="work_dirs/skeletons/videos/mmpose", splits="configs/actions/videos.csv"),
            dict(path="work_dirs/skeletons/videos/movenet", splits="configs/actions/videos.csv"),
        ] * 8,
    ],
    test=dict(
        mmpose="work_dirs/skeletons/jhmdb/mmpose",
        movenet="work_dirs/skeletons/jhmdb/movenet",
        webcam=dict(path="../shared/data/webcam_lzq/webcam_lzq.npz", format="webcam", names={"stand": "idle"}),
    ),
)  # fmt: skip

preprocess = dict(
    layout="coco17",
    fps=15.0,
    frames=24,  # 1.53 s; hands that wave are slower than 7 Hz
    stream="bone+joint_motion+bone_motion",  # and not where joints are: clips are too few not to learn that by heart
)

model = dict(width=32, dropout=0.2)

moments = dict(
    balanced=0.7, hold_s=(0.3, 3.0), alone=0.35, other_before=0.15, made_up=0.08, puppets=0.35,
    repeated=["wave", "clap", "idle"], enters=["walk"],
    by_legs=["squat", "kick"], by_hands=["wave", "clap", "throw", "push"],
)  # fmt: skip

augment = dict(
    hide_legs=0.4, hide_hips=0.7, close=0.3, thin=0.4, thin_fps=(8, 20), drop_joint=0.05,
    position_noise=0.01, noise_memory_s=0.2, shaky=0.25,  # keypoints are smoothed: their errors last
)  # fmt: skip

training = dict(epochs=120, learning_rate=0.05, weight_decay=1e-3, ema_momentum=0.01, amp=True)

about = dict(
    data="J-HMDB split 1 (HMDB51), webcam_lzq and recordings of signing; skeletons estimated by this project",
    licence="CC BY 4.0 and Apache-2.0",
)
