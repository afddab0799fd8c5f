// See services/openai/completions.h.
#include "services/openai/completions.h"

#include "base/utf8.h"
#include "services/openai/choices_writer.h"
#include "services/openai/fields.h"
#include "services/openai/parts.h"

namespace ink::openai {
namespace {

constexpr int64_t kDefaultTokens = 16;  // as OpenAI has it
constexpr size_t kMaxPrompts = 64;

constexpr ChoicesWords kWordsOfCompletions = {"cmpl-", "text_completion", "text_completion"};

// {"tokens", "token_logprobs", "top_logprobs", "text_offset"}; offsets in characters, as Python counts them.
Json completion_logprobs(const std::vector<AnsweredToken>& tokens, std::string& text_before) {
  Json json{{"tokens", Json::array()},
            {"token_logprobs", Json::array()},
            {"top_logprobs", Json::array()},
            {"text_offset", Json::array()}};
  for (const AnsweredToken& answered : tokens) {
    json["tokens"].push_back(answered.token.bytes);
    json["token_logprobs"].push_back(answered.token.logprob);
    Json top = Json::object();
    for (const TokenLogprob& other : answered.top) top[other.bytes] = other.logprob;
    json["top_logprobs"].push_back(std::move(top));
    json["text_offset"].push_back(count_characters(text_before));
    text_before += answered.token.bytes;
  }
  return json;
}

class CompletionWriter final : public ChoicesWriter {
 public:
  CompletionWriter(const wire::Moment& moment, const ChoicesShape& shape, size_t answers)
      : ChoicesWriter(kWordsOfCompletions, moment, shape), text_(answers) {}

  std::string event(int index, const AnswerEvent& event) override {
    if (event.kind != AnswerEvent::Kind::kContent) return "";
    return say(choice(static_cast<size_t>(index), event.text, event.tokens, nullptr));
  }
  std::string finish_choice(int index, const FinishedAnswer& answer) override {
    return say(choice(static_cast<size_t>(index), "", {}, finish_reason(answer)));
  }

 private:
  Json choice_json(size_t index, const FinishedAnswer& answer) override {
    return choice(index, answer.content, answer.tokens, finish_reason(answer));
  }
  Json choice(size_t index, const std::string& text, const std::vector<AnsweredToken>& tokens, Json finish) {
    Json json{{"text", text}, {"index", index}, {"logprobs", nullptr}, {"finish_reason", std::move(finish)}};
    if (shape_.logprobs) json["logprobs"] = completion_logprobs(tokens, text_[index]);
    return json;
  }

  std::vector<std::string> text_;  // of each choice so far, where log probabilities need it
};

bool is_ids(const Json& value) {
  if (!value.is_array() || value.empty()) return false;
  for (const Json& item : value) {
    if (!item.is_number_integer()) return false;
  }
  return true;
}

Result<RawPrompt> one_prompt(const Json& value, const std::string& where) {
  if (value.is_string()) return RawPrompt(value.get<std::string>());
  if (!is_ids(value)) return wire::wrong(where, "a text or token ids", value);
  std::vector<int32_t> ids;
  for (const Json& item : value) {
    const bool fits = item.is_number_unsigned() ? item.get<uint64_t>() <= INT32_MAX : false;
    if (!fits) return wire::wrong(where, "token ids", item);
    ids.push_back(static_cast<int32_t>(item.get<int64_t>()));
  }
  return RawPrompt(std::move(ids));
}

Result<std::vector<RawPrompt>> read_prompts(wire::Fields& fields) {
  std::vector<RawPrompt> prompts;
  const Json& wire = fields.needed("prompt", "a prompt");
  if (!fields.ok()) return fields.error();
  const bool several = wire.is_array() && !is_ids(wire);
  const Json list = several ? wire : Json::array({wire});
  if (list.empty() || list.size() > kMaxPrompts) {
    return Error{ErrorKind::kInvalid, "prompt", "1 to " + std::to_string(kMaxPrompts) + " prompts",
                 std::to_string(list.size()), ""};
  }
  for (size_t i = 0; i < list.size(); ++i) {
    auto prompt = one_prompt(list[i], several ? "prompt[" + std::to_string(i) + "]" : "prompt");
    if (!prompt.ok()) return prompt.error();
    prompts.push_back(std::move(*prompt));
  }
  return prompts;
}

void refuse_what_is_not_done(wire::Fields& fields, int64_t choices) {
  fields.refuse("echo", "the prompt is not repeated here", "leave echo out");
  fields.refuse("suffix", "filling in the middle is not supported", "leave suffix out");
  int64_t best_of = choices;
  fields.integer("best_of", 1, kMaxChoices, best_of);
  if (fields.ok() && best_of != choices)
    fields.fail(wire::not_supported("best_of", "answers are not ranked here", "leave best_of out"));
}

}  // namespace

Result<wire::Asked> parse_completion(const Json& body, const wire::Moment& moment) {
  wire::Fields fields(body, "");
  AnswerRequest request;
  request.max_tokens = kDefaultTokens;
  ChoicesShape shape;
  wire::Asked asked;
  int64_t choices = 1;
  int64_t logprobs = -1;
  read_generation(fields, request);
  read_reply_format(fields, request);
  fields.integer("n", 1, kMaxChoices, choices);
  refuse_what_is_not_done(fields, choices);
  read_stream(fields, asked.stream, shape.include_usage);
  if (const Json* given = fields.given("logprobs"); given != nullptr && !given->is_boolean())
    fields.integer("logprobs", 0, kMaxAlternatives, logprobs);
  auto prompts = read_prompts(fields);
  if (!fields.ok()) return fields.error();
  if (!prompts.ok()) return prompts.error();
  request.sampling.logprobs = static_cast<int32_t>(logprobs);
  shape.logprobs = logprobs >= 0;
  shape.choices = asked.choices = static_cast<int>(choices);
  for (RawPrompt& prompt : *prompts) {
    request.raw = std::move(prompt);
    asked.requests.push_back(request);
  }
  asked.writer = std::make_unique<CompletionWriter>(
      moment, shape, asked.requests.size() * static_cast<size_t>(asked.choices));
  return asked;
}

}  // namespace ink::openai
