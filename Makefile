# The workspace's front door. `make help` lists the targets.
SHELL := /bin/bash
PY := .venv/bin/python
.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: setup
setup: ## create .venv from the hashed lock (a second time: at once)
	@tools/bootstrap.sh

.PHONY: lock
lock: setup ## resolve requirements.in into requirements.lock
	.venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header requirements.in -o requirements.lock

.PHONY: proto
proto: setup ## generate proto/gen from the protos
	$(PY) tools/protos/generate.py
