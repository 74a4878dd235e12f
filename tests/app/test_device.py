import pytest
import torch

from app import device
from app.errors import UserError


@pytest.mark.parametrize("name", ["gpu", "", "cuda:x", "tpu", "cuda:99"])
def test_unknown_or_absent_devices_are_refused(name):
    with pytest.raises(UserError, match="device"):
        device.choose(name)


def test_auto_takes_the_gpu_when_there_is_one():
    assert device.choose("auto") == ("cuda" if torch.cuda.is_available() else "cpu")
    assert device.choose("cpu") == "cpu"
