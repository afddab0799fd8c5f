"""From the meanings that a grammar collects to finished calls: the normal forms of the catalogue's rules.

Meanings are (key, value) pairs in the order of speaking; a later value replaces an earlier one, which is what
makes "five, no wait, eight minutes" come out as 8. Keys that are no argument themselves:

  hours, minutes, seconds   parts of a duration
  h, m, back                hour, minute, minutes before the hour ("ten to eight": h 8, back 10)
  part                      am, pm, noon, night (晚上: 12 is midnight), tod (no rule applies: 24-hour clock);
                            without one the tool decides: 1-4 (alarms) or 1-6 (all others) are afternoon
  room2, room3              further rooms: one call for each
  expression                may name numbers of the same call: "$a*$b%"
  clear                     duration | time: forget what was said so far
  reply                     the sentence to answer with when there is no call
"""

import json
import re

DURATION = ("hours", "minutes", "seconds")
CLOCK = ("h", "m", "back", "part", "time")
NAMED = re.compile(r"\$(\w+)")
NOT_BETWEEN_LATIN = re.compile(r"(?<![A-Za-z]) | (?![A-Za-z])")


def tidy(text, language):
    """Spaces of the grammar's layout are no spaces of the sentence. In Chinese `_` is a real one, and a space
    between two Latin words stays ("call Janice")."""
    if language == "eng":
        text = re.sub(r"\s+", " ", text).strip()
        text = re.sub(r" ([,.?!])", r"\1", text)
        return re.sub(r"^[,.?! ]+|(?<=,),+", "", text)
    text = NOT_BETWEEN_LATIN.sub("", re.sub(r"\s+", " ", text))
    return re.sub(r" +", " ", text.replace("_", " ")).strip(" ，、")


def clock_time(values, last_afternoon):
    """24-hour HH:MM from hour, minute and part of the day; a bare hour from 1 to last_afternoon is after noon."""
    if "time" in values:
        return values["time"]
    if "h" not in values:
        return None
    hour, minute, part = int(values["h"]), int(values.get("m", 0)), values.get("part")
    if part == "am":
        hour %= 12 if hour == 12 else 24
    elif part == "pm":
        hour = hour if hour >= 12 else hour + 12
    elif part == "night":
        hour = 0 if hour in (0, 12) else hour if hour > 12 else hour + 12
    elif part == "noon":
        hour = hour if hour >= 10 else hour + 12
    elif part is None and 1 <= hour <= last_afternoon:
        hour += 12
    total = (hour * 60 + minute - int(values.get("back", 0))) % 1440
    return f"{total // 60:02d}:{total % 60:02d}"


def collect(meanings):
    values = {}
    for key, value in meanings:
        if key == "clear":
            for name in DURATION if value == "duration" else CLOCK:
                values.pop(name, None)
        else:
            values[key] = value
    return values


def finish(tool, meanings, catalogue, shared):
    """The calls of one call scope; None when a number is out of range or a room is named twice. `shared` holds
    what was said outside of it."""
    schema = catalogue[tool]
    values = {**{k: v for k, v in shared.items() if k in schema["properties"]}, **collect(meanings)}
    if any(key in values for key in DURATION):
        values["seconds"] = (int(values.get("hours", 0)) * 3600 + int(values.get("minutes", 0)) * 60
                             + int(values.get("seconds", 0)))
    time = clock_time(values, 4 if tool.endswith("_alarm") else 6)
    if time:
        values["time"] = time
    if "expression" in values:
        values["expression"] = NAMED.sub(lambda name: str(values[name.group(1)]), values["expression"])
    calls = []
    for key in ("room", "room2", "room3"):
        if key != "room" and key not in values:
            continue
        if key != "room" and values[key] in (call["arguments"].get("room") for call in calls):
            return None
        arguments = {}
        for name, kind in schema["properties"].items():
            value = values.get(key if name == "room" else name)
            if value is None:
                continue
            arguments[name] = value
            if kind["type"] == "boolean":
                arguments[name] = value == "true"
            if kind["type"] == "integer":
                arguments[name] = int(value)
            if kind["type"] == "integer" and not kind["minimum"] <= arguments[name] <= kind["maximum"]:
                return None
        missing = [name for name in schema["required"] if name not in arguments]
        if missing:
            raise ValueError(f"{tool} without {missing}: {meanings}")
        calls.append({"name": tool, "arguments": arguments})
    return calls


def answer(calls, reply):
    """The assistant's turn in the Hermes format, as the chat template would print it."""
    if not calls:
        return reply
    return "\n".join('<tool_call>\n{"name": "' + call["name"] + '", "arguments": '
                     + json.dumps(call["arguments"], ensure_ascii=False) + "}\n</tool_call>" for call in calls)
