#!/usr/bin/env python3
"""The official clients run their ordinary flows against `inkstone serve`: openai, anthropic, ollama, LangChain's OpenAI
chat model, instructor; and Node's openai when it is installed.

usage: tests/e2e/install.sh && build/e2e/python/bin/python tests/e2e/clients_test.py      INKSTONE_BIN names the program

The embedded model answers. What it says means little without its own tools; that the clients understand each answer,
that streams join to it, that calls and JSON fit their schemas, and that mistakes are the clients' own exceptions is
what is tested.
"""

import json
import os
import pathlib
import shutil
import subprocess
import unittest

import anthropic
import ollama
import openai
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel, Field

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("INKSTONE_BIN", str(ROOT / "build/release/bin/inkstone"))
MODEL = "pocket-assistant"
ASK = [{"role": "user", "content": "Turn on the kitchen light."}]
SCHEMA = {"type": "object", "properties": {"room": {"type": "string", "enum": ["kitchen", "bedroom"]},
                                           "on": {"type": "boolean"}},
          "required": ["room", "on"], "additionalProperties": False}
TOOL = {"type": "function", "function": {"name": "set_light", "description": "Switch a light.", "parameters": SCHEMA}}
GREEDY = {"extra_body": {"temperature": 0}}  # Anthropic's client has no argument for it any more


class Light(BaseModel):
    room: str = Field(max_length=12)
    level: int = Field(ge=0, le=9)


@tool
def set_light(on: bool) -> str:
    """Switch the light."""
    return "on" if on else "off"


class Served(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = subprocess.Popen([PROGRAM, "serve", "--port", "0"], stdout=subprocess.PIPE, text=True)
        cls.address = cls.server.stdout.readline().removeprefix("listening on ").strip()
        assert cls.address.startswith("http://"), cls.address
        cls.openai = openai.OpenAI(base_url=cls.address + "/v1", api_key="none", max_retries=0, timeout=120)
        cls.anthropic = anthropic.Anthropic(base_url=cls.address, api_key="none", max_retries=0, timeout=120)
        cls.ollama = ollama.Client(host=cls.address, timeout=120)

    @classmethod
    def tearDownClass(cls):
        cls.server.terminate()
        cls.server.wait(timeout=30)
        cls.server.stdout.close()


class OpenAi(Served):
    def chat(self, **more):
        return self.openai.chat.completions.create(
            **{"model": MODEL, "messages": ASK, "temperature": 0, "max_tokens": 40, **more})

    def test_models(self):
        self.assertIn(MODEL, [model.id for model in self.openai.models.list()])
        self.assertEqual(self.openai.models.retrieve(MODEL).id, MODEL)

    def test_stream_joins_to_the_whole_answer(self):
        whole = self.chat().choices[0]
        content, calls, finish, usage = "", {}, None, None
        for chunk in self.chat(stream=True, stream_options={"include_usage": True}):
            usage = chunk.usage or usage
            for choice in chunk.choices:
                content += choice.delta.content or ""
                finish = choice.finish_reason or finish
                for call in choice.delta.tool_calls or []:
                    name, arguments = calls.get(call.index, ("", ""))
                    calls[call.index] = (name + (call.function.name or ""), arguments + (call.function.arguments or ""))
        self.assertEqual(content, whole.message.content or "")
        self.assertEqual(list(calls.values()),
                         [(call.function.name, call.function.arguments) for call in whole.message.tool_calls or []])
        self.assertEqual(finish, whole.finish_reason)
        self.assertGreater(usage.completion_tokens, 0)

    def test_tools_and_their_results(self):
        first = self.chat(tools=[TOOL], tool_choice="required", parallel_tool_calls=False, max_tokens=100).choices[0]
        self.assertEqual(first.finish_reason, "tool_calls")
        call = first.message.tool_calls[0]
        self.assertIn(json.loads(call.function.arguments)["room"], ["kitchen", "bedroom"])
        messages = ASK + [first.message, {"role": "tool", "tool_call_id": call.id, "content": "done"}]
        second = self.chat(messages=messages, tools=[TOOL], tool_choice="none")
        self.assertIsNone(second.choices[0].message.tool_calls)

    def test_structured_output(self):
        parsed = self.openai.chat.completions.parse(model=MODEL, messages=ASK, temperature=0, response_format=Light,
                                                    max_tokens=120).choices[0].message.parsed
        self.assertLessEqual(parsed.level, 9)

    def test_choices_and_log_probabilities(self):
        reply = self.chat(n=2, seed=3, temperature=1, max_tokens=6, logprobs=True, top_logprobs=2)
        self.assertEqual([choice.index for choice in reply.choices], [0, 1])
        self.assertTrue(all(len(token.top_logprobs) == 2 for token in reply.choices[0].logprobs.content))

    def test_completions(self):
        reply = self.openai.completions.create(model=MODEL, prompt=["One", "Two"], max_tokens=3)
        self.assertEqual(len(reply.choices), 2)
        self.assertEqual(reply.usage.completion_tokens, 6)

    def test_responses(self):
        first = self.openai.responses.create(model=MODEL, input="Hello", max_output_tokens=300, temperature=0)
        second = self.openai.responses.create(model=MODEL, input="More", previous_response_id=first.id,
                                              max_output_tokens=8)
        self.assertEqual(second.previous_response_id, first.id)
        self.assertEqual(self.openai.responses.retrieve(first.id).output_text, first.output_text)
        with self.openai.responses.stream(model=MODEL, input="Hello", max_output_tokens=300, temperature=0) as stream:
            for _ in stream:
                pass
            self.assertEqual(stream.get_final_response().output_text, first.output_text)
        self.openai.responses.delete(first.id)
        with self.assertRaises(openai.NotFoundError):
            self.openai.responses.retrieve(first.id)

    def test_embeddings(self):
        floats = self.openai.embeddings.create(model=MODEL, input=["one", "two"], encoding_format="float")
        packed = self.openai.embeddings.create(model=MODEL, input="two")  # base64, the client's own choice
        self.assertEqual(len(floats.data), 2)
        for a, b in zip(floats.data[1].embedding, packed.data[0].embedding):
            self.assertAlmostEqual(a, b, places=5)

    def test_mistakes(self):
        with self.assertRaises(openai.NotFoundError) as caught:
            self.chat(model="absent")
        self.assertIn(MODEL, str(caught.exception))
        with self.assertRaises(openai.BadRequestError) as caught:
            self.chat(messages=[{"role": "user", "content": "x " * 200000}])
        self.assertEqual(caught.exception.code, "context_length_exceeded")
        with self.assertRaises(openai.BadRequestError) as caught:
            self.chat(extra_body={"temperature": "hot"})
        self.assertEqual(caught.exception.param, "temperature")
        with self.assertRaises(openai.BadRequestError):
            self.chat(messages=[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}])


class Anthropic(Served):
    def create(self, **more):
        return self.anthropic.messages.create(**{"model": MODEL, "messages": ASK, "max_tokens": 60, **GREEDY, **more})

    def test_stream_joins_to_the_whole_message(self):
        whole = self.create()
        with self.anthropic.messages.stream(model=MODEL, messages=ASK, max_tokens=60, **GREEDY) as stream:
            for _ in stream:
                pass
            streamed = stream.get_final_message()
        self.assertEqual(streamed.stop_reason, whole.stop_reason)
        self.assertEqual([getattr(block, "text", None) or block.input for block in streamed.content],
                         [getattr(block, "text", None) or block.input for block in whole.content])

    def test_tools_and_their_results(self):
        tools = [{"name": "set_light", "input_schema": SCHEMA}]
        first = self.create(tools=tools, tool_choice={"type": "any", "disable_parallel_tool_use": True}, max_tokens=100)
        self.assertEqual(first.stop_reason, "tool_use")
        call = first.content[-1]
        self.assertIsInstance(call.input["on"], bool)
        result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "done"}]}
        messages = ASK + [{"role": "assistant", "content": first.content}, result]
        self.assertIn(self.create(messages=messages, tools=tools).stop_reason, ("end_turn", "tool_use", "max_tokens"))

    def test_counts_and_mistakes(self):
        count = self.anthropic.messages.count_tokens(model=MODEL, messages=ASK)
        self.assertGreater(count.input_tokens, 0)
        with self.assertRaises(anthropic.NotFoundError):
            self.create(model="absent")
        with self.assertRaises(anthropic.BadRequestError) as caught:
            self.create(messages=[{"role": "user", "content": "x " * 200000}])
        self.assertIn("prompt is too long", str(caught.exception))


class Ollama(Served):
    OPTIONS = {"temperature": 0, "num_predict": 40}

    def test_stream_joins_to_the_whole_answer(self):
        whole = self.ollama.chat(MODEL, ASK, options=self.OPTIONS)
        content, calls, last = "", [], None
        for last in self.ollama.chat(MODEL, ASK, options=self.OPTIONS, stream=True):
            content += last.message.content or ""
            calls += last.message.tool_calls or []
        self.assertTrue(last.done)
        self.assertEqual(content, whole.message.content or "")
        self.assertEqual([call.function.name for call in calls],
                         [call.function.name for call in whole.message.tool_calls or []])

    def test_format_generate_and_embed(self):
        reply = self.ollama.chat(MODEL, ASK, format=Light.model_json_schema(), think=False,
                                 options={"temperature": 0, "num_predict": 120})
        Light.model_validate_json(reply.message.content)
        self.assertTrue(self.ollama.generate(MODEL, "Hello", options=self.OPTIONS).done)
        self.assertEqual(self.ollama.generate(MODEL).done_reason, "load")
        self.assertEqual(len(self.ollama.embed(MODEL, ["one", "two"]).embeddings), 2)

    def test_models_and_mistakes(self):
        self.assertIn(MODEL, [model.model for model in self.ollama.list().models])
        self.assertIsNotNone(self.ollama.show(MODEL).modelinfo)
        self.ollama.ps()
        with self.assertRaises(ollama.ResponseError) as caught:
            self.ollama.chat("absent", ASK)
        self.assertEqual(caught.exception.status_code, 404)


class Libraries(Served):
    def test_langchain(self):
        chat = ChatOpenAI(base_url=self.address + "/v1", api_key="none", model=MODEL, temperature=0, max_tokens=60,
                          max_retries=0)
        whole = chat.invoke("Turn on the kitchen light.")
        joined = None
        for chunk in chat.stream("Turn on the kitchen light."):
            joined = chunk if joined is None else joined + chunk
        self.assertEqual(joined.content, whole.content)
        called = chat.bind_tools([set_light], tool_choice="set_light").invoke("Light on.")
        self.assertIsInstance(called.tool_calls[0]["args"]["on"], bool)
        self.assertLessEqual(chat.with_structured_output(Light).invoke("Light on.").level, 9)
        embeddings = OpenAIEmbeddings(base_url=self.address + "/v1", api_key="none", model=MODEL,
                                      check_embedding_ctx_length=False)
        self.assertEqual(len(embeddings.embed_documents(["one", "two"])), 2)

    def test_instructor(self):
        self.run_beside([str(ROOT / "build/e2e/instructor/bin/python"), str(ROOT / "tests/e2e/instructor_flow.py")])

    def run_beside(self, command):
        """Another client's own program, with the address and the model."""
        if shutil.which(command[0]) is None:
            self.skipTest(f"{command[0]} is not installed")
        done = subprocess.run([*command, self.address, MODEL], capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_node(self):
        folder = ROOT / "build/e2e/node"
        if not (folder / "node_modules/openai").is_dir():
            self.skipTest("node's openai is not installed")
        shutil.copy(ROOT / "tests/e2e/clients.mjs", folder / "clients.mjs")
        self.run_beside(["node", str(folder / "clients.mjs")])


if __name__ == "__main__":
    unittest.main()
