"""What a constraint lets a model write fits the schema, judged by an independent validator (the `jsonschema` package).

Random texts (tests/tools/sample_constraint.cpp stands for a model with random weights) of every schema of the public
JSON-Schema-Test-Suite whose keywords are enforced, and of the eight realistic tools of bench/constraint/tools.json, as
replies, as calls and as calls in XML. Every text that came to its end has to validate.

  INKSTONE_SAMPLE_CONSTRAINT=build/release/bin/sample_constraint python3 tests/e2e/json_schema_suite.py [SAMPLES]

Needs jsonschema[format-nongpl] (tests/e2e/json_schema_requirements.txt); without it, it says so and ends with 77.
"""
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SUITE = ROOT / "tests/runtime/json_schema_suite"
UNSUPPORTED, TOO_LARGE, INVALID = 2, 3, 0  # ErrorKind

try:
    import jsonschema
except ImportError:
    print("jsonschema is not installed: pip install -r tests/e2e/json_schema_requirements.txt")
    sys.exit(77)


def sample(lines, samples):
    program = os.environ.get("INKSTONE_SAMPLE_CONSTRAINT", ROOT / "build/release/bin/sample_constraint")
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines) + "\n"
    done = subprocess.run([program, ROOT / "pocket/assistant/assistant.gguf", str(samples)], input=text.encode(),
                          stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.decode().split("\n") if line]


def validator(schema):
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    return jsonschema.Draft202012Validator(schema, format_checker=checker)


class Tally:
    def __init__(self):
        self.schemas = self.texts = self.cut = self.refused = 0
        self.wrong = []

    def judge(self, schema, value, where):
        self.texts += 1
        error = jsonschema.exceptions.best_match(validator(schema).iter_errors(value))
        if error is not None:
            self.wrong.append(f"{where}: {json.dumps(value, ensure_ascii=False)[:200]}: {error.message[:200]}")

    def report(self, name):
        print(f"{name}: {self.schemas} schemas, {self.refused} refused, {self.texts} texts validated, {self.cut} cut off, "
              f"{len(self.wrong)} wrong")
        for line in self.wrong[:20]:
            print("  " + line)
        return not self.wrong


def suite_schemas(folder):
    for file in sorted((SUITE / folder).glob("*.json")):
        for group in json.loads(file.read_text()):
            yield f"{file.stem}: {group['description']}", group["schema"]


def check_suite(folder, samples):
    tally, named = Tally(), list(suite_schemas(folder))
    answers = sample([{"schema": schema} for _, schema in named], samples)
    assert len(answers) == len(named)
    for (where, schema), answer in zip(named, answers):
        tally.schemas += 1
        if "error" in answer:
            tally.refused += 1
            if os.environ.get("SHOW_REFUSED"):
                print("  ", where, "|", answer["error"])
            continue
        tally.cut += answer["cut"]
        for text in answer["texts"]:
            tally.judge(schema, json.loads(text), where)
    return tally.report(folder)


def read_call(text):
    body = re.fullmatch(r"<tool_call>\n(.*)\n</tool_call>", text, re.DOTALL).group(1)
    call = json.loads(body)
    return call["name"], call["arguments"]


def types_of(schema, parameters, seen=()):
    if id(schema) in seen:
        return []
    seen = (*seen, id(schema))
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else list(types)
    parts = [part for keyword in ("anyOf", "oneOf", "allOf") for part in schema.get(keyword, [])]
    if "$ref" in schema:
        place = parameters
        for step in schema["$ref"].split("/")[1:]:
            place = place[step]
        parts.append(place)
    return types + [each for part in parts for each in types_of(part, parameters, seen)]


def xml_value(raw, types):
    if raw in ("null", "None") and "null" in types:
        return None
    return raw if not types or "string" in types else json.loads(raw)


def read_xml_call(text, tools):
    name, body = re.fullmatch(r"<tool_call>\n<function=(.*?)>\n(.*)</function>\n</tool_call>", text, re.DOTALL).groups()
    properties = tools[name]["properties"]
    arguments = {}
    while body:
        key, raw, body = re.match(r"<parameter=(.*?)>\n(.*?)\n</parameter>\n(.*)", body, re.DOTALL).groups()
        arguments[key] = xml_value(raw, types_of(properties[key], tools[name]))
    return name, arguments


def check_tools(samples):
    tools = json.loads((ROOT / "bench/constraint/tools.json").read_text())
    schemas = {tool["function"]["name"]: tool["function"]["parameters"] for tool in tools}
    replies = sample([{"schema": schema} for schema in schemas.values()], samples)
    calls = sample([{"tools": [tool], "xml": xml} for xml in (False, True) for tool in tools], samples)
    good = True
    for kind, answers in ("replies", replies), ("calls", calls[:len(tools)]), ("calls in XML", calls[len(tools):]):
        tally = Tally()
        for schema, answer in zip(schemas.values(), answers):
            tally.schemas += 1
            if "error" in answer:
                tally.refused += 1
                print("  ", answer["error"])
                continue
            tally.cut += answer["cut"]
            for text in answer["texts"]:
                if kind == "replies":
                    value = json.loads(text)
                else:
                    name, value = read_call(text) if kind == "calls" else read_xml_call(text, schemas)
                    schema = schemas[name]
                tally.judge(schema, value, kind)
        good = tally.report(kind) and tally.refused == 0 and tally.texts > 0 and good
    return good


def main():
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    results = [check_suite("supported", samples), check_suite("formats", samples * 5), check_tools(samples * 5)]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
