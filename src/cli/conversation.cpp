// See cli/conversation.h.
#include "cli/conversation.h"

#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "services/library/model_finder.h"

namespace ink::cli {
namespace {

constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kPlain = "\x1b[0m";

Json token_json(const LoadedModel& model, int32_t id, float logprob) {
  Json token;
  token["id"] = id;
  token["token"] = std::string(model.tokenizer().token_bytes(id));
  token["logprob"] = logprob;
  return token;
}

Json logprobs_json(const LoadedModel& model, const std::vector<SampledToken>& sampled) {
  Json list = Json::array();
  for (const auto& token : sampled) {
    Json entry = token_json(model, token.id, token.logprob);
    entry["top"] = Json::array();
    for (const auto& other : token.top) entry["top"].push_back(token_json(model, other.id, other.logprob));
    list.push_back(entry);
  }
  return list;
}

double per_second(int64_t tokens, double seconds) {
  return seconds > 0 ? static_cast<double>(tokens) / seconds : 0;
}

}  // namespace

Result<LoadedModel> load_model(const ModelFlags& flags, const std::optional<std::string>& chat_template) {
  LoadedModel model;
  if (chat_template) {
    const auto format = find_chat_format(*chat_template);
    if (!format)
      return Error{ErrorKind::kInvalid, "--chat-template", chat_format_names(), "'" + *chat_template + "'",
                   ""};
    model.format = *format;
  }
  auto checkpoint = open_model(flags.model.value_or(""));
  if (!checkpoint.ok()) return checkpoint.error();
  Progress progress("loading " + checkpoint->name());
  EngineOptions options = engine_options(flags);
  options.progress = [&](double fraction) { progress.update(fraction); };
  auto engine = Engine::open(std::move(*checkpoint), options);
  progress.clear();
  if (!engine.ok()) return engine.error();
  model.engine = *engine;
  if (model.engine->tokenizer() == nullptr)
    return Error{ErrorKind::kNotFound, model.name(), "a tokenizer", "none", "for a folder: tokenizer.json"};
  if (!chat_template) {
    const DetectedFormat detected = model.engine->chat_format();
    model.format = detected.format;
    if (!detected.exact)
      note(model.name() + " brings a chat template that differs from the known ones; using " +
           std::string(chat_traits(model.format).name) + " (--chat-template chooses another)");
  }
  auto scheduler = Scheduler::create(model.engine);
  if (!scheduler.ok()) return scheduler.error();
  model.scheduler = std::move(*scheduler);
  auto session = Session::create(*model.scheduler);
  if (!session.ok()) return session.error();
  model.session = std::move(*session);
  return model;
}

ChatMessage text_message(Role role, std::string text) {
  ChatMessage message;
  message.role = role;
  message.content = std::move(text);
  return message;
}

Result<Prompt> chat_prompt(const LoadedModel& model, const std::vector<ChatMessage>& messages,
                           const std::vector<Json>& tools, std::optional<bool> enable_thinking) {
  ChatOptions options;
  options.tools = tools;
  options.enable_thinking = enable_thinking;
  const auto segments = render_chat(model.format, messages, options);
  if (!segments.ok()) return segments.error();
  return Prompt{model.tokenizer().encode(*segments), prompt_starts_thinking(model.format, enable_thinking)};
}

Result<Answer> generate_answer(LoadedModel& model, const Prompt& prompt, GenerationOptions options,
                               const std::vector<Json>& tools, bool parse, const OnEvent& on_event) {
  options.starts_in_thinking = prompt.starts_in_thinking;
  Answer answer;
  TurnParser parser(model.format, tools, prompt.starts_in_thinking);
  Progress progress("reading the prompt");
  const auto forward = [&](const std::vector<TurnEvent>& events) {
    bool wanted = true;
    for (const auto& event : events) wanted = wanted && on_event(event);
    return wanted;
  };
  const auto on_piece = [&](const GeneratedPiece& piece) {
    progress.clear();
    if (interrupted()) return false;
    if (options.sampling.logprobs >= 0 && piece.sampled != nullptr) answer.sampled.push_back(*piece.sampled);
    if (piece.text.empty()) return true;
    if (parse) return forward(parser.push(piece.text));
    answer.turn.content += piece.text;
    return on_event({TurnEvent::Kind::kContent, piece.text, {}});
  };
  auto generation = model.session->generate(prompt.ids, options, on_piece, [&](int64_t done, int64_t total) {
    progress.update(static_cast<double>(done) / static_cast<double>(total));
    return !interrupted();
  });
  if (!generation.ok()) return generation.error();
  answer.generation = std::move(*generation);
  if (parse) {
    forward(parser.finish());
    answer.turn = parser.turn();
  }
  return answer;
}

bool AnswerPrinter::print(const TurnEvent& event) {
  Output& out = output();
  if (event.kind == TurnEvent::Kind::kReasoning) {
    if (!show_thinking_) return !out.failed();
    if (!thinking_) out.style(kDim);
    thinking_ = true;
    out.write(event.text);
  } else if (event.kind == TurnEvent::Kind::kToolCall) {
    leave_thinking();
    out.end_line();
    out.write(call_text(event.call) + "\n");
  } else {
    leave_thinking();
    std::string_view text = event.text;
    // Line breaks between thinking, calls and the answer are the format's, not the answer's.
    while (!has_content_ && text.starts_with('\n')) text.remove_prefix(1);
    has_content_ = has_content_ || !text.empty();
    out.write(text);
  }
  out.flush();
  return !out.failed();
}

void AnswerPrinter::leave_thinking() {
  if (!thinking_) return;
  thinking_ = false;
  output().style(kPlain);
  output().end_line();
  output().write("\n");
}

void AnswerPrinter::finish() {
  leave_thinking();
  output().end_line();
  output().flush();
}

bool shows_thinking(const ChatFlags& flags) {
  return !flags.hide_thinking && (flags.show_thinking || stdout_is_terminal());
}

std::string call_text(const ToolCall& call) {
  std::string text = call.name + "(";
  bool first = true;
  if (call.arguments.is_object()) {
    for (const auto& [name, value] : call.arguments.items()) {
      if (!first) text += ", ";
      text += name + "=" + python_json(value);
      first = false;
    }
  }
  return text + ")";
}

Json calls_json(const std::vector<ToolCall>& calls) {
  Json list = Json::array();
  for (const auto& call : calls) list.push_back(Json{{"name", call.name}, {"arguments", call.arguments}});
  return list;
}

std::string_view finish_name(const Answer& answer) {
  switch (answer.generation.finish) {
    case FinishReason::kStop:
      return answer.turn.tool_calls.empty() ? "stop" : "tool_calls";
    case FinishReason::kLength:
      return "length";
    case FinishReason::kContextFull:
      return "context_full";
    case FinishReason::kCancelled:
      return "cancelled";
  }
  return "stop";
}

Json answer_json(const LoadedModel& model, const Answer& answer, const GenerationOptions& options,
                 bool with_ids) {
  const GenerationResult& generation = answer.generation;
  const auto completion = static_cast<int64_t>(generation.ids.size());
  Json json;
  json["model"] = model.name();
  json["content"] = answer.turn.content;
  json["reasoning"] = answer.turn.reasoning;
  json["tool_calls"] = calls_json(answer.turn.tool_calls);
  if (with_ids) json["ids"] = generation.ids;
  json["finish_reason"] = finish_name(answer);
  json["seed"] = options.sampling.seed;
  json["usage"] = {{"prompt_tokens", generation.prompt_tokens},
                   {"cached_tokens", generation.cached_tokens},
                   {"guessed_tokens", generation.guessed_tokens},
                   {"guessed_right_tokens", generation.guessed_right_tokens},
                   {"completion_tokens", completion}};
  json["timings"] = {{"prompt_seconds", generation.prompt_seconds},
                     {"generation_seconds", generation.generation_seconds},
                     {"prompt_per_second", per_second(generation.prompt_tokens - generation.cached_tokens,
                                                      generation.prompt_seconds)},
                     {"generation_per_second", per_second(completion, generation.generation_seconds)}};
  if (options.sampling.logprobs >= 0) json["logprobs"] = logprobs_json(model, answer.sampled);
  return json;
}

std::string stats_text(const GenerationResult& generation) {
  const int64_t fed = generation.prompt_tokens - generation.cached_tokens;
  const auto completion = static_cast<int64_t>(generation.ids.size());
  char text[256];
  std::snprintf(text, sizeof text,
                "prompt %lld tokens (%lld reused), %.1f tokens/s; answer %lld tokens, %.1f tokens/s",
                static_cast<long long>(generation.prompt_tokens),
                static_cast<long long>(generation.cached_tokens), per_second(fed, generation.prompt_seconds),
                static_cast<long long>(completion), per_second(completion, generation.generation_seconds));
  return text;
}

int end_of_answer(const LoadedModel& model, const Answer& answer) {
  if (answer.generation.finish == FinishReason::kCancelled) return interrupted() ? kInterrupted : kOk;
  if (answer.generation.finish != FinishReason::kContextFull) return kOk;
  const int64_t context = model.engine->options().context_tokens;
  return report({ErrorKind::kTooLarge, "context", "", "full after " + std::to_string(context) + " tokens",
                 "a larger --ctx-size, or --context-shift to forget the older half"});
}

}  // namespace ink::cli
