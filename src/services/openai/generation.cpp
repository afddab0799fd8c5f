// How to generate: lengths, sampling, thinking (services/openai/fields.h).
#include <charconv>
#include <limits>

#include "services/openai/fields.h"
#include "services/wire/writer.h"

namespace ink::openai {
namespace {

// {"1234": -100, …}: -100 bans a token.
void read_logit_bias(wire::Fields& fields, AnswerRequest& request) {
  const Json* bias = fields.object("logit_bias");
  if (bias == nullptr) return;
  for (const auto& [key, value] : bias->items()) {
    int32_t id = -1;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (error != std::errc() || end != key.data() + key.size() || id < 0)
      return fields.fail(wire::wrong("logit_bias", "token ids as keys", Json(key)));
    const double number = value.is_number() ? value.get<double>() : 1e9;
    if (!(number >= -100 && number <= 100))
      return fields.fail(wire::wrong("logit_bias." + key, "a number from -100 to 100", value));
    const float added = number == -100 ? -std::numeric_limits<float>::infinity() : static_cast<float>(number);
    request.sampling.logit_bias.emplace_back(id, added);
  }
}

void read_priority(wire::Fields& fields, AnswerRequest& request) {
  const Json* priority = fields.given("priority");
  if (priority == nullptr) return;
  if (*priority == "background") {
    request.priority = Priority::kBackground;
  } else if (*priority == "voice") {
    request.priority = Priority::kVoice;
  } else if (*priority != "chat") {
    fields.fail(wire::wrong("priority", "background, chat or voice", *priority));
  }
}

}  // namespace

void read_generation(wire::Fields& fields, AnswerRequest& request) {
  SamplingRequest& sampling = request.sampling;
  fields.text("model", request.model);
  fields.integer("max_tokens", 1, INT32_MAX, request.max_tokens);
  fields.integer("max_completion_tokens", 1, INT32_MAX, request.max_tokens);
  fields.number("temperature", 0, 2, sampling.temperature);
  fields.number("top_p", 0, 1, sampling.top_p);
  fields.integer("top_k", 0, INT32_MAX, sampling.top_k);
  fields.number("min_p", 0, 1, sampling.min_p);
  fields.number("presence_penalty", -2, 2, sampling.presence_penalty);
  fields.number("frequency_penalty", -2, 2, sampling.frequency_penalty);
  fields.number("repetition_penalty", 0.01f, 100, sampling.repeat_penalty);
  fields.number("repeat_penalty", 0.01f, 100, sampling.repeat_penalty);
  fields.seed("seed", sampling.seed);
  fields.texts("stop", request.stop);
  read_logit_bias(fields, request);
  read_priority(fields, request);
  wire::read_keep_alive(fields, request.keep_alive);
}

void read_stream(wire::Fields& fields, bool& stream, bool& include_usage) {
  fields.flag("stream", stream);
  const Json* options = fields.object("stream_options");
  if (options == nullptr) return;
  wire::Fields inner(*options, "stream_options");
  inner.flag("include_usage", include_usage);
  if (!inner.ok()) fields.fail(inner.error());
}

void read_thinking(wire::Fields& fields, AnswerRequest& request) {
  std::string effort;
  fields.text("reasoning_effort", effort);
  if (fields.ok() && !effort.empty() && !wire::apply_effort(effort, request))
    return fields.fail(
        wire::wrong("reasoning_effort", "none, minimal, low, medium, high, xhigh or max", Json(effort)));
  fields.flag("enable_thinking", request.enable_thinking);
  fields.integer("thinking_budget", 0, INT32_MAX, request.thinking_budget);
  const Json* arguments = fields.object("chat_template_kwargs");
  if (arguments == nullptr) return;
  wire::Fields inner(*arguments, "chat_template_kwargs");
  inner.flag("enable_thinking", request.enable_thinking);
  inner.integer("thinking_budget", 0, INT32_MAX, request.thinking_budget);
  if (!inner.ok()) fields.fail(inner.error());
}

}  // namespace ink::openai
