# raptorctl: what a developer types. `make help` lists it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# Set, each start of Python compiles our modules anew: a quarter more for `list --help`.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
VENV := .venv
# Inputs for each of the 38 tests of `make fuzz`, and an eighth as many hosts that are used.
EXAMPLES ?= 5000
RUN := $(VENV)/bin/python -m
# A worker per CPU. Whoever has nothing left takes the second half of what another one has.
SPREAD := $(RUN) pytest -q -p randomly -n auto --dist worksteal
# Exact versions of all that development needs, for each Python from 3.11 on.
LOCK := requirements-dev.lock
# One virtual environment per content of these two: a second `make env` has nothing to do.
STAMP = $(VENV)/made-for-$(shell cat pyproject.toml $(LOCK) | sha256sum | cut -c1-12)

# mmdebstrap, e2fsprogs, debian-archive-keyring, openssh-client: the lab's image and its login.
# libvirt-dev, gcc, pkg-config, python3-dev: libvirt-python is built against the machine's libvirt.
# qemu-utils, libarchive-tools, zstd: images and their archives; docker-registry: whence they come.
# mtools, dosfstools, fdisk, ovmf: the guests' disks, and the firmware that boots them.
# bind9*, libvirt-clients, libxml2-utils: the integration tests' name server and XML judge.
# openssh-server: a guest's, for the same tests; they start their own, on loopback.
# bubblewrap: what a shell profile is run in (test_shell_profile.py).
# libvirt-daemon*, qemu-system-x86: machines of an account without rights (test_session_host.py).
# swtpm*: a TPM of such a machine (tests/guest/test_session_hardware.py).
# systemd-container, passt, iproute2: steps of builds by systemd-nspawn (test_build_nspawn.py).
# chromium*: the page is tried in a browser (test_web.py).
PACKAGES := mmdebstrap e2fsprogs debian-archive-keyring openssh-client \
	libvirt-dev gcc pkg-config python3-dev python3-venv \
	bind9 bind9-utils bind9-dnsutils libvirt-clients libxml2-utils shellcheck git \
	qemu-utils openssh-server libarchive-tools zstd docker-registry \
	mtools dosfstools fdisk ovmf \
	libvirt-daemon libvirt-daemon-driver-qemu qemu-system-x86 bubblewrap systemd-container passt iproute2 \
	swtpm swtpm-tools chromium chromium-driver nginx openssl

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

.PHONY: env
env: packages $(STAMP) ## install the Debian packages and the Python environment that all this needs

.PHONY: packages
packages:
	@missing=(); \
	for name in $(PACKAGES); do \
	    [ "$$(dpkg-query -W -f '$${db:Status-Status}' "$$name" 2>/dev/null)" = installed ] || missing+=("$$name"); \
	done; \
	[ "$${#missing[@]}" -eq 0 ] && exit 0; \
	command -v apt-get >/dev/null || { echo "make env: this is not Debian or Ubuntu; it needs: $${missing[*]}" >&2; exit 1; }; \
	root=(); [ "$$(id -u)" -eq 0 ] || root=(sudo); \
	echo "make env: installing with $${root[*]} apt-get: $${missing[*]}"; \
	"$${root[@]}" apt-get -qq update </dev/null; \
	"$${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "$${missing[@]}" </dev/null

$(STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "make env: $$($(PYTHON) --version) is too old, 3.11 or newer is needed; say where it is: make PYTHON=..." >&2; exit 1; }
	@echo "make env: making $(VENV) with $$($(PYTHON) --version)"
	@[ -x $(VENV)/bin/python ] || $(PYTHON) -m venv $(VENV)
	@$(RUN) pip install --quiet --disable-pip-version-check -r $(LOCK) -e . </dev/null
	@rm -f $(VENV)/made-for-*; touch $@

.PHONY: lock
lock: env ## renew requirements-dev.lock: the newest versions that pyproject.toml allows
	$(RUN) uv pip compile --quiet --upgrade --universal --python-version 3.11 --extra dev \
	    --annotation-style line --custom-compile-command "make lock" -o $(LOCK) pyproject.toml

.PHONY: check
check: env ## the fast part, for daily work: ruff, codespell, mypy, unit tests
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) codespell_lib
	$(RUN) mypy & types=$$!; tests=0; $(SPREAD) -m "not long" tests/unit || tests=$$?; wait $$types; exit $$tests

.PHONY: format
format: env ## have ruff write the code as `make check` wants it
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

.PHONY: coverage
coverage: env ## which lines and branches the unit tests reach, of all that touches no host; and which not
	$(SPREAD) --cov --cov-report=term tests/unit

.PHONY: manual
manual: env ## write share/, man pages and completion, from the command line's own help
	$(RUN) tools.manual

.PHONY: long
long: env ## the unit tests that take long: jobs killed at every call, disks and archives; a seeded part of the fuzzing
	$(SPREAD) -m long tests/unit tests/fuzz

.PHONY: fuzz
fuzz: env ## more than 100,000 random inputs and commands; EXAMPLES=n for each test (for a night)
	RAPTOR_EXAMPLES=$(EXAMPLES) $(SPREAD) tests/fuzz --timeout 0

.PHONY: lint
lint: env ## shellcheck, ansible-lint, the playbook's syntax
	git ls-files -z '*.sh' .ci/run | xargs -0 shellcheck
	cd ansible && PATH="$(CURDIR)/$(VENV)/bin:$$PATH" LC_ALL=C.UTF-8 ansible-lint --offline --strict -q .
	cd ansible && LC_ALL=C.UTF-8 ../$(VENV)/bin/ansible-playbook --syntax-check -i localhost, playbook.yml

.PHONY: integration
integration: env ## tests against libvirt's test driver and a name server on loopback
	$(SPREAD) -n 3 tests/integration

.PHONY: deb
deb: env ## build the Debian package in a chroot of Debian 13, have lintian judge it, put it into dist/
	$(RUN) tests.deb

.PHONY: deb-test
deb-test: env ## install the Debian package in a chroot of Debian 13, upgrade it, purge it
	$(RUN) pytest -q tests/deb

.PHONY: guests
guests: env ## boot the guests of the tests on this machine: what a seed says is done at first boot
	$(RUN) pytest -q tests/guest

.PHONY: lab-build
lab-build: env ## build the throwaway host, where that is missing, without starting it
	$(RUN) tests.lab build

.PHONY: lab-host
lab-host: env ## the throwaway host, built or started
	$(RUN) tests.lab up

# Where time is short the last ones are not tried (tests/latest.py): what no other test proves comes first.
FIRST := $(patsubst %,tests/lab/test_%.py,machine wipe leak access tenants spoofing kill role build request share web self)
LAB := $(FIRST) $(filter-out $(FIRST),$(sort $(wildcard tests/lab/test_*.py)))

.PHONY: lab
lab: lab-host ## tests on the throwaway host (python -m tests.lab)
	$(RUN) pytest -m "not long" $(LAB)

.PHONY: lab-long
lab-long: lab-host ## the lab's tests that make test has no time for: power cuts, more kills, the role's storage
	$(RUN) pytest -m long $(LAB)

.PHONY: full-boots
full-boots: env ## boot Debian on a host of one's own and on the throwaway host: hours where both are emulated
	RAPTOR_FULL_BOOT=1 $(RUN) pytest -q tests/guest/test_session_boot.py tests/guest/test_build_boot.py \
	    tests/guest/test_makefile_boot.py
	$(RUN) tests.lab up
	RAPTOR_FULL_BOOT=1 $(RUN) pytest -q tests/lab/test_guest.py tests/lab/test_tutorial.py

# When make began: what `env` takes is a part of a run on a bare machine.
BEGAN := $(shell date +%s)

.PHONY: test
test: env ## check, long, lint, deb, integration and guests, beside them lab-build, then lab
	RAPTOR_BEGAN=$(BEGAN) $(RUN) tests.stages

.PHONY: times
times: env ## keep what the last runs of `make test` took, and write it into docs/lab.md
	$(RUN) tests.stages times

.PHONY: demo
demo: env ## build the throwaway host and do the main job on it, step by step
	$(RUN) tests.lab up
	$(RUN) tests.lab.demo

.PHONY: bench
bench: env ## measure the speed budget in the lab; writes docs/performance.md
	$(RUN) tests.lab up
	$(RUN) tests.bench
