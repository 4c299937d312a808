# SPDX-License-Identifier: Apache-2.0
"""What Debian's jsonschema and PyYAML think of answer files: run by Debian's own python3.

    /usr/bin/python3 judge-schema.py SCHEMA FILE...

Prints {FILE: {"text": [messages], "typed": [messages]}}: read as slipway does, every value a text,
and as an editor does, which takes 7 for a number. null: the file is no YAML.
"""
import json
import sys

import jsonschema
import yaml


def judge(validator, path, loader):
    try:
        with open(path, "rb") as file:
            document = yaml.load(file.read(), Loader=loader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        return None
    return [error.message for error in validator.iter_errors(document)]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    print(json.dumps({path: {"text": judge(validator, path, yaml.BaseLoader),
                             "typed": judge(validator, path, yaml.SafeLoader)}
                      for path in sys.argv[2:]}))


main()
