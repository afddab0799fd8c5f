// Requests of /api/chat and /api/generate (services/ollama/chat.h).
#include "services/ollama/chat.h"
#include "services/ollama/writer.h"
#include "services/wire/fields.h"

namespace ink::ollama {
namespace {

void read_options(wire::Fields& outer, AnswerRequest& request) {
  const Json* options = outer.object("options");
  if (options == nullptr) return;
  wire::Fields fields(*options, "options");
  SamplingRequest& sampling = request.sampling;
  fields.number("temperature", 0, 100, sampling.temperature);
  fields.number("top_p", 0, 1, sampling.top_p);
  fields.integer("top_k", 0, INT32_MAX, sampling.top_k);
  fields.number("min_p", 0, 1, sampling.min_p);
  fields.number("repeat_penalty", 0.01f, 100, sampling.repeat_penalty);
  fields.number("presence_penalty", -100, 100, sampling.presence_penalty);
  fields.number("frequency_penalty", -100, 100, sampling.frequency_penalty);
  fields.seed("seed", sampling.seed);
  fields.texts("stop", request.stop);
  fields.integer("num_predict", -2, INT32_MAX, request.max_tokens);  // negative: no limit
  if (request.max_tokens < 0) request.max_tokens = -1;
  if (!fields.ok()) outer.fail(fields.error());
}

// true, false or how much.
void read_think(wire::Fields& fields, AnswerRequest& request) {
  const Json* think = fields.given("think");
  if (think == nullptr) return;
  if (think->is_boolean()) {
    request.enable_thinking = think->get<bool>();
  } else if (!think->is_string() || !wire::apply_effort(think->get<std::string>(), request)) {
    fields.fail(wire::wrong("think", "true, false, low, medium or high", *think));
  }
}

// "json" or a schema.
void read_format(wire::Fields& fields, AnswerRequest& request) {
  const Json* format = fields.given("format");
  if (format == nullptr || *format == Json("")) return;
  if (*format == "json") {
    request.reply.kind = ReplyFormat::Kind::kJsonObject;
  } else if (format->is_object()) {
    request.reply.kind = ReplyFormat::Kind::kJsonSchema;
    request.reply.schema = *format;
  } else {
    fields.fail(wire::wrong("format", "\"json\" or a JSON schema", *format));
  }
}

void read_logprobs(wire::Fields& fields, AnswerRequest& request, bool& wanted) {
  int64_t top = 0;
  fields.flag("logprobs", wanted);
  fields.integer("top_logprobs", 0, 20, top);
  if (wanted) request.sampling.logprobs = static_cast<int32_t>(top);
}

struct Common {
  wire::Asked asked;
  AnswerRequest request;
  WriterShape shape;
};

void read_common(wire::Fields& fields, Common& common) {
  common.asked.stream = true;  // unless it says otherwise
  fields.text("model", common.request.model);
  fields.flag("stream", common.asked.stream);
  wire::read_keep_alive(fields, common.request.keep_alive);
  read_options(fields, common.request);
  read_think(fields, common.request);
  read_format(fields, common.request);
  read_logprobs(fields, common.request, common.shape.logprobs);
}

AskedOllama finish(Common common, const wire::Moment& moment, bool only_load) {
  AskedOllama result;
  result.only_load = only_load;
  result.unload = only_load && common.request.keep_alive == std::chrono::milliseconds(0);
  result.asked = std::move(common.asked);
  result.asked.requests.push_back(std::move(common.request));
  result.asked.writer = make_line_writer(moment, common.shape);
  return result;
}

bool has_pictures(const Json& message) {
  return message.is_object() && message.contains("images") && wire::says_something(message["images"]);
}

// Ollama's thinking, and arguments that are objects, as the chat formats know them.
void read_messages(wire::Fields& fields, AnswerRequest& request) {
  Json messages = *fields.array("messages");
  for (size_t i = 0; i < messages.size(); ++i) {
    Json& message = messages[i];
    const std::string where = "messages[" + std::to_string(i) + "]";
    if (!message.is_object()) return fields.fail(wire::wrong(where, "an object", message));
    if (has_pictures(message))
      return fields.fail(wire::not_supported(where + ".images", "pictures are not supported yet"));
    if (!message.contains("content") || message["content"].is_null()) message["content"] = "";
    if (!message["content"].is_string())
      return fields.fail(wire::wrong(where + ".content", "a text", message["content"]));
    if (message.contains("thinking")) message["reasoning_content"] = message["thinking"];
  }
  auto parsed = parse_messages(messages, "messages");
  if (!parsed.ok()) return fields.fail(parsed.error());
  unpack_arguments(*parsed);
  request.messages = std::move(*parsed);
}

void read_tools(wire::Fields& fields, AnswerRequest& request) {
  const Json* tools = fields.array("tools");
  for (size_t i = 0; tools != nullptr && i < tools->size(); ++i) {
    const Json& tool = (*tools)[i];
    const std::string where = "tools[" + std::to_string(i) + "]";
    const Json function = tool.is_object() ? tool.value("function", Json()) : Json();
    const Json name = function.is_object() ? function.value("name", Json()) : Json();
    if (!name.is_string() || name == Json(""))
      return fields.fail(wire::wrong(where + ".function.name", "a name", name));
    const Json parameters = function.value("parameters", Json());
    if (!parameters.is_null() && !parameters.is_object())
      return fields.fail(wire::wrong(where + ".function.parameters", "a JSON schema", parameters));
    request.tools.push_back(tool);
  }
}

void refuse_what_is_not_done(wire::Fields& fields) {
  fields.refuse("suffix", "filling in the middle is not supported", "leave suffix out");
  fields.refuse("images", "pictures are not supported yet", "leave images out");
  fields.refuse("template", "templates are not run here", "use raw with a prompt of your own");
  fields.refuse("context", "this old form of a conversation is not supported", "use /api/chat");
}

}  // namespace

Result<AskedOllama> parse_chat(const Json& body, const wire::Moment& moment) {
  wire::Fields fields(body, "");
  Common common;
  common.shape.chat = true;
  read_common(fields, common);
  read_tools(fields, common.request);
  const Json* messages = fields.array("messages");
  const bool only_load = messages == nullptr || messages->empty();
  if (fields.ok() && !only_load) read_messages(fields, common.request);
  if (!fields.ok()) return fields.error();
  if (!only_load) {
    const ChatMessage& last = common.request.messages.back();
    common.request.continue_last = last.role == Role::kAssistant && last.tool_calls.empty();
  }
  return finish(std::move(common), moment, only_load);
}

Result<AskedOllama> parse_generate(const Json& body, const wire::Moment& moment) {
  wire::Fields fields(body, "");
  Common common;
  std::string prompt, system;
  bool raw = false;
  read_common(fields, common);
  fields.text("prompt", prompt);
  fields.text("system", system);
  fields.flag("raw", raw);
  refuse_what_is_not_done(fields);
  if (!fields.ok()) return fields.error();
  if (raw) {
    common.request.raw = prompt;
  } else {
    for (const auto& [role, text] : {std::pair(Role::kSystem, system), std::pair(Role::kUser, prompt)}) {
      if (text.empty()) continue;
      common.request.messages.emplace_back();
      common.request.messages.back().role = role;
      common.request.messages.back().content = text;
    }
  }
  return finish(std::move(common), moment, prompt.empty());
}

}  // namespace ink::ollama
