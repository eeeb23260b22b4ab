# make demo and make test do everything on a fresh Debian 12: install what is missing, build, run.
BUILD ?= build
FUZZ_SECONDS ?= 60
TESTS ?=
prefix ?= /usr/local
DESTDIR ?=

.PHONY: demo test build setup bench fuzz sanitize coverage format install clean

demo: build
	$(BUILD)/radseal demo

test: build
	@[ -d ../shared/data ] && echo "Tests on real data run, too: ../shared/data is here." || \
		echo "Tests on real data are left out: there is no ../shared/data."
	meson test -C $(BUILD) --print-errorlogs $(TESTS)

build: setup $(BUILD)/build.ninja
	ninja -C $(BUILD)
	ln -sf src/cli/radseal $(BUILD)/radseal

setup:
	tools/setup.sh

$(BUILD)/build.ninja: | setup
	meson setup $(BUILD)

# Speed, as ratios against peers in the same run; see bench/.
bench: build
	$(BUILD)/bench/ledger_bench
	d=$$(mktemp -d) && $(BUILD)/bench/audit_bench $$d; rm -rf $$d
	python3 bench/dicom_against_peers.py $(BUILD)
	python3 bench/seal_bench.py $(BUILD)/radseal
	python3 bench/vault_bench.py $(BUILD)/bench/vault_bench
	$(BUILD)/bench/retrieve_bench
	python3 bench/backup_bench.py $(BUILD)/radseal
	python3 bench/gateway_bench.py $(BUILD)/radseal
	python3 bench/mqtt_bench.py $(BUILD)/src/cli/radseal $(BUILD)/src/cli/radseal-edge
	bench/radiomics $(BUILD)
	bench/prognosis $(BUILD)
	bench/prepare $(BUILD)
	bench/segment $(BUILD)
	$(BUILD)/bench/neural_bench
	[ ! -x $(BUILD)/bench/neural_dnnl_bench ] || OMP_NUM_THREADS=1 $(BUILD)/bench/neural_dnnl_bench

# Every fuzz target for FUZZ_SECONDS seconds, under libFuzzer with address and undefined-behaviour checks.
fuzz:
	tools/setup.sh checks
	tools/fuzz.sh $(FUZZ_SECONDS)

# All tests that run our code, under address and undefined-behaviour checks.
sanitize:
	tools/setup.sh checks
	[ -f build-sanitize/build.ninja ] || CC=clang-14 CXX=clang++-14 meson setup build-sanitize -Db_sanitize=address,undefined -Db_lundef=false
	ninja -C build-sanitize
	UBSAN_OPTIONS=print_stacktrace=1 meson test -C build-sanitize --print-errorlogs --timeout-multiplier 4 $(TESTS)

# Lines and branches of each module that the tests run, and functions that none does. Without -Werror: with its counters
# in the code GCC takes initialised variables for uninitialised ones; without optimisation, which merges functions.
coverage:
	tools/setup.sh coverage
	[ -f build-coverage/build.ninja ] || meson setup build-coverage -Db_coverage=true -Dwerror=false -Dbuildtype=debug
	ninja -C build-coverage
	meson test -C build-coverage
	gcovr -r . build-coverage --filter src/ --json build-coverage/coverage.json
	python3 tools/coverage.py build-coverage/coverage.json

# Lays every C source out as .clang-format says; the house test house/format checks it.
format:
	tools/setup.sh checks
	python3 tools/check_format.py . --write

share = $(DESTDIR)$(prefix)/share
install: build
	meson configure $(BUILD) -Dprefix=$(prefix)
	ninja -C $(BUILD)
	DESTDIR=$(DESTDIR) meson install -C $(BUILD) --no-rebuild
	mkdir -p $(share)/man/man1 $(share)/bash-completion/completions $(share)/zsh/site-functions \
		$(share)/fish/vendor_completions.d
	$(BUILD)/radseal manual > $(share)/man/man1/radseal.1
	$(BUILD)/radseal completion bash > $(share)/bash-completion/completions/radseal
	$(BUILD)/radseal completion zsh > $(share)/zsh/site-functions/_radseal
	$(BUILD)/radseal completion fish > $(share)/fish/vendor_completions.d/radseal.fish

clean:
	rm -rf $(BUILD) build-sanitize build-coverage build-fuzz
