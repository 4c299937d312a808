# SPDX-License-Identifier: Apache-2.0
"""`slipway answers`: what is printed for editors and people, judged by other programs."""
import json
from pathlib import Path

from lib import SOURCE, expect, main, same, test, tool

JUDGE = Path(__file__).resolve().parent / "judge-schema.py"


def judged(case, paths):
    schema = case.dir / "schema.json"
    schema.write_text(expect(case.run("answers", "schema"), 0).out)
    done = tool("/usr/bin/python3", JUDGE, schema, *paths)
    return {Path(path).name: verdict for path, verdict in json.loads(done.stdout).items()}


@test("the schema is valid, and every answer file that slipway takes is good by it")
def _(case):
    paths = sorted((SOURCE / "tests/answers/accept").glob("*.yaml"))
    assert len(paths) >= 40, len(paths)
    example = case.dir / "example.yaml"
    example.write_text(expect(case.run("answers", "example"), 0).out)
    for name, verdict in judged(case, [*paths, example]).items():
        same((name, verdict), (name, {"text": [], "typed": []}), "verdict")


@test("an editor with the schema points at unknown keys and at values that are no choice")
def _(case):
    paths = sorted((SOURCE / "tests/answers/refuse").glob("*.yaml"))
    verdicts = judged(case, paths)
    caught = 0
    for path in paths:
        said = case.run("check", path).err
        bad = verdicts[path.name]["text"] != []
        caught += bad
        if "unknown key" in said or "it is one of" in said:
            assert bad, (path.name, said)
    print(f"# {caught} of {len(paths)} files that are refused are seen by the schema alone")
    assert caught >= len(paths) // 2, caught


@test("every key of the table has its words in the schema, at its place")
def _(case):
    schema = json.loads(expect(case.run("answers", "schema"), 0).out)
    keys = [line.split()[0] for line in expect(case.run("explain"), 0).out.splitlines()
            if line and line[0] != " "]
    assert "disk.match.serial" in keys and "finish" in keys, keys
    for key in keys:
        at = schema
        for word in key.split("."):
            at = next(s for s in at.get("anyOf", [at]) if "properties" in s)["properties"][word]
        assert at["title"] and at["description"].endswith("."), key


main()
