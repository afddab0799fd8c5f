// See services/answers/prompt.h. A continued turn of the assistant is written by us behind the rendered
// conversation: its text is the client's and never trusted, only the marks around it are ours.
#include "services/answers/prompt.h"

namespace ink {
namespace {

Error without_tokenizer(const ServedModel& model) {
  return {ErrorKind::kUnsupported, "model", "",
          "'" + model.name + "' has no tokenizer: only token ids can be used", ""};
}

Status check_ids(const std::vector<int32_t>& ids, const ServedModel& model) {
  const int64_t vocabulary = model.engine->config().vocab_size;
  for (const int32_t id : ids) {
    if (id < 0 || id >= vocabulary) {
      return Error{ErrorKind::kInvalid, "prompt", "token ids below " + std::to_string(vocabulary),
                   std::to_string(id), ""};
    }
  }
  return Done{};
}

Result<AnswerPrompt> raw_prompt(const ServedModel& model, const RawPrompt& raw) {
  AnswerPrompt prompt;
  prompt.parse = false;
  if (const auto* ids = std::get_if<std::vector<int32_t>>(&raw)) {
    const Status status = check_ids(*ids, model);
    if (!status.ok()) return status.error();
    prompt.ids = *ids;
  } else if (model.engine->tokenizer() == nullptr) {
    return without_tokenizer(model);
  } else {
    prompt.ids = model.engine->tokenizer()->encode(std::get<std::string>(raw));
  }
  if (prompt.ids.empty())
    return Error{ErrorKind::kInvalid, "prompt", "at least one token", "an empty prompt", ""};
  return prompt;
}

// The assistant's turn as far as the client has written it. Thinking without any text behind it goes on.
void continue_turn(const ChatMessage& last, bool can_think, std::vector<TextSegment>& segments,
                   AnswerPrompt& prompt) {
  const auto* text = std::get_if<std::string>(&last.content);
  prompt.prefill = text == nullptr ? "" : *text;
  const std::string reasoning = last.reasoning.value_or("");
  segments.push_back({"<|im_start|>assistant\n", true});
  if (can_think) {
    segments.push_back({"<think>\n", true});
    segments.push_back({reasoning, false});
    prompt.starts_in_thinking = prompt.prefill.empty() && !reasoning.empty();
    if (!prompt.starts_in_thinking) segments.push_back({"\n</think>\n\n", true});
  }
  segments.push_back({prompt.prefill, false});
}

}  // namespace

Result<AnswerPrompt> make_prompt(const ServedModel& model, const AnswerRequest& request) {
  if (request.raw) return raw_prompt(model, *request.raw);
  const Tokenizer* tokenizer = model.engine->tokenizer();
  if (tokenizer == nullptr) return without_tokenizer(model);
  const ChatTraits& traits = chat_traits(model.format);
  ChatOptions options;
  options.tools = request.tools;
  options.enable_thinking = request.enable_thinking;
  std::span<const ChatMessage> messages = request.messages;
  if (request.continue_last) {
    options.add_generation_prompt = false;
    if (messages.size() > 1) messages = messages.first(messages.size() - 1);
  }
  Result<std::vector<TextSegment>> segments = std::vector<TextSegment>();
  // A conversation of the assistant's turn alone has nothing in front of it.
  if (!request.continue_last || request.messages.size() > 1)
    segments = render_chat(model.format, messages, options);
  if (!segments.ok()) return segments.error();
  AnswerPrompt prompt;
  if (request.continue_last) {
    continue_turn(request.messages.back(), traits.can_think, *segments, prompt);
  } else {
    prompt.starts_in_thinking = prompt_starts_thinking(model.format, request.enable_thinking);
    prompt.may_think = traits.can_think && !prompt.starts_in_thinking &&
                       request.enable_thinking.value_or(true) && tokenizer->find_added("<think>").has_value();
  }
  prompt.ids = tokenizer->encode(*segments);
  return prompt;
}

}  // namespace ink
