from pycocotools.cocoeval import *  # noqa: F401,F403
