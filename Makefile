# make demo    label the people in a sample video          make test   run the tests
# make live    label people in front of the first camera
# Each does its own set-up: a virtual environment in .venv, installed anew only when requirements change.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed

.PHONY: demo live test install

demo: install
	@clip=$$($(RUN) -m app.assets sample-clip) && \
	$(RUN) -m app.video "$$clip" --pose movenet -o demo.mp4 --events demo.events.jsonl && \
	echo "Events are in demo.events.jsonl; now open demo.mp4, or run: make live"

live: install
	$(RUN) -m app.live

test: install
	$(RUN) -m pytest

install: $(INSTALLED)

# PyPI's torch for Linux brings gigabytes of CUDA packages. Where there is no NVIDIA GPU, torch's own index has a
# build without them; if it cannot be reached, pip goes on with the indexes that it has.
$(INSTALLED): requirements.txt $(wildcard requirements/*/pyproject.toml)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; try: make PYTHON=python3.12"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	@if [ "$$(uname -s)" = Linux ] && ! command -v nvidia-smi >/dev/null; then \
		$(RUN) -m pip install --retries 0 --extra-index-url https://download.pytorch.org/whl/cpu \
			$$(grep -E '^(torch|torchvision|numpy)==' requirements.txt); \
	fi
	$(RUN) -m pip install -r requirements.txt
	@touch $@
