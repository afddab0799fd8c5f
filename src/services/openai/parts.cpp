// See services/openai/parts.h.
#include "services/openai/parts.h"

#include "services/wire/writer.h"

namespace ink::openai {
namespace {

using Kind = wire::Failure::Kind;

struct ErrorNames {
  const char* type;
  const char* code;  // null: none
};

ErrorNames names_of(const wire::Failure& failure) {
  switch (failure.kind) {
    case Kind::kContextLength:
      return {"invalid_request_error", "context_length_exceeded"};
    case Kind::kNotFound:
      return {"not_found_error", failure.param == "model" ? "model_not_found" : nullptr};
    case Kind::kBusy:
      return {"unavailable_error", "unavailable"};
    case Kind::kInternal:
      return {"server_error", nullptr};
    case Kind::kInvalid:
      break;
  }
  return {"invalid_request_error", nullptr};
}

double per_second(int64_t tokens, double seconds) {
  return seconds > 0 ? static_cast<double>(tokens) / seconds : 0;
}

}  // namespace

Json error_body(const wire::Failure& failure) {
  const ErrorNames names = names_of(failure);
  Json error{{"message", failure.message}, {"type", names.type}, {"param", nullptr}, {"code", nullptr}};
  if (!failure.param.empty()) error["param"] = failure.param;
  if (names.code != nullptr) error["code"] = names.code;
  return Json{{"error", std::move(error)}};
}

std::string finish_reason(const FinishedAnswer& answer) {
  if (answer.was_cut()) return "length";
  return answer.tool_calls.empty() ? "stop" : "tool_calls";
}

Json usage_json(const std::vector<FinishedAnswer>& answers, int choices) {
  int64_t prompt = 0, cached = 0, completion = 0, reasoning = 0;
  for (size_t i = 0; i < answers.size(); ++i) {
    const AnswerUsage& usage = answers[i].usage;
    completion += usage.completion_tokens;
    reasoning += usage.reasoning_tokens;
    if (i % static_cast<size_t>(choices) != 0) continue;
    prompt += usage.prompt_tokens;
    cached += usage.cached_tokens;
  }
  Json usage{
      {"prompt_tokens", prompt}, {"completion_tokens", completion}, {"total_tokens", prompt + completion}};
  usage["prompt_tokens_details"] = {{"cached_tokens", cached}};
  usage["completion_tokens_details"] = {{"reasoning_tokens", reasoning}};
  if (!answers.empty() && !answers.front().cache_explanation.is_null())
    usage["prompt_tokens_details"]["cache_explanation"] = answers.front().cache_explanation;
  return usage;
}

Json timings_json(const FinishedAnswer& answer) {
  const AnswerUsage& usage = answer.usage;
  const int64_t read = usage.prompt_tokens - usage.cached_tokens;
  return {{"cache_n", usage.cached_tokens},
          {"prompt_n", read},
          {"prompt_ms", usage.prompt_seconds * 1e3},
          {"prompt_per_second", per_second(read, usage.prompt_seconds)},
          {"predicted_n", usage.completion_tokens},
          {"predicted_ms", usage.generation_seconds * 1e3},
          {"predicted_per_second", per_second(usage.completion_tokens, usage.generation_seconds)},
          {"queued_ms", usage.queued_seconds * 1e3},
          {"load_ms", usage.load_seconds * 1e3}};
}

Json chat_logprobs(const std::vector<AnsweredToken>& tokens) {
  return Json{{"content", wire::tokens_json(tokens)}, {"refusal", nullptr}};
}

Json tool_calls_json(const std::vector<AnsweredCall>& calls) {
  Json list = Json::array();
  for (const AnsweredCall& one : calls) {
    list.push_back({{"id", one.id},
                    {"type", "function"},
                    {"function", {{"name", one.call.name}, {"arguments", wire::arguments_text(one.call)}}}});
  }
  return list;
}

}  // namespace ink::openai
