"""What a decision rests on: the maps add up to it, and they are where things happen."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from stgcn.checkpoint import load
from stgcn.explanation import STRIDE, at_frames, explain, read, respond
from stgcn.preprocess import Preprocess
from stgcn.streams import STREAMS
from tests.stgcn.people import CLASSES, checkpoint, waving_clip, write_skeletons

TRAINED = Path(__file__).parents[2] / "checkpoints" / "stgcn-jhmdb-coco17.pth"


def window(frames, seed=1):
    """(C, T, V) of somebody who moves at random."""
    return np.random.default_rng(seed).normal(size=(3, frames, 17)).astype(np.float32)


def test_an_unknown_class_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="unknown class 'hop'; known: stand, wave, put on a hat/cap"):
        explain(checkpoint(), waving_clip(), "hop")


def test_a_checkpoint_without_preprocessing_is_refused(tmp_path):
    official = replace(checkpoint(), preprocess=None)
    with pytest.raises(ValueError, match="how its input is prepared.*stgcn.train"):
        explain(official, waving_clip())
    with pytest.raises(ValueError, match="how its input is prepared.*stgcn.train"):
        read(official, write_skeletons(tmp_path / "a.jsonl", waving_clip()))


@pytest.mark.parametrize("preprocess, why", [
    (Preprocess(people=2), "judges 2 people together"), (Preprocess(whole_clips=True), "slowed down or sped up"),
])  # fmt: skip
def test_a_checkpoint_that_does_not_see_one_person_as_time_passes_is_refused(tmp_path, preprocess, why):
    other = replace(checkpoint(), preprocess=preprocess)
    for ask in (lambda: explain(other, waving_clip()),
                lambda: read(other, write_skeletons(tmp_path / "a.jsonl", waving_clip()))):  # fmt: skip
        with pytest.raises(ValueError, match=why):
            ask()


@pytest.mark.parametrize("late_s", [0, 5], ids=["never in view", "gone before the window"])
def test_nobody_in_view_is_refused(late_s):
    clip = waving_clip()
    shown = clip.keypoints if late_s else np.zeros_like(clip.keypoints)
    with pytest.raises(ValueError, match="waving: nobody is in view in its last 1.6 s"):
        explain(checkpoint(), replace(clip, keypoints=shown, end_s=clip.end_s + late_s))


def test_a_file_in_another_layout_is_refused(tmp_path):
    path = write_skeletons(tmp_path / "a.jsonl", waving_clip(), layout="jhmdb15")
    with pytest.raises(ValueError, match="jhmdb15.*coco17"):
        read(checkpoint(), path)


def test_a_network_for_another_skeleton_is_refused():
    with pytest.raises(ValueError, match="V=17"):
        respond(checkpoint().model, np.zeros((3, 8, 18), np.float32))


@pytest.mark.parametrize("frames", [1, 2, 3, 4, 5, 13, 47, 48, 49])
def test_every_logit_is_the_mean_of_its_map_and_the_bias(frames):
    model, x = checkpoint().model, window(frames)
    responses = respond(model, x)
    moments = -(-frames // STRIDE)
    assert responses.magnitude.shape == (moments, 17)
    assert responses.activation.shape == (len(CLASSES), moments, 17)
    with torch.no_grad():
        logits = model(torch.from_numpy(x)[None, ..., None])[0]  # (classes,)
    torch.testing.assert_close(torch.from_numpy(responses.logits), logits, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(torch.from_numpy(responses.scores), logits.softmax(0), rtol=1e-5, atol=1e-6)
    assert at_frames(responses.magnitude, frames).shape == (frames, 17)


def test_the_trained_network_decomposes_as_well():
    trained = load(TRAINED)
    explanation = explain(trained, waving_clip())
    parts = sum(part for _, part in explanation.ranked_joints())
    chosen = explanation.chosen
    logits = trained.model(torch.from_numpy(explanation.window)[None, ..., None])
    assert parts + explanation.responses.bias[chosen] == pytest.approx(logits[0, chosen].item(), abs=1e-4)


@pytest.mark.parametrize("moment", [0, 1, 5, 11])
def test_a_moment_is_centred_on_its_frame(moment):
    """With convolutions over one frame only, what happens in frame STRIDE * i moves moment i and no other."""
    model, x = checkpoint(temporal_kernel=1).model, window(48)
    before = respond(model, x)
    x[:, STRIDE * moment] += 1
    after = respond(model, x)
    for old, new in ((before.magnitude, after.magnitude), (before.activation, after.activation)):
        moved = (np.abs(new - old) > 1e-6).any(axis=-1)  # (T',) or (classes, T')
        assert np.flatnonzero(moved.reshape(-1, 12).any(axis=0)).tolist() == [moment]


@pytest.mark.parametrize("frame", [16, 22, 29])
def test_what_happens_in_between_moves_the_response_around_it(frame):
    model, x = checkpoint().model, window(48)
    before = respond(model, x).activation
    x[:, frame] += 5
    change = np.abs(respond(model, x).activation - before).mean(axis=(0, 2))  # (T',)
    centre = (change * np.arange(12)).sum() / change.sum() * STRIDE
    assert abs(centre - frame) < STRIDE, "in frames"


def test_resizing_keeps_moments_in_place_and_draws_straight_lines_between_them():
    moments = np.array([[0.0, 1.0], [4.0, -3.0]])
    frames = at_frames(moments, 7)
    np.testing.assert_allclose(frames[:, 0], [0, 1, 2, 3, 4, 4, 4])
    np.testing.assert_allclose(frames[[0, 4], 1], moments[:, 1])


@pytest.mark.parametrize("stream", STREAMS)
def test_a_network_is_explained_on_the_stream_it_was_trained_on(stream):
    trained, clip = checkpoint(stream=stream), waving_clip()
    explanation = explain(trained, clip)
    window = trained.preprocess(clip.times, clip.keypoints, clip.end_s)
    np.testing.assert_array_equal(explanation.window, window)
    np.testing.assert_array_equal(explanation.responses.logits, respond(trained.model, window).logits)


def test_the_likeliest_class_is_explained_unless_another_is_asked_for():
    explanation = explain(checkpoint(), waving_clip())
    assert explanation.label == explanation.ranked_classes()[0][0]
    assert explain(checkpoint(), waving_clip(), "put on a hat/cap").label == "put on a hat/cap"
    assert [score for _, score in explanation.ranked_classes()] == sorted(explanation.responses.scores)[::-1]


def test_the_span_that_says_most():
    explanation = explain(checkpoint(), waving_clip())
    activation = np.zeros_like(explanation.responses.activation)
    activation[explanation.chosen, 6] = 1  # frame 24
    explanation = replace(explanation, responses=replace(explanation.responses, activation=activation))
    start_s, end_s = explanation.best_span()
    assert end_s - start_s == pytest.approx(0.4)
    assert start_s < explanation.times[24] < end_s


@pytest.mark.parametrize("frames", [1, 5])
def test_a_window_shorter_than_the_span_is_its_own_span(frames):
    explanation = explain(checkpoint(frames), waving_clip())
    assert explanation.best_span() == (explanation.times[0], explanation.times[-1])
    assert explanation.activation.shape == explanation.magnitude.shape == (frames, 17)
