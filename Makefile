# SPDX-License-Identifier: BSD-3-Clause
# The front door: everything below is one command from a fresh clone.
#   make run       set up, build, run the main job (traced) into out/run
#   make test      set up, build with and without sanitizers, run the tests
#   make ci        test, then lint and the longer checks
#   make lint coverage bench bench-instructions clean
MAKEFLAGS += --no-print-directory
CTEST = ctest --output-on-failure --no-tests=error -j$(shell nproc)

.PHONY: run test ci lint coverage bench bench-instructions clean setup release asan

run: release
	build/release/svasim run -c platforms/kunpeng920.yaml -w copy --trace -o out/run \
		-s workload.requests=20000 -s workload.inflight=64 -s workload.bytes=8KiB \
		-s workload.source_fresh_percent=1 -s workload.destination_fresh_percent=1

test: release asan
	cd build/asan && $(CTEST)
	cd build/release && $(CTEST)

ci: test lint coverage
	WHAT_IF_ALL=1 SVASIM=$(CURDIR)/build/release/svasim python3 tests/sim-cli/test_what_if.py
	cd build/release && $(CTEST)

setup:
	@./setup

release asan: setup
	@cmake --preset $@ >build/$@.cmake.log 2>&1 || { cat build/$@.cmake.log; exit 1; }
	@cmake --build --preset $@

lint: release
	@tests/lint

coverage: setup
	@tests/coverage

bench: release
	@build/release/svasim bench

bench-instructions: release
	@build/release/svasim bench --instructions

clean:
	rm -rf build out
