// The formats with Hermes tools (JSON between <tool_call> and </tool_call>): Qwen3, its 2507 descendants, VL,
// QwQ and Qwen2.5. One text; what differs is in HermesRules. kQwen3Instruct has no golden template here: it
// is the published 2507 Instruct one, which is the 2507 Thinking text without any thinking (content that is
// not a text counts as empty, the history is kept as it is). Easy to get wrong: VL drops a system message
// that is not the first; in a thinking format the last assistant turn gets its <think> block even when there
// was no thinking; whether a newline stands in front of the first call is decided by the content before
// newlines were stripped.
#include "text/chat_prompt.h"
#include "text/chat_python.h"

namespace ink {
namespace {

struct HermesRules {
  enum class Content {
    kText,           // anything else is refused
    kTextOrNothing,  // anything else counts as empty
    kParts,          // a text or parts; null is refused
  };
  enum class History {
    kAsItIs,
    kWithoutThinking,         // QwQ: only the last message keeps its thinking
    kThinkingSinceLastQuery,  // Qwen3: thinking of the running tool loop is kept, older thinking is dropped
  };
  Content content = Content::kText;
  History history = History::kAsItIs;
  bool late_system = true;  // a system message that is not the first is written
  // Qwen2.5 and QwQ: a blank line in front of "# Tools" whatever comes before, each call on a new line after
  // the role, arguments as JSON even when they are already a text.
  bool older_layout = false;
  std::string_view default_system = "";  // when the conversation brings none
};

HermesRules rules_of(ChatFormat format) {
  using Content = HermesRules::Content;
  using History = HermesRules::History;
  HermesRules rules;
  switch (format) {
    case ChatFormat::kQwen3Instruct:
      rules.content = Content::kTextOrNothing;
      break;
    case ChatFormat::kQwen3Thinking:
      rules.content = Content::kTextOrNothing;
      rules.history = History::kThinkingSinceLastQuery;
      break;
    case ChatFormat::kQwen3Vl:
      rules.content = Content::kParts;
      rules.late_system = false;
      break;
    case ChatFormat::kQwq:
      rules.history = History::kWithoutThinking;
      rules.older_layout = true;
      break;
    case ChatFormat::kQwen25:
      rules.older_layout = true;
      rules.default_system = "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.";
      break;
    default:
      rules.history = History::kThinkingSinceLastQuery;
  }
  return rules;
}

constexpr std::string_view kToolsIntro =
    "# Tools\n\nYou may call one or more functions to assist with the user query.\n\nYou are provided with "
    "function signatures within <tools></tools> XML tags:\n<tools>";
constexpr std::string_view kToolsOutro =
    "\n</tools>\n\nFor each function call, return a json object with function name and arguments within "
    "<tool_call></tool_call> XML tags:\n<tool_call>\n{\"name\": <function-name>, \"arguments\": "
    "<args-json-object>}\n</tool_call>";
constexpr ToolResultLayout kToolResults{.opens_at_start = true, .newline_in_front = true};

class HermesWriter {
 public:
  HermesWriter(ChatFormat format, std::span<const ChatMessage> messages, const ChatOptions& options)
      : format_(format), rules_(rules_of(format)), messages_(messages), options_(options) {}

  Result<MarkedText> write() {
    if (Status status = write_system(); !status) return status.error();
    last_query_ = messages_.size() - 1;
    if (rules_.history == HermesRules::History::kThinkingSinceLastQuery) {
      last_query_ =
          find_last_query(messages_, [&](size_t index) { return query_text(index); }).value_or(last_query_);
    }
    for (size_t index = 0; index < messages_.size(); ++index) {
      if (Status status = write_message(index); !status) return status.error();
    }
    write_generation_prompt(prompt_, format_, options_);
    return std::move(prompt_);
  }

 private:
  std::optional<std::string_view> query_text(size_t index) const {
    const std::string* text = content_text(messages_[index]);
    return text == nullptr ? std::nullopt : std::optional<std::string_view>(*text);
  }

  Status write_system() {
    const bool has_tools = !options_.tools.empty();
    const bool has_system = messages_[0].role == Role::kSystem;
    if (!has_tools && !has_system && rules_.default_system.empty()) return Done{};
    write_turn_start(prompt_, Role::kSystem);
    if (!has_system) {
      prompt_.literal(rules_.default_system);
    } else if (rules_.older_layout && has_tools) {
      prompt_.message(python_content(messages_[0]));
    } else if (rules_.content == HermesRules::Content::kParts) {
      if (Status status = write_parts(0, false); !status) return status;
    } else {
      const std::string* text = content_text(messages_[0]);
      if (text == nullptr) return content_refused(0, "a text");
      prompt_.message(*text);
    }
    if (has_tools) {
      if (has_system || rules_.older_layout) prompt_.literal("\n\n");
      prompt_.literal(kToolsIntro);
      write_tool_lines(prompt_, options_.tools);
      prompt_.literal(kToolsOutro);
    }
    write_turn_end(prompt_);
    return Done{};
  }

  Status write_message(size_t index) {
    switch (messages_[index].role) {
      case Role::kSystem:
        if (index == 0 || !rules_.late_system) return Done{};
        return write_plain_turn(index);
      case Role::kUser:
        return write_plain_turn(index);
      case Role::kAssistant:
        return rules_.older_layout ? write_older_assistant(index) : write_assistant(index);
      case Role::kTool:
        break;
    }
    MarkedText result;
    if (rules_.content == HermesRules::Content::kText) {
      result.message(python_content(messages_[index]));
    } else {
      std::swap(prompt_, result);
      const Status status = write_content(index, true);
      std::swap(prompt_, result);
      if (!status) return status;
    }
    write_tool_result(prompt_, messages_, index, result, kToolResults);
    return Done{};
  }

  Status write_plain_turn(size_t index) {
    if (rules_.content == HermesRules::Content::kText) return write_text_turn(prompt_, messages_, index);
    write_turn_start(prompt_, messages_[index].role);
    if (Status status = write_content(index, true); !status) return status;
    write_turn_end(prompt_);
    return Done{};
  }

  // Content under the rules kTextOrNothing and kParts.
  Status write_content(size_t index, bool with_vision) {
    if (rules_.content == HermesRules::Content::kParts) return write_parts(index, with_vision);
    if (const std::string* text = content_text(messages_[index])) prompt_.message(*text);
    return Done{};
  }

  // Pictures have a place only in what users and tools say; elsewhere only the text of the parts is written.
  Status write_parts(size_t index, bool with_vision) {
    const ChatMessage& message = messages_[index];
    if (const std::string* text = content_text(message)) {
      prompt_.message(*text);
      return Done{};
    }
    const auto* parts = std::get_if<std::vector<ContentPart>>(&message.content);
    if (parts == nullptr) {
      if (message.has_content) return content_refused(index, "a text or parts");
      return Done{};
    }
    for (const ContentPart& part : *parts) {
      if (with_vision && part.kind != ContentPart::Kind::kText) {
        write_vision(prompt_, part.kind, vision_, options_.add_vision_id);
      } else {
        prompt_.message(part.text);
      }
    }
    return Done{};
  }

  Status write_assistant(size_t index) {
    const ChatMessage& message = messages_[index];
    write_turn_start(prompt_, Role::kAssistant);
    bool has_content = content_is_true(message);
    if (rules_.content == HermesRules::Content::kParts) {
      if (Status status = write_parts(index, false); !status) return status;
    } else {
      const std::string* text = content_text(message);
      if (text == nullptr && rules_.content == HermesRules::Content::kText) {
        return content_refused(index, "a text");
      }
      has_content = write_answer(index, text == nullptr ? std::string_view() : *text);
    }
    for (size_t i = 0; i < message.tool_calls.size(); ++i) {
      if (i > 0 || has_content) prompt_.literal("\n");
      if (Status status = write_call(index, i); !status) return status;
    }
    write_turn_end(prompt_);
    return Done{};
  }

  // Thinking and content of an assistant turn; tells whether there is content.
  bool write_answer(size_t index, std::string_view content) {
    if (rules_.history != HermesRules::History::kThinkingSinceLastQuery) {
      prompt_.message(content);
      return !content.empty();
    }
    const std::optional<std::string>& given = messages_[index].reasoning;
    const SplitThinking split = given ? SplitThinking{*given, content} : split_thinking(content);
    const bool last = index + 1 == messages_.size();
    if (index > last_query_ && (last || !split.reasoning.empty())) {
      prompt_.literal("<think>\n");
      prompt_.message(strip_newlines(split.reasoning));
      prompt_.literal("\n</think>\n\n");
      prompt_.message(strip_leading_newlines(split.content));
    } else {
      prompt_.message(split.content);
    }
    return !split.content.empty();
  }

  Status write_older_assistant(size_t index) {
    const ChatMessage& message = messages_[index];
    const std::string* text = content_text(message);
    const bool last = index + 1 == messages_.size();
    const bool strips = rules_.history == HermesRules::History::kWithoutThinking && !last;
    const bool has_calls = !message.tool_calls.empty();
    const bool may_be_empty = has_calls && !strips && !content_is_true(message);
    if (text == nullptr && !may_be_empty) return content_refused(index, "a text");
    prompt_.literal("<|im_start|>assistant");
    if (!has_calls || content_is_true(message)) {
      prompt_.literal("\n");
      // "</think>" may be missing: the newlines are stripped all the same.
      prompt_.message(strips ? strip_leading_newlines(split_thinking(*text).content) : *text);
    }
    for (size_t i = 0; i < message.tool_calls.size(); ++i) {
      prompt_.literal("\n");
      if (Status status = write_call(index, i); !status) return status;
    }
    write_turn_end(prompt_);
    return Done{};
  }

  Status write_call(size_t index, size_t call_index) {
    const ToolCall& call = messages_[index].tool_calls[call_index];
    if (!call.has_arguments) {
      return Error{ErrorKind::kInvalid,
                   "messages[" + std::to_string(index) + "].tool_calls[" + std::to_string(call_index) + "]",
                   "arguments", "none", ""};
    }
    prompt_.literal("<tool_call>\n{\"name\": \"");
    prompt_.message(call.name);
    prompt_.literal("\", \"arguments\": ");
    const bool raw = call.arguments.is_string() && !rules_.older_layout;
    prompt_.message(raw ? call.arguments.get_ref<const std::string&>() : python_json(call.arguments));
    prompt_.literal("}\n</tool_call>");
    return Done{};
  }

  ChatFormat format_;
  HermesRules rules_;
  std::span<const ChatMessage> messages_;
  const ChatOptions& options_;
  size_t last_query_ = 0;
  VisionCount vision_;
  MarkedText prompt_;
};

}  // namespace

Result<MarkedText> render_hermes(ChatFormat format, std::span<const ChatMessage> messages,
                                 const ChatOptions& options) {
  return HermesWriter(format, messages, options).write();
}

}  // namespace ink
