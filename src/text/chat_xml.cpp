// The formats with XML tools (<function=NAME><parameter=P>…): Qwen3-Coder, which also writes the declarations
// as XML, and Qwen3.5, which writes them as JSON in front of the system text and takes content in parts. Easy
// to get wrong: values are printed as Python's str() does (True, None, 1000.0), only lists and dictionaries
// as JSON; arguments given as text are refused; a tool result that is the first message opens no user turn;
// Coder's results have their newline behind instead of in front.
#include <algorithm>
#include <initializer_list>

#include "base/json_pointer.h"
#include "text/chat_prompt.h"
#include "text/chat_python.h"

namespace ink {
namespace {

constexpr std::string_view kCoderToolsOutro =
    "\n</tools>\n\nIf you choose to call a tool ONLY reply in the following format with NO "
    "suffix:\n\n<tool_call>\n<function=example_function_name>\n<parameter=example_parameter_1>\nvalue_1\n"
    "</parameter>\n<parameter=example_parameter_2>\nvalue_2\n</parameter>\n</function>\n</tool_call>\n\n"
    "<IMPORTANT>\nReminder:\n- Function calls MUST follow the specified format: the tool calling block MUST "
    "begin with an opening <tool_call> tag and end with a closing </tool_call> tag.\n- Required parameters "
    "MUST be specified\n- You may provide optional reasoning for your function call in natural language "
    "BEFORE the function call, but NOT after\n- If there is no function call available, answer the question "
    "like normal with your current knowledge and do not tell the user about function calls\n</IMPORTANT>";

constexpr std::string_view kQwen35ToolsOutro =
    "\n</tools>\n\nIf you choose to call a function ONLY reply in the following format with NO "
    "suffix:\n\n<tool_call>\n<function=example_function_name>\n<parameter=example_parameter_1>\nvalue_1\n"
    "</parameter>\n<parameter=example_parameter_2>\nThis is the value for the second parameter\nthat can "
    "span\nmultiple lines\n</parameter>\n</function>\n</tool_call>\n\n<IMPORTANT>\nReminder:\n- Function "
    "calls MUST follow the specified format: an inner <function=...></function> block must be nested within "
    "<tool_call></tool_call> XML tags\n- Required parameters MUST be specified\n- You may provide optional "
    "reasoning for your function call in natural language BEFORE the function call, but NOT after\n- If "
    "there is no function call available, answer the question like normal with your current knowledge and "
    "do not tell the user about function calls\n</IMPORTANT>";

// A value as the templates print it: lists and dictionaries as JSON, the rest as str().
std::string value_text(const Json& value) {
  return value.is_structured() ? python_json(value) : python_str(value);
}

Status write_xml_call(MarkedText& prompt, size_t message_index, const ToolCall& call) {
  prompt.literal("<tool_call>\n<function=");
  prompt.message(call.name);
  prompt.literal(">\n");
  if (call.has_arguments && !call.arguments.is_object()) {
    return Error{ErrorKind::kInvalid, "messages[" + std::to_string(message_index) + "].tool_calls",
                 "arguments as an object", std::string("a JSON ") + call.arguments.type_name(), ""};
  }
  if (call.has_arguments) {
    for (const auto& [name, value] : call.arguments.items()) {
      prompt.literal("<parameter=");
      prompt.message(name);
      prompt.literal(">\n");
      prompt.message(value_text(value));
      prompt.literal("\n</parameter>\n");
    }
  }
  prompt.literal("</function>\n</tool_call>");
  return Done{};
}

// <TAG>text</TAG> on a new line; the tag, too, may come from a declaration.
void write_element(MarkedText& prompt, std::string_view tag, std::string_view text) {
  prompt.literal("\n<");
  prompt.message(tag);
  prompt.literal(">");
  prompt.message(text);
  prompt.literal("</");
  prompt.message(tag);
  prompt.literal(">");
}

void write_other_keys(MarkedText& prompt, const Json* object, std::initializer_list<std::string_view> known) {
  if (object == nullptr || !object->is_object()) return;
  for (const auto& [key, value] : object->items()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      write_element(prompt, key, value_text(value));
    }
  }
}

void write_description(MarkedText& prompt, const Json& object) {
  if (const Json* description = find_member(object, "description")) {
    write_element(prompt, "description", python_strip(python_str(*description)));
  }
}

void write_coder_tool(MarkedText& prompt, const Json& declaration) {
  const Json* function = find_member(declaration, "function");
  const Json& tool = function == nullptr ? declaration : *function;
  const Json* parameters = find_member(tool, "parameters");
  prompt.literal("\n<function>");
  write_element(prompt, "name", python_str(find_member(tool, "name")));
  write_description(prompt, tool);
  prompt.literal("\n<parameters>");
  const Json* properties = parameters == nullptr ? nullptr : find_member(*parameters, "properties");
  if (properties != nullptr && properties->is_object()) {
    for (const auto& [name, fields] : properties->items()) {
      prompt.literal("\n<parameter>");
      write_element(prompt, "name", name);
      if (const Json* type = find_member(fields, "type")) write_element(prompt, "type", python_str(*type));
      write_description(prompt, fields);
      write_other_keys(prompt, &fields, {"name", "type", "description"});
      prompt.literal("\n</parameter>");
    }
  }
  write_other_keys(prompt, parameters, {"type", "properties"});
  prompt.literal("\n</parameters>");
  write_other_keys(prompt, &tool, {"type", "name", "description", "parameters"});
  prompt.literal("\n</function>");
}

Status write_coder_system(MarkedText& prompt, const ChatMessage* system, const std::vector<Json>& tools) {
  if (system == nullptr && tools.empty()) return Done{};
  write_turn_start(prompt, Role::kSystem);
  if (system == nullptr) {
    prompt.literal("You are Qwen, a helpful AI assistant that can interact with a computer to solve tasks.");
  } else if (const std::string* text = content_text(*system)) {
    prompt.message(*text);
  } else {
    return content_refused(0, "a text");
  }
  if (!tools.empty()) {
    prompt.literal("\n\n# Tools\n\nYou have access to the following tools:\n\n<tools>");
    for (const Json& tool : tools) write_coder_tool(prompt, tool);
    prompt.literal(kCoderToolsOutro);
  }
  write_turn_end(prompt);
  return Done{};
}

Status write_coder_calls(MarkedText& prompt, const ChatMessage& message, size_t index) {
  prompt.literal("<|im_start|>assistant");
  const std::string* text = content_text(message);
  if (text != nullptr && !python_strip(*text).empty()) {
    prompt.literal("\n");
    prompt.message(python_strip(*text));
    prompt.literal("\n");
  }
  for (const ToolCall& call : message.tool_calls) {
    prompt.literal("\n");
    if (Status status = write_xml_call(prompt, index, call); !status) return status;
  }
  write_turn_end(prompt);
  return Done{};
}

class Qwen35Writer {
 public:
  Qwen35Writer(std::span<const ChatMessage> messages, const ChatOptions& options)
      : messages_(messages), options_(options) {}

  Result<MarkedText> write() {
    for (size_t index = 0; index < messages_.size(); ++index) {
      if (Status status = read_content(index); !status) return status.error();
    }
    const auto text = [&](size_t index) { return std::optional<std::string_view>(contents_[index].text()); };
    const std::optional<size_t> query = find_last_query(messages_, text);
    if (!query) {
      return Error{ErrorKind::kInvalid, "messages", "a user message that asks something", "none", ""};
    }
    write_system();
    for (size_t index = 0; index < messages_.size(); ++index) {
      if (Status status = write_message(index, *query); !status) return status.error();
    }
    write_generation_prompt(prompt_, ChatFormat::kQwen35, options_);
    return std::move(prompt_);
  }

 private:
  // The stripped content of a message. Read once and in order, because pictures are numbered on the way.
  Status read_content(size_t index) {
    const ChatMessage& message = messages_[index];
    if (message.role == Role::kSystem && index > 0) {
      return Error{ErrorKind::kInvalid, "messages[" + std::to_string(index) + "]",
                   "the system message as the first one", "a later one", ""};
    }
    MarkedText content;
    if (const std::string* text = content_text(message)) {
      content.message(*text);
    } else if (const auto* parts = std::get_if<std::vector<ContentPart>>(&message.content)) {
      for (const ContentPart& part : *parts) {
        if (part.kind == ContentPart::Kind::kText) {
          content.message(part.text);
        } else if (message.role == Role::kSystem) {
          return content_refused(index, "text without pictures in the system message");
        } else {
          write_vision(content, part.kind, vision_, options_.add_vision_id);
        }
      }
    }
    contents_.push_back(content.slice(python_strip(content.text())));
    return Done{};
  }

  void write_system() {
    const bool has_system = messages_[0].role == Role::kSystem;
    if (options_.tools.empty() && !has_system) return;
    write_turn_start(prompt_, Role::kSystem);
    if (!options_.tools.empty()) {
      prompt_.literal("# Tools\n\nYou have access to the following functions:\n\n<tools>");
      write_tool_lines(prompt_, options_.tools);
      prompt_.literal(kQwen35ToolsOutro);
      if (has_system && !contents_[0].text().empty()) prompt_.literal("\n\n");
    }
    if (has_system) prompt_.append(contents_[0]);
    write_turn_end(prompt_);
  }

  Status write_message(size_t index, size_t last_query) {
    switch (messages_[index].role) {
      case Role::kSystem:
        break;
      case Role::kUser:
        write_turn_start(prompt_, Role::kUser);
        prompt_.append(contents_[index]);
        write_turn_end(prompt_);
        break;
      case Role::kAssistant:
        return write_assistant(index, index > last_query);
      case Role::kTool:
        write_tool_result(prompt_, messages_, index, contents_[index],
                          {.opens_at_start = false, .newline_in_front = true});
        break;
    }
    return Done{};
  }

  Status write_assistant(size_t index, bool keeps_thinking) {
    const ChatMessage& message = messages_[index];
    const MarkedText& content = contents_[index];
    const std::optional<std::string>& given = message.reasoning;
    const SplitThinking split =
        given ? SplitThinking{*given, content.text()} : split_thinking(content.text());
    write_turn_start(prompt_, Role::kAssistant);
    if (keeps_thinking) {
      prompt_.literal("<think>\n");
      prompt_.message(python_strip(split.reasoning));
      prompt_.literal("\n</think>\n\n");
    }
    prompt_.append(content.slice(split.content));
    for (size_t i = 0; i < message.tool_calls.size(); ++i) {
      const bool after_text = i == 0 && !python_strip(split.content).empty();
      prompt_.literal(after_text ? "\n\n" : (i > 0 ? "\n" : ""));
      if (Status status = write_xml_call(prompt_, index, message.tool_calls[i]); !status) return status;
    }
    write_turn_end(prompt_);
    return Done{};
  }

  std::span<const ChatMessage> messages_;
  const ChatOptions& options_;
  std::vector<MarkedText> contents_;
  VisionCount vision_;
  MarkedText prompt_;
};

}  // namespace

Result<MarkedText> render_coder(std::span<const ChatMessage> messages, const ChatOptions& options) {
  MarkedText prompt;
  const bool has_system = messages[0].role == Role::kSystem;
  const ChatMessage* system = has_system && messages[0].has_content ? &messages[0] : nullptr;
  if (Status status = write_coder_system(prompt, system, options.tools); !status) return status.error();
  const std::span<const ChatMessage> turns = messages.subspan(has_system ? 1 : 0);
  for (size_t i = 0; i < turns.size(); ++i) {
    const ChatMessage& message = turns[i];
    const size_t index = i + (has_system ? 1 : 0);  // in the caller's numbering, for errors
    Status status = Done{};
    if (message.role == Role::kTool) {
      MarkedText result;
      result.message(python_content(message));
      write_tool_result(prompt, turns, i, result, {.opens_at_start = false, .newline_in_front = false});
    } else if (message.role == Role::kAssistant && !message.tool_calls.empty()) {
      status = write_coder_calls(prompt, message, index);
    } else {
      status = write_text_turn(prompt, messages, index);
    }
    if (!status) return status.error();
  }
  write_generation_prompt(prompt, ChatFormat::kQwen3Coder, options);
  return prompt;
}

Result<MarkedText> render_qwen35(std::span<const ChatMessage> messages, const ChatOptions& options) {
  return Qwen35Writer(messages, options).write();
}

}  // namespace ink
