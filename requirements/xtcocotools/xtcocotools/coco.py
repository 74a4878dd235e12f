from pycocotools.coco import *  # noqa: F401,F403
