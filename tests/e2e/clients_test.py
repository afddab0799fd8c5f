#!/usr/bin/env python3
"""The official clients run their ordinary flows against `inkstone serve`: openai, anthropic, ollama, LangChain's OpenAI
chat model, instructor; and Node's openai when it is installed.

usage: tests/e2e/install.sh && build/e2e/python/bin/python tests/e2e/clients_test.py      INKSTONE_BIN names the program

The embedded model answers, and after it tiny ones of the golden set with random weights, whose every token is a
surprise. What they say means little; that the clients understand each answer, that streams join to it, that calls and
JSON fit their schemas, and that mistakes are the clients' own exceptions is what is tested.
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
GOLDEN = ROOT / "tests/golden"
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
    MODEL = "pocket-assistant"
    FLAGS = []
    ANSWER = 300  # tokens that a whole answer may have, so that the next question still fits behind it
    HOLDS_TOOLS = True  # its context is long enough for the prompts with tools

    def needs_room_for_tools(self):
        if not self.HOLDS_TOOLS:
            self.skipTest(f"{self.MODEL}: a declared tool is longer than its context")

    @classmethod
    def setUpClass(cls):
        cls.server = subprocess.Popen([PROGRAM, "serve", "--port", "0", *map(str, cls.FLAGS)], stdout=subprocess.PIPE,
                                      text=True)
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
            **{"model": self.MODEL, "messages": ASK, "temperature": 0, "max_tokens": 40, **more})

    def test_models(self):
        self.assertIn(self.MODEL, [model.id for model in self.openai.models.list()])
        self.assertEqual(self.openai.models.retrieve(self.MODEL).id, self.MODEL)

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
        self.needs_room_for_tools()
        first = self.chat(tools=[TOOL], tool_choice="required", parallel_tool_calls=False, max_tokens=100).choices[0]
        self.assertEqual(first.finish_reason, "tool_calls")
        call = first.message.tool_calls[0]
        self.assertIn(json.loads(call.function.arguments)["room"], ["kitchen", "bedroom"])
        messages = ASK + [first.message, {"role": "tool", "tool_call_id": call.id, "content": "done"}]
        second = self.chat(messages=messages, tools=[TOOL], tool_choice="none")
        self.assertIsNone(second.choices[0].message.tool_calls)

    def test_structured_output(self):
        parsed = self.openai.chat.completions.parse(model=self.MODEL, messages=ASK, temperature=0, max_tokens=120,
                                                    response_format=Light).choices[0].message.parsed
        self.assertLessEqual(parsed.level, 9)

    def test_choices_and_log_probabilities(self):
        reply = self.chat(n=2, seed=3, temperature=1, max_tokens=6, logprobs=True, top_logprobs=2)
        self.assertEqual([choice.index for choice in reply.choices], [0, 1])
        self.assertTrue(all(len(token.top_logprobs) == 2 for token in reply.choices[0].logprobs.content))

    def test_completions(self):
        reply = self.openai.completions.create(model=self.MODEL, prompt=["One", "Two"], max_tokens=3, temperature=0)
        self.assertEqual(len(reply.choices), 2)
        self.assertEqual(reply.usage.completion_tokens, 6)

    def test_responses(self):
        ask = {"model": self.MODEL, "input": "Hello", "max_output_tokens": self.ANSWER, "temperature": 0}
        first = self.openai.responses.create(**ask)
        second = self.openai.responses.create(model=self.MODEL, input="More", previous_response_id=first.id,
                                              max_output_tokens=8)
        self.assertEqual(second.previous_response_id, first.id)
        self.assertEqual(self.openai.responses.retrieve(first.id).output_text, first.output_text)
        joined, last = "", None
        with self.openai.responses.stream(**ask) as stream:
            for last in stream:
                joined += last.delta if last.type == "response.output_text.delta" else ""
        self.assertEqual(joined, first.output_text)
        self.assertEqual(last.type, "response." + first.status)  # completed or incomplete
        self.assertEqual(last.response.output_text, first.output_text)
        self.openai.responses.delete(first.id)
        with self.assertRaises(openai.NotFoundError):
            self.openai.responses.retrieve(first.id)

    def test_embeddings(self):
        floats = self.openai.embeddings.create(model=self.MODEL, input=["one", "two"], encoding_format="float")
        packed = self.openai.embeddings.create(model=self.MODEL, input="two")  # base64, the client's own choice
        self.assertEqual(len(floats.data), 2)
        for a, b in zip(floats.data[1].embedding, packed.data[0].embedding):
            self.assertAlmostEqual(a, b, places=5)

    def test_mistakes(self):
        with self.assertRaises(openai.NotFoundError) as caught:
            self.chat(model="absent")
        self.assertIn(self.MODEL, str(caught.exception))
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
        return self.anthropic.messages.create(
            **{"model": self.MODEL, "messages": ASK, "max_tokens": 60, **GREEDY, **more})

    def test_stream_joins_to_the_whole_message(self):
        whole = self.create()
        with self.anthropic.messages.stream(model=self.MODEL, messages=ASK, max_tokens=60, **GREEDY) as stream:
            for _ in stream:
                pass
            streamed = stream.get_final_message()
        self.assertEqual(streamed.stop_reason, whole.stop_reason)
        self.assertEqual([getattr(block, "text", None) or block.input for block in streamed.content],
                         [getattr(block, "text", None) or block.input for block in whole.content])

    def test_tools_and_their_results(self):
        self.needs_room_for_tools()
        tools = [{"name": "set_light", "input_schema": SCHEMA}]
        first = self.create(tools=tools, tool_choice={"type": "any", "disable_parallel_tool_use": True}, max_tokens=100)
        self.assertEqual(first.stop_reason, "tool_use")
        call = first.content[-1]
        self.assertIsInstance(call.input["on"], bool)
        result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "done"}]}
        messages = ASK + [{"role": "assistant", "content": first.content}, result]
        self.assertIn(self.create(messages=messages, tools=tools).stop_reason, ("end_turn", "tool_use", "max_tokens"))

    def test_counts_and_mistakes(self):
        count = self.anthropic.messages.count_tokens(model=self.MODEL, messages=ASK)
        self.assertGreater(count.input_tokens, 0)
        with self.assertRaises(anthropic.NotFoundError):
            self.create(model="absent")
        with self.assertRaises(anthropic.BadRequestError) as caught:
            self.create(messages=[{"role": "user", "content": "x " * 200000}])
        self.assertIn("prompt is too long", str(caught.exception))


class Ollama(Served):
    OPTIONS = {"temperature": 0, "num_predict": 40}

    def test_stream_joins_to_the_whole_answer(self):
        whole = self.ollama.chat(self.MODEL, ASK, options=self.OPTIONS)
        content, calls, last = "", [], None
        for last in self.ollama.chat(self.MODEL, ASK, options=self.OPTIONS, stream=True):
            content += last.message.content or ""
            calls += last.message.tool_calls or []
        self.assertTrue(last.done)
        self.assertEqual(content, whole.message.content or "")
        self.assertEqual([call.function.name for call in calls],
                         [call.function.name for call in whole.message.tool_calls or []])

    def test_format_generate_and_embed(self):
        reply = self.ollama.chat(self.MODEL, ASK, format=Light.model_json_schema(), think=False,
                                 options={"temperature": 0, "num_predict": 120})
        Light.model_validate_json(reply.message.content)
        self.assertTrue(self.ollama.generate(self.MODEL, "Hello", options=self.OPTIONS).done)
        self.assertEqual(self.ollama.generate(self.MODEL).done_reason, "load")
        self.assertEqual(len(self.ollama.embed(self.MODEL, ["one", "two"]).embeddings), 2)

    def test_models_and_mistakes(self):
        self.assertIn(self.MODEL, [model.model for model in self.ollama.list().models])
        self.assertIsNotNone(self.ollama.show(self.MODEL).modelinfo)
        self.ollama.ps()
        with self.assertRaises(ollama.ResponseError) as caught:
            self.ollama.chat("absent", ASK)
        self.assertEqual(caught.exception.status_code, 404)


class Libraries(Served):
    def test_langchain(self):
        chat = ChatOpenAI(base_url=self.address + "/v1", api_key="none", model=self.MODEL, temperature=0, max_tokens=60,
                          max_retries=0)
        whole = chat.invoke("Turn on the kitchen light.")
        joined = None
        for chunk in chat.stream("Turn on the kitchen light."):
            joined = chunk if joined is None else joined + chunk
        self.assertEqual(joined.content, whole.content)
        self.assertLessEqual(chat.with_structured_output(Light).invoke("Light on.").level, 9)
        embeddings = OpenAIEmbeddings(base_url=self.address + "/v1", api_key="none", model=self.MODEL,
                                      check_embedding_ctx_length=False)
        self.assertEqual(len(embeddings.embed_documents(["one", "two"])), 2)
        self.needs_room_for_tools()
        called = chat.bind_tools([set_light], tool_choice="set_light").invoke("Light on.")
        self.assertIsInstance(called.tool_calls[0]["args"]["on"], bool)

    def test_instructor(self):
        self.needs_room_for_tools()
        self.run_beside([str(ROOT / "build/e2e/instructor/bin/python"), str(ROOT / "tests/e2e/instructor_flow.py")])

    def run_beside(self, command):
        """Another client's own program, with the address and the model."""
        if shutil.which(command[0]) is None:
            self.skipTest(f"{command[0]} is not installed")
        done = subprocess.run([*command, self.address, self.MODEL], capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_node(self):
        self.needs_room_for_tools()
        folder = ROOT / "build/e2e/node"
        if not (folder / "node_modules/openai").is_dir():
            self.skipTest("node's openai is not installed")
        shutil.copy(ROOT / "tests/e2e/clients.mjs", folder / "clients.mjs")
        self.run_beside(["node", str(folder / "clients.mjs")])


class Dense:
    """Safetensors, 1,024 tokens of context."""
    MODEL = "reranker"
    FLAGS = ["-m", GOLDEN / "retrieval/reranker", "--chat-template", "qwen3-instruct"]
    ANSWER = 40


class Experts:
    """GGUF, 256 tokens of context."""
    MODEL = "qwen3moe-q8_0"
    FLAGS = ["-m", GOLDEN / "gguf_models/qwen3moe-q8_0.gguf", "--chat-template", "qwen3-instruct"]
    ANSWER = 40
    HOLDS_TOOLS = False


class DenseOpenAi(Dense, OpenAi):
    pass


class DenseAnthropic(Dense, Anthropic):
    pass


class DenseOllama(Dense, Ollama):
    pass


class DenseLibraries(Dense, Libraries):
    pass


class ExpertsOpenAi(Experts, OpenAi):
    pass


class ExpertsAnthropic(Experts, Anthropic):
    pass


class ExpertsOllama(Experts, Ollama):
    pass


class ExpertsLibraries(Experts, Libraries):
    pass


class Embedding(Served):
    """A model that gives vectors and writes nothing."""
    MODEL = "embedding"
    FLAGS = ["-m", GOLDEN / "retrieval/embedding"]

    def test_vectors(self):
        data = self.openai.embeddings.create(model=self.MODEL, input=["one", "two"], encoding_format="float").data
        self.assertAlmostEqual(sum(x * x for x in data[0].embedding), 1, places=5)
        short = self.openai.embeddings.create(model=self.MODEL, input="two", dimensions=16).data[0].embedding
        self.assertEqual(len(short), 16)
        for vector in (self.ollama.embed(self.MODEL, "two").embeddings[0],
                       OpenAIEmbeddings(base_url=self.address + "/v1", api_key="none", model=self.MODEL,
                                        check_embedding_ctx_length=False).embed_query("two")):
            for a, b in zip(vector, data[1].embedding, strict=True):
                self.assertAlmostEqual(a, b, places=5)

    def test_it_says_what_it_cannot(self):
        self.assertEqual(self.ollama.show(self.MODEL).capabilities, ["embedding"])
        with self.assertRaises(openai.BadRequestError):
            self.openai.chat.completions.create(model=self.MODEL, messages=ASK)
        with self.assertRaises(anthropic.BadRequestError):
            self.anthropic.messages.create(model=self.MODEL, messages=ASK, max_tokens=8)
        with self.assertRaises(ollama.ResponseError) as caught:
            self.ollama.chat(self.MODEL, ASK)
        self.assertEqual(caught.exception.status_code, 400)


if __name__ == "__main__":
    unittest.main()
