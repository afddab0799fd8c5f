// Requests of POST /v1/responses (services/openai/responses.h).
#include "services/openai/fields.h"
#include "services/openai/responses.h"

namespace ink::openai {
namespace {

// Responses write {"type": "function", "name", …} where chat completions write {"function": {"name", …}}.
Status unfold_tools(const Json& tools, Json& unfolded) {
  unfolded = Json::array();
  for (size_t i = 0; i < tools.size(); ++i) {
    const Json& tool = tools[i];
    const std::string where = "tools[" + std::to_string(i) + "]";
    if (!tool.is_object()) return wire::wrong(where, "an object", tool);
    if (tool.value("type", Json()) != "function") {
      return wire::not_supported(
          where + ".type", wire::describe(tool.value("type", Json())) + ": only functions are tools here");
    }
    Json function = Json::object();
    for (const char* key : {"name", "description", "parameters", "strict"}) {
      if (tool.contains(key) && !tool[key].is_null()) function[key] = tool[key];
    }
    unfolded.push_back({{"type", "function"}, {"function", std::move(function)}});
  }
  return Done{};
}

void read_tools_of_response(wire::Fields& fields, AnswerRequest& request) {
  Json chat = Json::object();
  if (const Json* tools = fields.array("tools")) {
    const Status status = unfold_tools(*tools, chat["tools"]);
    if (!status.ok()) return fields.fail(status.error());
  }
  for (const char* key : {"tool_choice", "parallel_tool_calls"}) {
    if (const Json* value = fields.given(key)) chat[key] = *value;
  }
  wire::Fields inner(chat, "");
  read_tools(inner, request);
  if (!inner.ok()) fields.fail(inner.error());
}

void read_text_format(wire::Fields& fields, AnswerRequest& request) {
  const Json* text = fields.object("text");
  if (text == nullptr || !text->contains("format")) return;
  auto format = parse_reply_format(text->at("format"), "text.format");
  if (!format.ok()) return fields.fail(format.error());
  request.reply = std::move(*format);
}

void read_effort(wire::Fields& fields, AnswerRequest& request) {
  read_thinking(fields, request);
  const Json* reasoning = fields.object("reasoning");
  if (reasoning == nullptr) return;
  std::string effort;
  wire::Fields inner(*reasoning, "reasoning");
  inner.text("effort", effort);
  if (!inner.ok()) return fields.fail(inner.error());
  if (!effort.empty() && !wire::apply_effort(effort, request))
    fields.fail(
        wire::wrong("reasoning.effort", "none, minimal, low, medium, high, xhigh or max", Json(effort)));
}

void refuse_what_is_hosted(wire::Fields& fields) {
  fields.refuse("background", "answers are not made in the background", "leave background out");
  fields.refuse("conversation", "conversations are not kept", "use previous_response_id");
  fields.refuse("prompt", "there are no stored prompts", "use input");
}

// The conversation that this request goes on with.
void read_conversation(wire::Fields& fields, ResponseShape& shape, ResponseStore* store) {
  fields.text("previous_response_id", shape.previous_id);
  if (!fields.ok()) return;
  if (!shape.previous_id.empty()) {
    auto previous = store == nullptr ? std::nullopt : store->find(shape.previous_id);
    if (!previous) {
      return fields.fail({ErrorKind::kNotFound, "previous_response_id", "",
                          "there is no response '" + shape.previous_id + "' (any more)",
                          "send the whole conversation as input"});
    }
    shape.conversation = std::move(previous->conversation);
  }
  const Json& wire = fields.needed("input", "a text or an array of items");
  if (!fields.ok()) return;
  auto input = read_input(wire);
  if (!input.ok()) return fields.fail(input.error());
  shape.conversation.insert(shape.conversation.end(), std::make_move_iterator(input->begin()),
                            std::make_move_iterator(input->end()));
  if (shape.conversation.empty())
    fields.fail({ErrorKind::kInvalid, "input", "at least one item", "none", ""});
}

// The request's own words, with OpenAI's defaults for what it does not say.
Json echo_of(const Json& body) {
  Json echo{{"instructions", nullptr},
            {"max_output_tokens", nullptr},
            {"metadata", Json::object()},
            {"parallel_tool_calls", true},
            {"previous_response_id", nullptr},
            {"reasoning", {{"effort", nullptr}, {"summary", nullptr}}},
            {"store", true},
            {"temperature", nullptr},
            {"text", {{"format", {{"type", "text"}}}}},
            {"tool_choice", "auto"},
            {"tools", Json::array()},
            {"top_p", nullptr},
            {"truncation", "disabled"},
            {"user", nullptr}};
  for (auto& [key, value] : echo.items()) {
    if (const auto found = body.find(key); found != body.end() && !found->is_null()) value = *found;
  }
  return echo;
}

}  // namespace

Result<wire::Asked> parse_response(const Json& body, const wire::Moment& moment, ResponseStore* store) {
  wire::Fields fields(body, "");
  AnswerRequest request;
  ResponseShape shape;
  wire::Asked asked;
  std::string instructions;
  int64_t top_logprobs = 0;
  read_generation(fields, request);
  fields.integer("max_output_tokens", 1, INT32_MAX, request.max_tokens);
  read_tools_of_response(fields, request);
  read_text_format(fields, request);
  read_effort(fields, request);
  refuse_what_is_hosted(fields);
  fields.text("instructions", instructions);
  fields.integer("top_logprobs", 0, kMaxAlternatives, top_logprobs);
  fields.flag("store", shape.store);
  fields.flag("stream", asked.stream);
  if (const Json* include = fields.array("include")) {
    for (const Json& one : *include) shape.logprobs = shape.logprobs || one == "message.output_text.logprobs";
  }
  read_conversation(fields, shape, store);
  if (!fields.ok()) return fields.error();
  if (shape.logprobs) request.sampling.logprobs = static_cast<int32_t>(top_logprobs);
  if (!instructions.empty()) {
    request.messages.emplace_back();
    request.messages.back().role = Role::kSystem;
    request.messages.back().content = instructions;
  }
  request.messages.insert(request.messages.end(), shape.conversation.begin(), shape.conversation.end());
  shape.echo = echo_of(body);
  asked.requests.push_back(std::move(request));
  asked.writer = make_response_writer(moment, std::move(shape), store);
  return asked;
}

}  // namespace ink::openai
