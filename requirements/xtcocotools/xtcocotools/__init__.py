"""pycocotools under the name that mmpose imports."""
