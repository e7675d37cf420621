# The one front door. `make demo` and `make test` install what is missing and need only a Swift toolchain.

SWIFT_FLAGS = --explicit-target-dependency-import-check error
# One file that needs no library: the loader's work is over half of the time that the command would take to start, and it
# runs on every Linux. lld, since the others warn of user look-ups in the Swift library, which nothing here calls.
# Where json-c has no archive: make LINK=
LINK = -Xswiftc -static-executable -Xswiftc -use-ld=lld
RELEASE_FLAGS = -c release $(LINK) $(SWIFT_FLAGS)

.PHONY: demo build wheel test goldens test-page test-crash test-peers test-adoption bench lint format fixtures clean

demo: .build/prerequisites
	swift build $(RELEASE_FLAGS) --product yarn-patch
	@scripts/demo.sh

build: .build/prerequisites
	swift build $(RELEASE_FLAGS)

# A Python wheel with the command, which needs no library, in .build/wheel.
wheel: .build/prerequisites
	swift build $(RELEASE_FLAGS) -Xlinker --strip-all --product yarn-patch
	python3 scripts/wheel.py .build/release/yarn-patch .build/wheel

# The command's suite runs by itself: a process that it starts inherits, for a moment, the file locks that the other
# suites hold in the same process.
test: .build/prerequisites
	swift build --build-tests $(SWIFT_FLAGS)
	swift test --skip-build --skip CommandLineTests
	swift test --skip-build --filter CommandLineTests

# Writes the recorded reports, the manual page and the outputs in README.md as they are now; to be read as prose before
# they are kept.
goldens: .build/prerequisites
	swift build --build-tests $(SWIFT_FLAGS)
	YARN_PATCH_WRITE_GOLDENS=1 swift test --skip-build --filter 'GoldenTests|ReadmeTests|ManualTests'

# The page of `report` in Debian's chromium, which this installs. Screenshots stay in .build/page. Fails when the README's
# picture, docs/page.png, no longer looks like the page; with YARN_PATCH_WRITE_GOLDENS=1 it is made anew.
test-page: .build/prerequisites
	swift build $(RELEASE_FLAGS) --product yarn-patch
	scripts/test-page.sh

# The real command killed 1,000 times, and 200 power cuts on file systems in image files (as root); some ten minutes.
test-crash: .build/prerequisites
	swift build $(RELEASE_FLAGS) --product yarn-patch
	scripts/test-crash.sh

# The real readers (llama.cpp, gguf-py, transformers) on patched files. Installs them into .build/peers.
test-peers: .build/prerequisites
	swift build $(RELEASE_FLAGS) --product yarn-patch
	scripts/test-peers.sh

# The wheel in a fresh environment, pre-commit, the GitHub action, and SARIF and JUnit under their published schemas; the
# programs for that are installed into .build/adoption.
test-adoption: .build/prerequisites
	scripts/test-adoption.sh

# Forecasts, reading of large headers, growth of a header, first layers and the attention kernel, beside the Python
# packages if they are here. Checks the answers first; gates are ratios, counts and memory.
bench: .build/prerequisites
	swift build $(RELEASE_FLAGS) --product yarn-patch
	@scripts/bench.sh

lint: .build/prerequisites
	swift format lint --strict -r Sources Tests Package.swift
	YARN_PATCH_STRICT=1 swift build --build-tests $(SWIFT_FLAGS)

format:
	swift format -i -r Sources Tests Package.swift

fixtures:
	python3 fixtures/make.py

clean:
	rm -rf .build

.build/prerequisites: scripts/install-prerequisites.sh
	@scripts/install-prerequisites.sh
	@mkdir -p .build && touch $@
