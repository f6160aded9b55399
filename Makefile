# The workspace's front door. `make help` lists the targets.
SHELL := /bin/bash
PY := .venv/bin/python
CODE := chassis cli clients conftest.py services tests tools
COMPILE := .venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: setup
setup: ## create .venv from the hashed lock (a second time: at once)
	@tools/bootstrap.sh

.PHONY: lock
lock: setup ## resolve the requirements*.in into hashed locks
	$(COMPILE) requirements.in -o requirements.lock
	$(COMPILE) requirements-runtime.in -c requirements.lock -o requirements-runtime.lock
	$(COMPILE) requirements-checks.in -o requirements-checks.lock

.PHONY: proto
proto: setup ## generate proto/gen, docs/api and the clients from the protos
	$(PY) tools/protos/generate.py
	$(PY) -m mpp_gateway
	$(PY) -m mpp_apidocs
	$(PY) clients/python/generate.py
	$(PY) clients/typescript/generate.py

.PHONY: lists
lists: setup ## bring the lists that name every service up to date (deploy, pyproject): docs/adr/0025 says which they are
	$(PY) -m mpp_newchannel lists

.PHONY: new-channel
new-channel: setup ## add a channel's service from the template: NAME=lockers (a small English word, plural or not)
	$(PY) -m mpp_newchannel add "$(NAME)"

.PHONY: clients
clients: setup ## build the TypeScript client (npm ci, tsc); the Python one needs no build
	$(PY) clients/typescript/build.py

.PHONY: release-protos
release-protos: setup ## keep the image of a release that the next one must not break: VERSION=0.2.0
	$(PY) tools/protos/releases.py cut "$(VERSION)"

.PHONY: gateway
gateway: setup ## generate Envoy's configuration (deploy/gateway/generated) from the protos and edge.yaml
	$(PY) -m mpp_gateway

.PHONY: run
run: setup ## start the whole platform on this machine and walk one citizen's visit through it
	@$(PY) -m mpp_localrun run

.PHONY: stop
stop: setup ## stop the platform; no process stays behind
	@$(PY) -m mpp_localrun stop

.PHONY: visit
visit: setup ## walk one more visit through the running platform
	@$(PY) -m mpp_localrun visit

.PHONY: logs
logs: ## follow the logs of the running platform
	@tail -n 50 -f .dev/run/logs/platform.log

.PHONY: clean-data
clean-data: setup ## stop, and forget the data of `make run` (downloads stay cached)
	@$(PY) -m mpp_localrun clean

.PHONY: lint
lint: setup ## ruff, mypy, import-linter, buf lint, nothing released is broken, generated code and documents up to date
	.venv/bin/ruff check $(CODE)
	.venv/bin/ruff format --check $(CODE)
	.venv/bin/mypy chassis/mpp_chassis $(wildcard services/*/mpp_*) cli/mppctl $(wildcard tools/*/mpp_*) clients/python/mpp_client
	.venv/bin/lint-imports --no-cache
	cd proto && ../.venv/bin/buf lint
	$(PY) -m mpp_newchannel lists --check
	$(PY) tools/protos/generate.py --check
	$(PY) tools/protos/releases.py check
	$(PY) -m mpp_apidocs --check
	$(PY) -m mpp_gateway --check
	$(PY) clients/python/generate.py --check
	$(PY) clients/typescript/generate.py --check

.PHONY: format
format: setup ## let ruff format and fix
	.venv/bin/ruff check --fix $(CODE)
	.venv/bin/ruff format $(CODE)

.PHONY: test
test: setup ## lint; unit, contract, architecture, integration, chaos and e2e tests on their own ports and data
	@tests/run

.PHONY: unit
unit: setup ## only the fast tests: no broker, no store
	.venv/bin/pytest tests/unit tests/architecture $(wildcard services/*/tests/unit)

.PHONY: dashboards
dashboards: setup ## generate Grafana's JSON from deploy/observability/grafana/*.yaml
	$(PY) -m mpp_observe generate

.PHONY: alerts
alerts: setup ## put Prometheus' configuration, rules and alerts to promtool
	$(PY) -m mpp_observe check

.PHONY: prometheus
prometheus: setup ## Prometheus over the platform of `make run`, with rules and alerts, until Ctrl-C
	@$(PY) -m mpp_observe prometheus

.PHONY: backup
backup: setup ## back up the platform of `make run` into .dev/backups (docs/operations.md tells how it comes back)
	@$(PY) -m mpp_backup dump --profile run .dev/backups/$$(date -u +%Y%m%dT%H%M%SZ)

.PHONY: images
images: setup ## build every image without Docker, look into it and run it (needs root; minutes)
	@deploy/images/build

.PHONY: rolling
rolling: setup ## 100 rolling restarts of serve processes under load through the gateway (some minutes)
	MPP_ROLLING_RESTARTS=100 MPP_TEST_PROFILE=rolling .venv/bin/pytest -s tests/chaos/test_rolling.py

.PHONY: bench
bench: setup ## performance as ratios to a raw floor in the same run; writes build/bench.json
	$(PY) -m tests.bench

.PHONY: bench-long
bench-long: setup ## a day of 192 sites, 64 callers over 100,000 tickets, cost with 10^4 and 10^6 in history (much more than an hour)
	$(PY) -m tests.bench.day --sites 192 --visits 300
	MPP_CROWD_TICKETS=100000 MPP_CROWD_CALLS=0 MPP_TEST_PROFILE=bench .venv/bin/pytest -s tests/integration/queue/test_crowd.py
	$(PY) -m tests.bench --long

.PHONY: check-deploy
check-deploy: setup ## checkov over the rendered overlays of deploy/k8s and the Dockerfiles
	@tools/checks-env.sh
	$(PY) -m tests.deploy.k8s_render
	.venv-checks/bin/checkov --config-file deploy/.checkov.yaml --framework kubernetes dockerfile \
	  -f build/k8s/*.yaml deploy/images/*.Dockerfile services/*/Dockerfile
