// Tools and the form of a reply (services/openai/fields.h).
#include "services/openai/fields.h"

namespace ink::openai {
namespace {

bool is_text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string();
}

Status check_tool(const Json& tool, const std::string& where) {
  if (!tool.is_object()) return wire::wrong(where, "an object", tool);
  const Json type = tool.value("type", Json("function"));
  if (type != "function") {
    return wire::not_supported(where + ".type", wire::describe(type) + ": only functions are tools here");
  }
  const auto function = tool.find("function");
  if (function == tool.end() || !function->is_object())
    return wire::wrong(where + ".function", "an object", function == tool.end() ? Json() : *function);
  if (!is_text(*function, "name") || function->at("name") == Json(""))
    return wire::wrong(where + ".function.name", "a name", function->value("name", Json()));
  const Json strict = function->value("strict", Json());
  if (!strict.is_null() && !strict.is_boolean())
    return wire::wrong(where + ".function.strict", "true or false", strict);
  const Json parameters = function->value("parameters", Json());
  if (!parameters.is_null() && !parameters.is_object())
    return wire::wrong(where + ".function.parameters", "a JSON schema", parameters);
  return Done{};
}

void read_tool_choice(wire::Fields& fields, AnswerRequest& request) {
  const Json* choice = fields.given("tool_choice");
  if (choice == nullptr) return;
  const auto name = [&]() -> const Json* {
    if (!choice->is_object() || choice->value("type", Json()) != "function") return nullptr;
    const Json& holder = choice->contains("function") ? (*choice)["function"] : *choice;
    return holder.is_object() && is_text(holder, "name") ? &holder["name"] : nullptr;
  }();
  if (*choice == "auto") {
    request.tool_choice = ToolChoice::kAuto;
  } else if (*choice == "none") {
    request.tool_choice = ToolChoice::kNone;
  } else if (*choice == "required" || *choice == "any") {
    request.tool_choice = ToolChoice::kRequired;
  } else if (name != nullptr) {
    request.tool_choice = ToolChoice::kRequired;
    request.named_tool = name->get<std::string>();
  } else {
    return fields.fail(
        wire::wrong("tool_choice", "none, auto, required or a function with its name", *choice));
  }
  const bool calls = request.tool_choice == ToolChoice::kRequired;
  if (calls && request.tools.empty())
    return fields.fail({ErrorKind::kInvalid, "tool_choice", "tools, since one has to be called", "none", ""});
  if (request.named_tool.empty()) return;
  for (const Json& tool : request.tools) {
    if (tool["function"]["name"] == request.named_tool) return;
  }
  fields.fail(wire::wrong("tool_choice", "the name of one of the tools", Json(request.named_tool)));
}

}  // namespace

void read_tools(wire::Fields& fields, AnswerRequest& request) {
  fields.refuse("functions", "the old form of tools", "use tools");
  fields.refuse("function_call", "the old form of tool_choice", "use tool_choice");
  if (const Json* tools = fields.array("tools")) {
    for (size_t i = 0; i < tools->size(); ++i) {
      const Status status = check_tool((*tools)[i], "tools[" + std::to_string(i) + "]");
      if (!status.ok()) return fields.fail(status.error());
      request.tools.push_back((*tools)[i]);
    }
  }
  read_tool_choice(fields, request);
  fields.flag("parallel_tool_calls", request.parallel_tool_calls);
}

Result<ReplyFormat> parse_reply_format(const Json& format, const std::string& where) {
  ReplyFormat reply;
  if (!format.is_object()) return wire::wrong(where, "an object", format);
  const Json type = format.value("type", Json());
  if (type == "text") return reply;
  const bool wants_schema = type == "json_schema";
  if (!wants_schema && type != "json_object")
    return wire::wrong(where + ".type", "text, json_object or json_schema", type);
  reply.kind = ReplyFormat::Kind::kJsonObject;
  const Json inner = format.value("json_schema", Json());
  const Json schema = inner.is_object() ? inner.value("schema", Json()) : format.value("schema", Json());
  if (schema.is_null() && !wants_schema) return reply;
  if (!schema.is_object() && !schema.is_boolean()) {
    return wire::wrong(where + (inner.is_null() ? ".schema" : ".json_schema.schema"), "a JSON schema",
                       inner.is_null() || inner.is_object() ? schema : inner);
  }
  reply.kind = ReplyFormat::Kind::kJsonSchema;
  reply.schema = schema;
  return reply;
}

void read_reply_format(wire::Fields& fields, AnswerRequest& request) {
  if (const Json* format = fields.given("response_format")) {
    auto reply = parse_reply_format(*format, "response_format");
    if (!reply.ok()) return fields.fail(reply.error());
    request.reply = std::move(*reply);
  }
  const bool formatted = request.reply.kind != ReplyFormat::Kind::kText;
  std::string gbnf;
  fields.text("grammar", gbnf);
  const Json* schema = fields.object("json_schema");
  if (!fields.ok() || (gbnf.empty() && schema == nullptr)) return;
  if (formatted || (!gbnf.empty() && schema != nullptr)) {
    return fields.fail({ErrorKind::kInvalid, gbnf.empty() ? "json_schema" : "grammar",
                        "one form for the reply", "two", "response_format, json_schema or grammar"});
  }
  request.reply.kind = gbnf.empty() ? ReplyFormat::Kind::kJsonSchema : ReplyFormat::Kind::kGbnf;
  request.reply.gbnf = gbnf;
  if (schema != nullptr) request.reply.schema = *schema;
}

}  // namespace ink::openai
