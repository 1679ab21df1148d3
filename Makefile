# `make help` lists the targets. Everything is installed into .venv, inside this checkout.
.DEFAULT_GOAL := help
.PHONY: help run token serve chaos hostile test test-services test-versions test-js test-clients test-infra check docs screenshots bench demo-signout format reset

PY := .venv/bin/python
PIP := $(PY) -m pip --quiet --quiet --disable-pip-version-check
# The packages of the server and the local pool, and all packages.
RUN := .venv/installed-run
ENSURE := .venv/installed

# With this variable, each of many processes would compile all libraries again.
test test-services test-infra test-clients check: export PYTHONDONTWRITEBYTECODE =

# A .venv whose Python was removed or upgraded, or that is only half built, is built again.
ifneq ($(wildcard .venv),)
ifneq ($(shell $(PY) -c 'import django' 2>/dev/null && echo complete),complete)
$(shell rm -f $(RUN) $(ENSURE))
endif
endif

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

run: export CHECK_PORTS = 1
run: $(RUN) ## start the app and a local user pool (PORT=8000, POOL_PORT=9000)
	@$(PY) manage.py dev

token: $(RUN) ## print an access token of the running local pool (AS=ada)
	@$(PY) -m local_pool token $(or $(AS),ada)

serve: $(RUN) ## start the production server (docs/operations.md has its settings)
	@$(PY) manage.py check >/dev/null
	@$(PY) manage.py database_ready
	@$(PY) manage.py collectstatic --no-input --verbosity 0
	@exec $(PY) -m gunicorn --config deploy/gunicorn_config.py

chaos: $(ENSURE) ## run ten minutes of load with injected faults, and write a report (ARGS="--seconds 200")
	@$(PY) -m tools.chaos $(ARGS)

hostile: $(ENSURE) ## run five minutes of attacks under load, and write a report (ARGS="--seconds 60")
	@$(PY) -m tools.hostile $(ARGS)

test: $(ENSURE) ## run all tests (ARGS="-k profile tests/flows" narrows them)
	@$(PY) -m tests.browser && $(PY) -m tests.production.programs # example
	@$(PY) -m pytest -n auto --dist loadgroup $(ARGS)

test-services: $(ENSURE) ## run the tests of database and cache on PostgreSQL and Redis (DATABASE_URL, REDIS_URL)
	@$(PY) -m tests.services -n auto --dist loadgroup $(ARGS)

test-versions: $(ENSURE) .local/versions/installed ## test with all supported versions of Python and Django (ARGS="--python 3.13")
	@.local/versions/bin/python -m nox $(ARGS)

test-infra: $(ENSURE) .local/infra/installed ## deploy infra/ to an AWS emulator and sign in there
	@REQUIRE_INFRA=1 $(PY) -m pytest -p no:randomly tests/infra $(ARGS)

test-clients: $(ENSURE) .local/clients/installed ## test the API with generated clients and the example app (requires Node 20)
	@$(PY) -m tests.browser
	@REQUIRE_CLIENTS=1 $(PY) -m pytest -m clients tests/flows $(ARGS)

test-js: $(ENSURE) ## test the local pool with JavaScript OIDC libraries (requires Node 20)
	@$(PY) -m tests.javascript

check: $(ENSURE) ## check style, formatting, types, migrations, layers and docs
	@$(PY) -m ruff check --quiet
	@$(PY) -m ruff format --check --quiet
	@$(PY) -m mypy
	@$(PY) manage.py makemigrations --check --dry-run --settings tests.settings
	@$(PY) -m pytest -q tests/test_docs.py tests/test_layers.py # example

docs: $(ENSURE) ## build the documentation site into .local/docs/site (ARGS=--serve shows it)
	@$(PY) -m tools.docs $(ARGS)

screenshots: $(ENSURE) ## take pictures of every page in both themes, at two widths
	@$(PY) -m tests.browser
	@$(PY) -m tools.docs.screenshots $(ARGS)

bench: $(ENSURE) .local/bench/installed ## compare performance with other libraries (ARGS="--part micro", --help)
	@.local/bench/venv/bin/python -m tools.bench $(ARGS)

demo-signout: $(RUN) ## show that signing out revokes an access token within a second
	@$(PY) -m sso_project.dev.demo_signout

format: $(ENSURE) ## format the code
	@$(PY) -m ruff check --quiet --fix-only && $(PY) -m ruff format --quiet

reset: ## delete the development database, the pool's state and keys
	@if kill -0 "$$(cat .local/dev.pid 2>/dev/null)" 2>/dev/null || $(PY) -m local_pool counts >/dev/null 2>&1; then \
		echo "The site or the local pool is running here: stop it first (Ctrl-C in its terminal)." >&2; exit 1; fi
	@$(PY) -m local_pool reset >/dev/null 2>&1; rm -rf .local test-results
	@echo "Reset. The next 'make run' starts with a new database and pool."

$(RUN): requirements-run.txt requirements-runtime.txt
	@sh tools/install $< $@

$(ENSURE): requirements.txt requirements-run.txt requirements-runtime.txt
	@sh tools/install $< $@ && touch $(RUN)

.local/infra/installed: infra/requirements-test.txt
	@echo "Installing the emulator and the linter into .local/infra (once, about a minute) …"
	@$(PY) -m venv --clear --without-pip .local/infra
	@$(PIP) --python .local/infra install --no-compile -r $<
	@touch $@

.local/versions/installed: tests/versions/requirements.txt
	@$(PY) -m venv --clear --without-pip .local/versions
	@$(PIP) --python .local/versions install --no-compile -r $<
	@touch $@

.local/clients/installed: tests/flows/clients/requirements.txt tests/flows/clients/package-lock.json examples/spa/package-lock.json
	@echo "Installing the generators of clients and Vite into .local/clients (once, about a minute) …"
	@$(PY) -m venv --clear --without-pip .local/clients/venv
	@$(PIP) --python .local/clients/venv install --no-compile -r $<
	@mkdir -p .local/clients/spa
	@cp tests/flows/clients/package.json tests/flows/clients/package-lock.json .local/clients
	@cp examples/spa/package.json examples/spa/package-lock.json .local/clients/spa
	@for folder in .local/clients .local/clients/spa; do \
		(cd $$folder && npm ci --ignore-scripts --no-audit --no-fund --loglevel error) || exit 1; done
	@touch $@

.local/bench/installed: tools/bench/requirements.txt requirements-runtime.txt
	@echo "Installing the libraries to compare with into .local/bench (once, about a minute) …"
	@$(PY) -m venv --clear --without-pip .local/bench/venv
	@$(PIP) --python .local/bench/venv install --no-compile -r tools/bench/requirements.txt
	@touch .local/bench/installed
