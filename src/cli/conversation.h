// What `run` and `chat` share: a model opened for talking, a prompt made from messages, an answer that
// streams to the screen while it is told apart into thinking, text and tool calls.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/options.h"
#include "runtime/engine.h"
#include "runtime/scheduler.h"
#include "runtime/session.h"
#include "text/chat.h"
#include "text/tool_calls.h"

namespace ink::cli {

struct LoadedModel {
  std::shared_ptr<const Engine> engine;
  std::unique_ptr<Scheduler> scheduler;
  std::unique_ptr<Session> session;
  ChatFormat format = ChatFormat::kQwen3;

  const Tokenizer& tokenizer() const { return *engine->tokenizer(); }
  const std::string& name() const { return engine->checkpoint().name(); }
};

// Finds, checks and loads the model, with a progress bar. Notes when the file's chat template is not a known
// one and `chat_template` does not choose. Errors: as open_model and Engine::open; kNotFound without a
// tokenizer.
Result<LoadedModel> load_model(const ModelFlags& flags, const std::optional<std::string>& chat_template);

struct Prompt {
  std::vector<int32_t> ids;
  bool starts_in_thinking = false;
};
Result<Prompt> chat_prompt(const LoadedModel& model, const std::vector<ChatMessage>& messages,
                           const std::vector<Json>& tools, std::optional<bool> enable_thinking);
ChatMessage text_message(Role role, std::string text);

// Receives the answer while it grows; false stops it.
using OnEvent = std::function<bool(const TurnEvent&)>;

struct Answer {
  AssistantTurn turn;
  GenerationResult generation;
  std::vector<SampledToken> sampled;  // the drawn tokens, when log probabilities were asked for
};

// `parse`: whether thinking and tool calls are looked for (a chat), or all is text (a plain completion).
Result<Answer> generate_answer(LoadedModel& model, const Prompt& prompt, GenerationOptions options,
                               const std::vector<Json>& tools, bool parse, const OnEvent& on_event);

// Writes an answer to stdout as it comes: thinking dimmed or left out, each tool call readable on a line of
// its own.
class AnswerPrinter {
 public:
  explicit AnswerPrinter(bool show_thinking) : show_thinking_(show_thinking) {}
  bool print(const TurnEvent& event);  // false when nobody reads any more
  void finish();

 private:
  void leave_thinking();
  bool show_thinking_;
  bool thinking_ = false;
  bool has_content_ = false;
};
// Thinking is shown dimmed on a terminal and left out of pipes and files, unless a flag says otherwise.
bool shows_thinking(const ChatFlags& flags);

// set_light(room="living_room", brightness_step="down")
std::string call_text(const ToolCall& call);

// The answer for --json.
Json answer_json(const LoadedModel& model, const Answer& answer, const GenerationOptions& options,
                 bool with_ids);
Json calls_json(const std::vector<ToolCall>& calls);
std::string_view finish_name(const Answer& answer);

// One line of numbers: tokens, speeds.
std::string stats_text(const GenerationResult& generation);

// 0, 130 when the person stopped it, 6 with an error line when the context is full.
int end_of_answer(const LoadedModel& model, const Answer& answer);

}  // namespace ink::cli
