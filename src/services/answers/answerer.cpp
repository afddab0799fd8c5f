// See services/answers/answerer.h. A prepared answer holds all that its runs share: the prompt, the options,
// the compiled grammar. Each run has a session, a constraint and a stream of its own.
#include "services/answers/answerer.h"

#include <chrono>

#include "runtime/constraint.h"
#include "services/answers/answer_stream.h"
#include "services/answers/constraint_choice.h"
#include "services/answers/prompt.h"

namespace ink {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Result<SamplingOptions> merge_sampling(const ServedModel& model, const SamplingRequest& asked) {
  SamplingOptions sampling = model.engine->defaults().sampling;
  asked.apply_to(sampling);
  sampling.logprobs = asked.logprobs;
  sampling.logit_bias = asked.logit_bias;
  const int64_t vocabulary = model.engine->config().vocab_size;
  for (const auto& [id, bias] : asked.logit_bias) {
    if (id < 0 || id >= vocabulary)
      return Error{ErrorKind::kInvalid, "logit_bias", "token ids below " + std::to_string(vocabulary),
                   std::to_string(id), ""};
  }
  return sampling;
}

// The last of the user's own words, for strings that a tool wants copied from them.
std::string words_of_user(const AnswerRequest& request) {
  for (size_t i = request.messages.size(); i-- > 0;) {
    const auto* text = std::get_if<std::string>(&request.messages[i].content);
    if (request.messages[i].role == Role::kUser && text != nullptr) return *text;
  }
  return "";
}

class EngineAnswer final : public PreparedAnswer {
 public:
  EngineAnswer(std::shared_ptr<ServedModel> model, AnswerRequest request, AnswerPrompt prompt,
               GenerationOptions options, std::shared_ptr<const TokenGrammar> grammar)
      : model_(std::move(model)),
        request_(std::move(request)),
        prompt_(std::move(prompt)),
        options_(std::move(options)),
        grammar_(std::move(grammar)) {}

  int64_t prompt_tokens() const override { return static_cast<int64_t>(prompt_.ids.size()); }

  Result<FinishedAnswer> run(const OnAnswerEvent& on_event,
                             const std::atomic<bool>& cancelled) const override {
    GenerationOptions options = options_;
    auto constraint = make_constraint();
    if (!constraint.ok()) return constraint.error();
    options.constraint = constraint->get();
    const uint64_t turn = runs_.fetch_add(1);
    options.sampling.seed = request_.sampling.seed ? *request_.sampling.seed + turn : random_seed();
    const auto queued = Clock::now();
    auto session = Session::create(*model_->scheduler, place(cancelled));
    if (!session.ok()) return session.error();
    FinishedAnswer answer;
    answer.usage.queued_seconds = seconds_since(queued);
    AnswerStream stream(*model_, request_, prompt_, on_event);
    auto generated = (*session)->generate(
        prompt_.ids, options, [&](const GeneratedPiece& piece) { return !cancelled && stream.push(piece); },
        [&](int64_t done, int64_t total) { return !cancelled && stream.prompt_progress(done, total); });
    if (!generated.ok()) return generated.error();
    if (generated->finish != FinishReason::kCancelled) stream.finish();
    stream.move_into(answer);
    finish(*generated, stream, answer);
    return answer;
  }

 private:
  // Null where there is no grammar.
  Result<std::unique_ptr<Constraint>> make_constraint() const {
    if (grammar_ == nullptr) return std::unique_ptr<Constraint>();
    ConstraintOptions options;
    options.request = words_of_user(request_);
    return Constraint::create(grammar_, options);
  }

  // Room for the prompt and the longest answer; without a limit it may fill the context.
  SequenceOptions place(const std::atomic<bool>& cancelled) const {
    SequenceOptions options;
    const int64_t context = model_->engine->options().context_tokens;
    if (request_.max_tokens >= 0) options.tokens = std::min(context, prompt_tokens() + request_.max_tokens);
    options.priority = request_.priority;
    options.wait = true;
    options.cancelled = &cancelled;
    return options;
  }

  Json explain(const CacheDivergence& divergence) const {
    Json json{{"matched_tokens", divergence.matched_tokens}, {"was", nullptr}, {"is", nullptr}};
    const Tokenizer* tokenizer = model_->engine->tokenizer();
    if (tokenizer == nullptr) return json;
    if (!divergence.kept.empty()) json["was"] = tokenizer->decode(divergence.kept, false);
    if (!divergence.wanted.empty()) json["is"] = tokenizer->decode(divergence.wanted, false);
    return json;
  }

  void finish(const GenerationResult& generated, const AnswerStream& stream, FinishedAnswer& answer) const {
    answer.model = model_->name;
    answer.finish = generated.finish;
    answer.stop_string = generated.stop_string;
    AnswerUsage& usage = answer.usage;
    usage.prompt_tokens = generated.prompt_tokens;
    usage.cached_tokens = generated.cached_tokens;
    usage.completion_tokens = static_cast<int64_t>(generated.ids.size());
    usage.reasoning_tokens = stream.reasoning_tokens();
    usage.prompt_seconds = generated.prompt_seconds;
    usage.generation_seconds = generated.generation_seconds;
    if (generated.divergence) answer.cache_explanation = explain(*generated.divergence);
  }

  std::shared_ptr<ServedModel> model_;
  AnswerRequest request_;
  AnswerPrompt prompt_;
  GenerationOptions options_;
  std::shared_ptr<const TokenGrammar> grammar_;
  mutable std::atomic<uint64_t> runs_ = 0;  // so that the choices of one seed differ, and are always the same
};

Result<GenerationOptions> generation_options(const ServedModel& model, const AnswerRequest& request,
                                             const AnswerPrompt& prompt) {
  GenerationOptions options;
  auto sampling = merge_sampling(model, request.sampling);
  if (!sampling.ok()) return sampling.error();
  options.sampling = std::move(*sampling);
  options.max_tokens = request.max_tokens;
  options.stop_tokens = model.engine->defaults().stop_tokens;
  options.stop_strings = request.stop;
  options.thinking_budget = request.thinking_budget;
  options.starts_in_thinking = prompt.starts_in_thinking;
  options.explain_cache = request.explain_cache;
  const ChatTraits& traits = chat_traits(model.format);
  // A model that always thinks is brought to its answer at once.
  if (traits.can_think && !traits.can_choose_thinking && !request.enable_thinking.value_or(true))
    options.thinking_budget = 0;
  return options;
}

}  // namespace

Result<std::unique_ptr<PreparedAnswer>> prepare_answer(std::shared_ptr<ServedModel> model,
                                                       const AnswerRequest& request) {
  if (!model->engine->model().gives_logits())
    return Error{ErrorKind::kUnsupported, model->name, "a model that writes text",
                 "one for embeddings or ranking", ""};
  auto prompt = make_prompt(*model, request);
  if (!prompt.ok()) return prompt.error();
  const int64_t context = model->engine->options().context_tokens;
  const auto size = static_cast<int64_t>(prompt->ids.size());
  if (size > context) {
    return Error{ErrorKind::kTooLarge, "context", "at most " + std::to_string(context) + " tokens",
                 "a prompt of " + std::to_string(size) + " tokens", "a larger --ctx-size holds more"};
  }
  auto options = generation_options(*model, request, *prompt);
  if (!options.ok()) return options.error();
  auto grammar = choose_constraint(*model, request, *prompt);
  if (!grammar.ok()) return grammar.error();
  return std::unique_ptr<PreparedAnswer>(std::make_unique<EngineAnswer>(
      std::move(model), request, std::move(*prompt), std::move(*options), std::move(*grammar)));
}

Result<int64_t> count_prompt_tokens(const ServedModel& model, const AnswerRequest& request) {
  const auto prompt = make_prompt(model, request);
  if (!prompt.ok()) return prompt.error();
  return static_cast<int64_t>(prompt->ids.size());
}

}  // namespace ink
