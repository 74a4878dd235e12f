"""Pose estimators on real weights and real people, and what is refused before."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from app import assets, pose
from app.capture import Frame, VideoReader
from app.errors import UserError

WAVE = "data/jhmdb/videos/wave/wave_and_say_hi_wave_u_nm_np1_fr_med_0.mp4"
DESK = "videos/asl_book.mkv"
CLOSE_UP = "videos/arm_wrestling.mp4"
STOOPING = "data/jhmdb/videos/push/Kommandant__muss_Auto_schieben_push_f_cm_np1_ri_bad_0.mp4"
TINYPOSE = "weights/tinypose_litehrnet-naive_coco17_256x192.py"
DETECTOR = "weights/rtmdet-nano_person_320.pth"
WRISTS, SHOULDERS = [9, 10], [5, 6]


@pytest.fixture(scope="module")
def mmpose(shared):
    torch.set_num_threads(1)
    return pose.create(str(shared(TINYPOSE)), detector_weights=shared(DETECTOR))


def frames(path, count=None):
    with VideoReader(path) as reader:
        return [frame for frame in reader if count is None or frame.index < count]


@pytest.mark.parametrize("choice", ["openpose", "", "MMPose"])
def test_an_unknown_estimator_is_refused(choice):
    with pytest.raises(UserError, match="choose auto, mmpose, movenet"):
        pose.create(choice)


def test_weights_without_a_config_are_refused():
    with pytest.raises(UserError, match="add --pose CONFIG.py"):
        pose.create("movenet", weights=Path("some.pth"))


def test_a_missing_or_broken_config_is_refused(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        pose.create(str(tmp_path / "none.py"), detector_weights=Path("any.pth"))
    for text in ("model = (", "x = 1", "model = dict(type='NoSuchEstimator', backbone=dict(type='X'))"):
        config = tmp_path / "broken.py"
        config.write_text(text)
        with pytest.raises(UserError):
            pose.create(str(config), detector_weights=Path("any.pth"))


def test_weights_that_are_missing_or_of_another_model_are_refused(shared, tmp_path):
    config, detector = str(shared(TINYPOSE)), shared(DETECTOR)
    with pytest.raises(UserError, match="do not exist"):
        pose.create(config, tmp_path / "none.pth", detector)
    with pytest.raises(UserError, match="not a checkpoint of this config"):
        pose.create(config, detector, detector)
    (tmp_path / "text.pth").write_text("not weights")
    with pytest.raises(UserError, match="cannot read"):
        pose.create(config, tmp_path / "text.pth", detector)


class Payload:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_weights_never_run_code(shared, tmp_path):
    torch.save({"state_dict": Payload(tmp_path / "executed")}, tmp_path / "evil.pth")
    with pytest.raises(UserError, match="cannot read"):
        pose.create(str(shared(TINYPOSE)), tmp_path / "evil.pth", shared(DETECTOR))
    assert not (tmp_path / "executed").exists()


def test_training_checkpoints_with_their_loss_histories_load(shared, tmp_path):
    from mmengine.logging import HistoryBuffer

    history = HistoryBuffer()
    history.update(0.5)
    weights = torch.load(shared(TINYPOSE).with_suffix(".pth"), weights_only=True)
    trained = {"state_dict": weights.get("state_dict", weights), "message_hub": {"loss": history}, "meta": {"epoch": 3}}
    torch.save(trained, tmp_path / "epoch_3.pth")
    assert pose.create(str(shared(TINYPOSE)), tmp_path / "epoch_3.pth", shared(DETECTOR))


def test_a_file_that_is_no_movenet_is_refused(tmp_path):
    from app.pose.movenet import MoveNetEstimator

    (tmp_path / "model.tflite").write_bytes(b"nothing")
    with pytest.raises(UserError, match="fetch it again"):
        MoveNetEstimator(tmp_path / "model.tflite")


def test_a_readable_network_that_is_no_movenet_is_refused(tmp_path):
    import openvino
    from openvino import opset13

    from app.pose.movenet import MoveNetEstimator

    numbers = opset13.parameter([1, 7], np.float32)
    weighed = opset13.matmul(numbers, np.ones((7, 2), np.float32), False, False)
    openvino.save_model(openvino.Model([weighed], [numbers]), tmp_path / "model.xml")
    with pytest.raises(UserError, match="MoveNet.*fetch it again"):
        MoveNetEstimator(tmp_path / "model.xml")


def test_auto_says_what_runs_why_and_how_to_choose(capsys, monkeypatch, movenet):
    def unreachable(name):
        if name != pose.MOVENET_ASSET:
            raise UserError(f"{name} cannot be fetched")
        return fetched(name)

    fetched = assets.get
    monkeypatch.setattr(assets, "get", unreachable)
    assert pose.create("auto").name == movenet.name
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert movenet.name in line and "because" in line and "--pose mmpose" in line


def test_importing_and_building_print_no_warnings(shared, mmpose):
    program = ("from pathlib import Path; import app.pose.mmpose, app.pose.movenet; from app import pose; "
               f"pose.create({str(shared(TINYPOSE))!r}, detector_weights=Path({str(shared(DETECTOR))!r}))")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("clip", [WAVE, DESK])
@pytest.mark.parametrize("name", ["mmpose", "movenet"])
def test_the_person_is_found_in_nearly_every_frame(name, clip, request, shared):
    estimator = request.getfixturevalue(name)
    estimator.reset()
    video = frames(shared(clip), count=40)
    found = [estimator.estimate(frame) for frame in video]
    assert sum(map(bool, found)) >= 0.95 * len(video)
    height, width = video[0].image.shape[:2]
    for people in filter(None, found):
        best = max(people, key=lambda person: person.score)
        assert best.keypoints.shape == (17, 3) and best.keypoints.dtype == np.float32
        assert best.box.shape == (4,) and 0 <= best.score <= 1
        assert (best.keypoints[:, 2] >= 0).all() and (best.keypoints[:, 2] <= 1).all()
        assert (best.keypoints[SHOULDERS, 2] > 0.2).all()
        assert (np.abs(best.keypoints[SHOULDERS, :2]) < max(width, height)).all()


def test_whoever_comes_into_an_empty_picture_is_found_in_the_next_frame(mmpose, shared):
    person = frames(shared(WAVE), 1)[0].image
    mmpose.reset()
    assert not mmpose.estimate(Frame(np.zeros_like(person), 0, 0.0))
    assert mmpose.estimate(Frame(person, 1, 0.04))


def test_somebody_of_whom_the_detector_is_unsure_is_followed_where_nobody_else_is(mmpose, shared):
    mmpose.reset()
    found = [bool(mmpose.estimate(frame)) for frame in frames(shared(STOOPING))]
    assert np.mean(found) > 0.9


def test_beside_others_somebody_of_whom_the_detector_is_unsure_is_not_followed(mmpose, shared):
    mmpose.reset()
    assert max(len(mmpose.estimate(frame)) for frame in frames(shared(CLOSE_UP), 20)) <= 3  # of limbs it makes people


def test_whoever_the_detector_no_longer_confirms_is_gone_though_the_pose_network_sees_them(mmpose, shared):
    video = [frame.image for frame in frames(shared(WAVE), 12)]
    faint = [(0.1 * image + 115).astype(np.uint8) for image in video]
    mmpose.reset()
    found = [bool(mmpose.estimate(Frame(image, i, i / 30))) for i, image in enumerate(video[:1] + faint[1:])]
    assert found[:4] == [True] * 4 and not any(found[5:])


def test_both_estimators_see_the_same_hand_wave(mmpose, movenet, shared):
    video = frames(shared(WAVE))
    mmpose.reset()
    differences = []
    for frame in video:
        ours, theirs = (max(e.estimate(frame), key=lambda person: person.score).keypoints for e in (mmpose, movenet))
        sure = (ours[:11, 2] > 0.5) & (theirs[:11, 2] > 0.4)
        differences.append(np.linalg.norm(ours[:11, :2] - theirs[:11, :2], axis=1)[sure].mean())
    assert np.median(differences) < 8  # px, in a picture of 320 x 240


@pytest.mark.parametrize("beside", [(0, 240), (330, 0), (17, 3)])
def test_movenet_finds_people_where_they_are_in_pictures_of_any_shape(beside, movenet, shared):
    frame = frames(shared(WAVE), 1)[0]
    below, right = beside
    wider = np.pad(frame.image, ((0, below), (0, right), (0, 0)))
    alone, there = (max(movenet.estimate(Frame(image, 0, 0.0)), key=lambda person: person.score)
                    for image in (frame.image, wider))
    sure = (alone.keypoints[:, 2] > 0.4) & (there.keypoints[:, 2] > 0.4)
    assert sure.sum() >= 5
    assert np.abs(alone.keypoints[sure, :2] - there.keypoints[sure, :2]).max() < 12  # px, of 320 x 240
    assert np.abs(alone.box - there.box).max() < 30


@pytest.mark.parametrize("name", ["mmpose", "movenet"])
def test_nobody_is_found_where_nobody_is(name, request):
    estimator = request.getfixturevalue(name)
    estimator.reset()
    grey = np.full((240, 320, 3), 110, np.uint8)
    assert [estimator.estimate(Frame(grey, index, index / 30)) for index in range(7)] == [[]] * 7


def test_a_second_pass_gives_the_same_poses(mmpose, shared):
    passes = []
    for _ in range(2):
        mmpose.reset()
        passes.append([person.keypoints for frame in frames(shared(WAVE), 12) for person in mmpose.estimate(frame)])
    np.testing.assert_array_equal(*passes)


def test_one_stage_models_run_too(tmp_path):
    """RTMO with random weights: the whole way through MMPose, whatever it finds."""
    from app.pose import mmpose

    config = mmpose.MMPOSE_CONFIGS / assets.ASSETS["rtmo-s"].config
    from mmengine.config import Config
    from mmpose.apis import init_model

    torch.save(init_model(Config.fromfile(config), None, device="cpu").state_dict(), tmp_path / "random.pth")
    estimator = pose.create(str(config), tmp_path / "random.pth")
    people = estimator.estimate(Frame(np.zeros((240, 320, 3), np.uint8), 0, 0.0))
    assert all(person.keypoints.shape == (17, 3) for person in people)
