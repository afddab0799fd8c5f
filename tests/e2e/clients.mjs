// The official openai client of Node: chat, stream, tools, structured output, embeddings, mistakes.
// usage: node clients.mjs ADDRESS MODEL
import assert from "node:assert/strict";
import OpenAI from "openai";

const [address, model] = process.argv.slice(2);
const client = new OpenAI({ baseURL: address + "/v1", apiKey: "none", maxRetries: 0 });
const ask = {
  model,
  messages: [{ role: "user", content: "Turn on the kitchen light." }],
  temperature: 0,
  max_tokens: 60,
};
const parameters = {
  type: "object",
  properties: { on: { type: "boolean" } },
  required: ["on"],
  additionalProperties: false,
};

const whole = await client.chat.completions.create(ask);
const stream = client.chat.completions.stream(ask);
const streamed = await stream.finalChatCompletion();
assert.equal(streamed.choices[0].finish_reason, whole.choices[0].finish_reason);
assert.equal(streamed.choices[0].message.content ?? "", whole.choices[0].message.content ?? "");

const called = await client.chat.completions.create({
  ...ask,
  tools: [{ type: "function", function: { name: "light", parameters, strict: true } }],
  tool_choice: { type: "function", function: { name: "light" } },
});
assert.equal(typeof JSON.parse(called.choices[0].message.tool_calls[0].function.arguments).on, "boolean");

const formed = await client.chat.completions.create({
  ...ask,
  response_format: { type: "json_schema", json_schema: { name: "light", strict: true, schema: parameters } },
});
assert.equal(typeof JSON.parse(formed.choices[0].message.content).on, "boolean");

const vectors = await client.embeddings.create({ model, input: ["one", "two"] });
assert.equal(vectors.data.length, 2);

const response = await client.responses.create({ model, input: "Hello", max_output_tokens: 8 });
assert.equal(response.object, "response");

await assert.rejects(client.chat.completions.create({ ...ask, model: "absent" }), OpenAI.NotFoundError);
await assert.rejects(client.chat.completions.create({ ...ask, temperature: 9 }), OpenAI.BadRequestError);
console.log("node: all flows");
