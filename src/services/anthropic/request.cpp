// Requests of POST /v1/messages (services/anthropic/messages.h).
#include "services/anthropic/blocks.h"
#include "services/anthropic/messages.h"
#include "services/anthropic/writer.h"
#include "services/wire/fields.h"

namespace ink::anthropic {
namespace {

// Anthropic's {"name", "description", "input_schema"} as the chat formats declare a tool.
Result<Json> read_tool(const Json& tool, const std::string& where) {
  if (!tool.is_object()) return wire::wrong(where, "an object", tool);
  const Json type = tool.value("type", Json());
  if (!type.is_null() && type != "custom")
    return wire::not_supported(where + ".type",
                               wire::describe(type) + ": tools that run on a server are not here");
  const Json name = tool.value("name", Json());
  if (!name.is_string() || name == Json("")) return wire::wrong(where + ".name", "a name", name);
  Json function{{"name", name}};
  if (tool.contains("description")) function["description"] = tool["description"];
  const Json schema = tool.value("input_schema", Json());
  if (!schema.is_object()) return wire::wrong(where + ".input_schema", "a JSON schema", schema);
  function["parameters"] = schema;
  const Json strict = tool.value("strict", Json());
  if (!strict.is_null() && !strict.is_boolean())
    return wire::wrong(where + ".strict", "true or false", strict);
  if (strict == true) function["strict"] = true;
  return Json{{"type", "function"}, {"function", std::move(function)}};
}

void read_tool_choice(wire::Fields& fields, AnswerRequest& request) {
  const Json* choice = fields.object("tool_choice");
  if (choice == nullptr) return;
  wire::Fields inner(*choice, "tool_choice");
  std::string type, name;
  bool one_call = false;
  inner.text("type", type);
  inner.text("name", name);
  inner.flag("disable_parallel_tool_use", one_call);
  if (!inner.ok()) return fields.fail(inner.error());
  request.parallel_tool_calls = !one_call;
  if (type == "none") {
    request.tool_choice = ToolChoice::kNone;
  } else if (type == "any" || type == "tool") {
    request.tool_choice = ToolChoice::kRequired;
    request.named_tool = type == "tool" ? name : "";
  } else if (type != "auto") {
    return fields.fail(wire::wrong("tool_choice.type", "auto, any, tool or none", Json(type)));
  }
  if (request.tool_choice == ToolChoice::kRequired && request.tools.empty())
    return fields.fail({ErrorKind::kInvalid, "tool_choice", "tools, since one has to be called", "none", ""});
  if (type != "tool") return;
  for (const Json& tool : request.tools) {
    if (tool["function"]["name"] == name) return;
  }
  fields.fail(wire::wrong("tool_choice.name", "the name of one of the tools", Json(name)));
}

void read_tools(wire::Fields& fields, AnswerRequest& request) {
  if (const Json* tools = fields.array("tools")) {
    for (size_t i = 0; i < tools->size(); ++i) {
      auto tool = read_tool((*tools)[i], "tools[" + std::to_string(i) + "]");
      if (!tool.ok()) return fields.fail(tool.error());
      request.tools.push_back(std::move(*tool));
    }
  }
  read_tool_choice(fields, request);
}

// A client that does not ask for thinking does not expect blocks of it.
void read_thinking(wire::Fields& fields, AnswerRequest& request) {
  request.enable_thinking = false;
  const Json* thinking = fields.object("thinking");
  if (thinking == nullptr) return;
  wire::Fields inner(*thinking, "thinking");
  std::string type;
  inner.text("type", type);
  inner.integer("budget_tokens", 1, INT32_MAX, request.thinking_budget);
  if (!inner.ok()) return fields.fail(inner.error());
  if (type != "enabled" && type != "disabled" && type != "adaptive")
    return fields.fail(wire::wrong("thinking.type", "enabled, adaptive or disabled", Json(type)));
  request.enable_thinking = type != "disabled";
}

// output_config {"effort", "format"}, and its older name output_format.
void read_output(wire::Fields& fields, AnswerRequest& request) {
  const Json* config = fields.object("output_config");
  const Json* format = fields.object("output_format");
  if (config != nullptr) {
    wire::Fields inner(*config, "output_config");
    std::string effort;
    inner.text("effort", effort);
    if (const Json* newer = inner.object("format")) format = newer;
    if (!inner.ok()) return fields.fail(inner.error());
    AnswerRequest budget;
    if (!effort.empty() && !wire::apply_effort(effort, budget))
      return fields.fail(
          wire::wrong("output_config.effort", "low, medium, high, xhigh or max", Json(effort)));
    if (request.thinking_budget < 0) request.thinking_budget = budget.thinking_budget;
  }
  if (format == nullptr) return;
  const Json schema = format->value("schema", Json());
  if (format->value("type", Json()) != "json_schema" || !schema.is_object())
    return fields.fail(wire::wrong("output_config.format", "json_schema with its schema", *format));
  request.reply.kind = ReplyFormat::Kind::kJsonSchema;
  request.reply.schema = schema;
}

void read_messages(wire::Fields& fields, AnswerRequest& request) {
  if (const Json* system = fields.given("system")) {
    auto text = read_system(*system);
    if (!text.ok()) return fields.fail(text.error());
    if (!text->empty()) {
      request.messages.emplace_back();
      request.messages.back().role = Role::kSystem;
      request.messages.back().content = std::move(*text);
    }
  }
  const Json& wire = fields.needed("messages", "an array of messages");
  if (!fields.ok()) return;
  auto messages = read_wire_messages(wire);
  if (!messages.ok()) return fields.fail(messages.error());
  request.messages.insert(request.messages.end(), std::make_move_iterator(messages->begin()),
                          std::make_move_iterator(messages->end()));
  const ChatMessage& last = request.messages.back();
  request.continue_last = last.role == Role::kAssistant && last.tool_calls.empty();
}

}  // namespace

Result<wire::Asked> parse_messages_request(const Json& body, const wire::Moment& moment) {
  wire::Fields fields(body, "");
  AnswerRequest request;
  wire::Asked asked;
  fields.text("model", request.model);
  fields.integer("max_tokens", 1, INT32_MAX, request.max_tokens);
  fields.number("temperature", 0, 2, request.sampling.temperature);
  fields.number("top_p", 0, 1, request.sampling.top_p);
  fields.integer("top_k", 0, INT32_MAX, request.sampling.top_k);
  fields.texts("stop_sequences", request.stop);
  read_messages(fields, request);
  read_tools(fields, request);
  read_thinking(fields, request);
  read_output(fields, request);
  fields.refuse("mcp_servers", "connectors that run on a server are not here", "give their tools as tools");
  fields.flag("stream", asked.stream);
  wire::read_keep_alive(fields, request.keep_alive);
  if (!fields.ok()) return fields.error();
  asked.requests.push_back(std::move(request));
  asked.writer = make_message_writer(moment);
  return asked;
}

}  // namespace ink::anthropic
