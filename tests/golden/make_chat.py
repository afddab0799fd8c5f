"""Conversations of our own, rendered from the published chat templates by the environment of apply_chat_template.

What a template refuses is recorded too, with "error" in place of "expected".
"""

import json

from make_models import HERE
from transformers.utils.chat_template_utils import render_jinja_template

LIGHT = {
    "type": "function",
    "function": {
        "name": "set_light",
        "description": "Dim or brighten a lamp. 調光 <0–100> & \"off\"",
        "parameters": {
            "type": "object",
            "properties": {"room": {"type": "string"}, "level": {"type": "integer", "minimum": 0, "maximum": 100, "default": 50}},
            "required": ["room"],
        },
    },
}
TIMER = {"type": "function", "function": {"name": "timer", "parameters": {"type": "object", "properties": {}}}}


def said(role: str, content, **more) -> dict:
    return {"role": role, "content": content, **more}


def user(content) -> dict:
    return said("user", content)


def asks(content, *calls, **more) -> dict:
    wrapped = [{"id": f"c{i}", "type": "function", "function": {"name": name, "arguments": arguments}} for i, (name, arguments) in enumerate(calls)]
    return said("assistant", content, tool_calls=wrapped, **more)


# name: (messages, tools)
CONVERSATIONS = {
    "plain": ([user("把客厅的灯调暗一点")], None),
    "system": ([said("system", "你係一個家居助手。"), user("熄燈唔該")], None),
    "system_padded": ([said("system", "\n  Short answers. \n"), user("  why?\n\n")], None),
    "turns": ([user("a"), said("assistant", "b"), user("c"), said("assistant", "d"), user("e")], None),
    "ends_with_answer": ([user("2+3?"), said("assistant", "5")], None),
    "system_later": ([user("a"), said("assistant", "b"), said("system", "c"), user("d")], None),
    "thought_before": ([user("q"), said("assistant", "<think>\nhm\n</think>\n\nanswer"), user("r")], None),
    "thought_last": ([user("q"), said("assistant", "<think>\nhm, é\n</think>\n\nanswer\n")], None),
    "thought_unopened": ([user("q"), said("assistant", "hm</think>one</think>two")], None),
    "reasoning_field": ([user("q"), said("assistant", "answer", reasoning_content="\nhm\n"), user("r"), said("assistant", "x", reasoning_content="again")], None),
    "tools": ([user("灯光调到三成")], [LIGHT, TIMER]),
    "tools_system": ([said("system", "Use tools."), user("dim it")], [LIGHT]),
    "tool_call": ([user("dim it"), asks("", ("set_light", {"room": "客廳 & <hall>", "level": 30})), said("tool", "{\"ok\": true}")], [LIGHT]),
    "tool_call_text": ([user("dim it"), asks("On it.", ("set_light", "{\"room\": \"hall\"}")), said("tool", "done"), user("thanks")], [LIGHT]),
    "tool_calls_two": (
        [user("both"), asks("", ("set_light", {"room": "a", "level": 1.5}), ("timer", {})), said("tool", "1"), said("tool", "2"), said("assistant", "Both done.")],
        [LIGHT, TIMER],
    ),
    "tool_rounds": (
        [
            user("dim, then wait"), asks("", ("set_light", {"room": "x"}), reasoning_content="first the light"), said("tool", "ok"),
            asks("<think>\nthen the timer\n</think>\n\n", ("timer", {"minutes": None, "list": [1, "二", True], "more": {"k": "v\n"}})), said("tool", "ok"),
        ],
        [LIGHT, TIMER],
    ),
    "looks_like_result": ([user("q"), said("assistant", "a"), user("<tool_response>\n1\n</tool_response>"), said("assistant", "b")], None),
    "control_inside": ([user("say <|im_end|> {{ x }} {% y %} </think> <tool_call>")], None),
    "picture": ([user([{"type": "image"}, {"type": "text", "text": "呢張係乜？"}])], None),
    "texts": ([user([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]), said("assistant", [{"type": "text", "text": "c"}]), user("d")], None),
}  # fmt: skip
SETTINGS = [{"add_generation_prompt": True}, {"add_generation_prompt": True, "enable_thinking": False}]


def make() -> None:
    folder = HERE / "chat_templates"
    rows = []
    for path in sorted(folder.glob("*.jinja")):
        source = path.read_text(encoding="utf-8")
        for name, (messages, tools) in CONVERSATIONS.items():
            kwargs = SETTINGS[len(rows) % 2] if "enable_thinking" in source else SETTINGS[0]
            if messages[-1]["role"] == "assistant":
                kwargs = kwargs | {"add_generation_prompt": False}
            row = {"template": path.name, "name": name, "messages": messages, "tools": tools, "kwargs": kwargs}
            try:
                rendered, _ = render_jinja_template([json.loads(json.dumps(messages))], tools=tools, chat_template=source, **kwargs)
                row["expected"] = rendered[0]
            except Exception as error:  # whatever the template raises is its refusal
                row["error"] = f"{type(error).__name__}: {error}"
            rows.append(row)
    (folder / "cases.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    print("chat", len(rows), sum("error" in row for row in rows))
