"""The way from keypoints to label: its numbers are those of the network."""

import re

import numpy as np
import pytest
import torch

from stgcn.explain_walk import body_frame, trace, walk
from stgcn.explanation import explain
from stgcn.graph import COCO17
from stgcn.streams import channels
from tests.stgcn.people import checkpoint, waving_clip


def page(class_name=None, frames=48, stream="joint"):
    trained, clip = checkpoint(frames, stream=stream), waving_clip()
    return walk(trained, clip, explain(trained, clip, class_name))


def test_a_window_for_another_network_is_refused_and_leaves_no_hooks():
    model = checkpoint().model
    with pytest.raises(ValueError, match="V=17"):
        trace(model, np.zeros((3, 8, 5), np.float32))
    assert not any(module._forward_hooks for module in model.modules())


def test_trace_gives_every_stage():
    model = checkpoint().model
    steps = trace(model, np.ones((3, 10, 17), np.float32))
    assert [tuple(step.shape) for step in (steps[0], steps[1], steps[10], steps[11], steps[12])] == [
        (1, 51, 10), (1, 4, 10, 17), (1, 16, 3, 17), (1, 16), (1, 3)
    ]  # fmt: skip
    torch.testing.assert_close(steps[12], model.classifier(steps[11]))
    assert not any(module._forward_hooks for module in model.modules())


def test_the_frame_of_a_body_is_found_again():
    normalised = np.random.default_rng(0).normal(size=(9, 2))
    centre, height = body_frame(np.array([3.0, -40.0]) + 250 * normalised, normalised)
    np.testing.assert_allclose([*centre, height], [3, -40, 250])


@pytest.mark.parametrize("frames", [1, 48])
def test_the_page_has_seven_steps_and_ends_with_the_label(frames):
    text = page(frames=frames)
    assert re.findall(r"^### (\d)", text, re.MULTILINE) == list("1234567")
    label = explain(checkpoint(frames), waving_clip()).label
    assert f"The label is **{label}**" in text.splitlines()[-1]
    assert max(map(len, text.splitlines())) <= 110


@pytest.mark.parametrize("stream", ["joint", "bone_motion", "joint+bone"])
def test_what_is_written_can_be_computed(stream):
    text = page(stream=stream)
    formulas = re.findall(r"([-(][-+*/(). \d]*|\d[-+*/(). \d]*) = (-?[\d.]+)$", text, re.MULTILINE)
    assert len(formulas) == 2 + channels(stream, COCO17) + 1, "body units, data norm, logit"
    for formula, result in formulas:
        assert eval(formula) == pytest.approx(float(result), abs=5e-3), formula


def test_the_parts_of_the_joints_add_up_to_the_logit():
    text = page("wave")
    parts = [float(part) for part in re.findall(r"^\| \w+ \| ([-+][\d.]+) \|$", text, re.MULTILINE)]
    bias, logit = re.search(r"products \+ bias = \S+ (\S+) = (\S+)", text).groups()
    assert len(parts) == 17
    assert sum(parts) + float(bias) == pytest.approx(float(logit), abs=2e-3)
