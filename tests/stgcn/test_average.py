"""One network from several: refusals, then the mean."""

from dataclasses import replace

import pytest
import torch

from stgcn.average import average, main
from stgcn.checkpoint import load, save
from tests.stgcn.people import checkpoint


@pytest.mark.parametrize("change, word", [
    ({"classes": ("a", "b", "c")}, "classes"), ({"preprocess": None}, "preprocessing"),
    ({"model": checkpoint(temporal_kernel=5).model}, "architecture"),
])  # fmt: skip
def test_networks_that_do_not_belong_together_are_refused(change, word):
    with pytest.raises(ValueError, match=f"checkpoint 2 has another {word}"):
        average([checkpoint(), replace(checkpoint(), **change)])


def test_a_missing_checkpoint_is_one_line_and_exit_2(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        main([str(tmp_path / "none.pth"), "-o", str(tmp_path / "mean.pth")])
    assert capsys.readouterr().err.startswith("error: there is no checkpoint")


def test_every_weight_and_statistic_is_the_mean():
    several = [checkpoint(seed=seed) for seed in range(3)]
    mean = average(several).model.state_dict()
    for name, value in mean.items():
        if value.is_floating_point():
            wanted = torch.stack([other.model.state_dict()[name] for other in several]).mean(dim=0)
            torch.testing.assert_close(value, wanted)


def test_the_mean_of_one_network_is_that_network(tmp_path):
    save(tmp_path / "one.pth", checkpoint(), half=False)
    main([str(tmp_path / "one.pth")] * 2 + ["-o", str(tmp_path / "mean.pth")])
    one, mean = load(tmp_path / "one.pth"), load(tmp_path / "mean.pth")
    clip = torch.randn(2, 3, 48, 17, 1)
    torch.testing.assert_close(mean.model(clip), one.model(clip), atol=1e-2, rtol=1e-2)
    assert (mean.classes, mean.preprocess) == (one.classes, one.preprocess)
