# Two commands do everything: `make curate` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

CONFIG ?= examples/holdfast.yaml
INPUT ?=
OUTPUT ?=
ARGS ?=
PYTEST_ARGS ?= -n 2 --dist loadfile

PEERS := rensa datasketch datatrove text-dedup
BENCH := .bench
FUZZ := jsonl archive table html footer configuration
FUZZ_SECONDS ?= 60
TOOLS := .tools/bin
GCS_SERVER := v1.56.1
ENGINES := .engines
BEAM := 2.77.0

.PHONY: help setup curate verify test test-slow test-formats soak gcs-server s3-check lint format
.PHONY: bench bench-quick peers bench-peers bench-kernel bench-dedup bench-hot bench-rebalance
.PHONY: bench-plan bench-scaling lock audit fuzz clean
.PHONY: engines engines-prism engines-flink engines-spark test-engines flink-up flink-down
.PHONY: curate-flink test-deploy test-airflow

help:  ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

$(INSTALLED): requirements.lock pyproject.toml
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	$(BIN)/python -m pip check
	touch $@

setup: $(INSTALLED)  ## make .venv from the lock file

curate: setup  ## run the job on examples/; INPUT=, OUTPUT=, CONFIG= and ARGS= override
	$(BIN)/holdfast curate $(CONFIG) $(addprefix --input ,$(INPUT)) $(addprefix --output ,$(OUTPUT)) $(ARGS)

verify: setup  ## recompute every promise of OUTPUT= (default: that of the examples)
	$(BIN)/holdfast verify $(or $(OUTPUT),out/example)

test: setup gcs-server  ## run the quick tests
	$(BIN)/python -m pytest $(PYTEST_ARGS) -m "not slow"

test-slow: setup gcs-server  ## run the others: whole jobs by the dozen
	$(BIN)/python -m pytest $(PYTEST_ARGS) -m slow

# The environment holds torch, some gigabytes of it; PIP_INDEX_URL may name a smaller build.
$(BENCH)/formats/.installed: tests/formats/requirements.txt
	rm -rf $(@D) && mkdir -p $(BENCH)
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

test-formats: setup $(BENCH)/formats/.installed  ## every format read back by its own library
	READERS=$(BENCH)/formats/bin/python $(BIN)/python -m pytest tests/formats

soak: setup gcs-server  ## kill the job, its storage and its disk, and compare what it publishes
	$(BIN)/python tests/soak $(ARGS)

# The tests of Google Cloud Storage talk to this server over HTTP. It comes from the Go module
# proxy; go fetches a newer toolchain by itself if it needs one (1.21 or later can).
$(TOOLS)/fake-gcs-server-$(GCS_SERVER):
	@go version 2>/dev/null | grep -qE 'go1\.(2[1-9]|[3-9][0-9])' || { \
		echo "the storage server of the tests needs Go 1.21 or later, found: $$(go version 2>&1)"; \
		echo "install golang-go from Debian 13 or Ubuntu 24.04 on, or from go.dev/dl"; exit 1; }
	mkdir -p $(TOOLS)
	GOBIN=$(abspath $(TOOLS)) go install github.com/fsouza/fake-gcs-server@$(GCS_SERVER)
	mv $(TOOLS)/fake-gcs-server $@

gcs-server: $(TOOLS)/fake-gcs-server-$(GCS_SERVER)  ## build the storage server of the tests, below .tools

lint: setup  ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup  ## put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.tools/s3/.installed: tests/soak/requirements-s3.txt $(INSTALLED)
	rm -rf $(@D) && $(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	$(BIN)/python -c "import sysconfig; print(sysconfig.get_path('purelib'))" > $$(echo $(@D)/lib/python3*/site-packages)/holdfast.pth
	touch $@

s3-check: setup .tools/s3/.installed  ## run the job against a local server of Amazon S3
	.tools/s3/bin/python tests/soak/soak_s3.py

bench: setup  ## measure the whole job on mixed text (see benchmarks/README.md)
	$(BIN)/python -m benchmarks.job $(ARGS)

bench-quick: setup  ## the same on the small sizes only
	$(BIN)/python -m benchmarks.job --quick $(ARGS)

# An environment that cannot be made leaves a log, which the benchmark quotes.
define INSTALL_PEER
	rm -rf $(@D) && mkdir -p $(BENCH)
	{ $(PYTHON) -m venv $(@D) && $(@D)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $< && touch $@; } \
		> $(BENCH)/$*.log 2>&1 || echo "$* could not be installed: see $(BENCH)/$*.log"
endef

$(BENCH)/%/.installed: benchmarks/dedup/peers/requirements-%.txt
	$(INSTALL_PEER)

$(BENCH)/%/.installed: benchmarks/rebalance/requirements-%.txt
	$(INSTALL_PEER)

peers: $(PEERS:%=$(BENCH)/%/.installed)  ## install what deduplication is compared with, below .bench

bench-peers: setup peers  ## the same corpus through holdfast and through others
	$(BIN)/python -m benchmarks.dedup.peers $(ARGS)

bench-kernel: setup peers  ## signatures a second on one core, beside others
	$(BIN)/python -m benchmarks.dedup.kernel $(ARGS)

bench-dedup: setup  ## recall, precision and cost of deduplication, judged by every pair
	$(BIN)/python -m benchmarks.dedup.quality $(ARGS)

bench-hot: setup  ## deduplication on hot structures, beside unrelated text
	$(BIN)/python -m benchmarks.dedup.hot $(ARGS)

bench-rebalance: setup $(BENCH)/streaming/.installed  ## the worst shard and window, beside other ways to make shards
	$(BIN)/python -m benchmarks.rebalance.quality $(ARGS)

bench-plan: setup  ## what planning and assigning cost, up to ten million documents
	$(BIN)/python -m benchmarks.rebalance $(ARGS)

bench-scaling: setup  ## how cost grows with the size of the corpus
	$(BIN)/python -m benchmarks.scaling $(ARGS)

# Engines come from the places that their projects publish to: Prism from Go's module proxy,
# Flink and Spark from their Python packages, Beam's job servers from Maven Central.
$(ENGINES)/bin/prism-$(BEAM):
	mkdir -p $(@D)
	GOBIN=$(abspath $(@D)) go install github.com/apache/beam/sdks/v2/go/cmd/prism@v$(BEAM)
	mv $(@D)/prism $@ && ln -sf $(@F) $(@D)/prism

$(ENGINES)/%/.installed: deploy/%/requirements.txt deploy/%/pom.xml
	rm -rf $(@D) $(@D)-jars
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --no-deps --requirement $<
	mvn --quiet --batch-mode --file deploy/$*/pom.xml dependency:copy-dependencies \
		-DincludeScope=runtime -DoutputDirectory=$(abspath $(@D)-jars)
	touch $@

engines-prism: $(ENGINES)/bin/prism-$(BEAM)  ## build Prism (needs go)
engines-flink: $(ENGINES)/flink/.installed  ## install Flink (needs java 17 and mvn)
engines-spark: $(ENGINES)/spark/.installed  ## install Spark (needs java 17 and mvn)
engines: engines-prism engines-flink engines-spark

test-engines: setup engines  ## the same bytes on every engine
	$(BIN)/python -m pytest tests/engines $(ENGINE_ARGS)

flink-up: setup engines-flink  ## start a Flink cluster on this machine
	$(BIN)/python -m deploy.flink.cluster up

flink-down: setup  ## end it
	$(BIN)/python -m deploy.flink.cluster down

curate-flink: setup  ## run the job on it; CONFIG=, INPUT=, OUTPUT= and ARGS= as for curate
	$(BIN)/python -m deploy.flink.cluster run $(CONFIG) $(addprefix --input ,$(INPUT)) \
		$(addprefix --output ,$(OUTPUT)) $(ARGS)

# An environment like the image's: the steps of the Dockerfile, outside of a container.
$(ENGINES)/image/.installed: deploy/requirements.lock pyproject.toml
	rm -rf $(@D) && $(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --require-hashes --requirement deploy/requirements.lock
	$(@D)/bin/python -m pip install --quiet --no-deps --no-build-isolation .
	$(@D)/bin/python -m pip check
	touch $@

test-deploy: setup $(ENGINES)/image/.installed $(ENGINES)/checks/.installed  ## image, template, manifests
	$(BIN)/python -m pytest tests/deploy tests/deploy/slow

$(ENGINES)/checks/.installed $(ENGINES)/airflow/.installed: $(ENGINES)/%/.installed: deploy/requirements-%.txt
	rm -rf $(@D) && $(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --requirement $<
	touch $@

test-airflow: $(ENGINES)/airflow/.installed  ## the DAG, imported and run by Airflow itself
	$(ENGINES)/airflow/bin/python -m pytest --confcutdir tests/deploy/airflow \
		--config-file tests/deploy/airflow/pytest.ini tests/deploy/airflow

lock: setup  ## resolve requirements.lock anew
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet --upgrade --output-file requirements.lock
	$(BIN)/uv pip compile pyproject.toml deploy/requirements.in --constraint requirements.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet --output-file deploy/requirements.lock

$(BENCH)/audit/.installed:
	mkdir -p $(BENCH)
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet pip-audit
	touch $@

audit: $(BENCH)/audit/.installed  ## look the lock file up in the database of vulnerabilities
	$(BENCH)/audit/bin/pip-audit --strict --require-hashes --disable-pip --requirement requirements.lock

$(BENCH)/fuzz/.installed: requirements.lock tests/fuzz/requirements.txt
	mkdir -p $(BENCH)
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --require-hashes -r requirements.lock
	$(@D)/bin/python -m pip install --quiet -r tests/fuzz/requirements.txt
	touch $@

# What is new is kept below .bench; an input that shows a fault belongs into the corpus.
fuzz: $(BENCH)/fuzz/.installed  ## fuzz every reader, FUZZ_SECONDS= each
	for target in $(FUZZ); do \
		mkdir -p $(BENCH)/fuzz-corpus/$$target && \
		PYTHONPATH=. $(BENCH)/fuzz/bin/python tests/fuzz/fuzz.py $$target \
			-max_total_time=$(FUZZ_SECONDS) -timeout=30 -rss_limit_mb=4096 -max_len=65536 \
			-artifact_prefix=$(BENCH)/fuzz-$$target- -print_final_stats=1 \
			$(BENCH)/fuzz-corpus/$$target tests/fuzz/corpus/$$target || exit 1; \
	done

clean:  ## remove what was made
	rm -rf $(VENV) $(BENCH) .tools $(ENGINES) out build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
