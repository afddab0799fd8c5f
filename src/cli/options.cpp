// See cli/options.h.
#include "cli/options.h"

#include <charconv>
#include <limits>

#include "base/mapped_file.h"
#include "base/utf8.h"
#include "runtime/pack_cache.h"

namespace ink::cli {
namespace {

constexpr int64_t kMostTokens = std::numeric_limits<int32_t>::max();
constexpr uint64_t kMostToolBytes = 16 << 20;

struct CacheType {
  const char* name;
  KvType type;
};
constexpr CacheType kCacheTypes[] = {
    {"i16", KvType::kInt16}, {"f16", KvType::kF16}, {"f32", KvType::kF32}, {"q8_0", KvType::kInt8}};

Result<uint64_t> parse_seed(const std::string& text) {
  uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (text == "-1") return random_seed();
  if (error == std::errc() && end == text.data() + text.size()) return seed;
  return Error{ErrorKind::kInvalid, "--seed",
               "an integer from 0 to 18446744073709551615, or -1 for a random one", "'" + text + "'", ""};
}

// llama.cpp's form: ID+BIAS, ID-BIAS, ID-inf.
Result<std::pair<int32_t, float>> parse_bias(const std::string& text, int64_t vocab_size) {
  const Error error{ErrorKind::kInvalid, "--logit-bias",
                    "TOKEN_ID+BIAS or TOKEN_ID-BIAS with an id below " + std::to_string(vocab_size),
                    "'" + text + "'", "for instance 151667-inf"};
  const size_t sign = text.find_first_of("+-", 1);
  if (text.empty() || sign == std::string::npos) return error;
  const auto id = parse_integer("", std::string_view(text).substr(0, sign), 0, vocab_size - 1);
  if (!id.ok()) return error;
  const std::string_view amount = std::string_view(text).substr(sign + 1);
  double bias = std::numeric_limits<double>::infinity();
  if (amount != "inf") {
    const auto number = parse_real("", amount, 0, 1e6);
    if (!number.ok()) return error;
    bias = *number;
  }
  return std::pair{static_cast<int32_t>(*id), static_cast<float>(text[sign] == '-' ? -bias : bias)};
}

template <typename Target, typename Value>
void override_with(Target& target, const std::optional<Value>& value) {
  if (value) target = static_cast<Target>(*value);
}

}  // namespace

void add_model_flag(Command& command, ModelFlags& flags) {
  command.from_environment(
      command.text("-m,--model", flags.model,
                   "Model: a path, or a name that `inkstone list` shows (none: the embedded one)"));
}

void add_engine_flags(Command& command, ModelFlags& flags) {
  add_model_flag(command, flags);
  add_run_flags(command, flags);
}

void add_run_flags(Command& command, ModelFlags& flags) {
  command.from_environment(command.integer("-c,--ctx-size", flags.ctx_size, 0, kMostTokens,
                                           "Tokens of context (0: the model's own limit, at most 4096)"));
  command.from_environment(
      command.integer("-t,--threads", flags.threads, 0, 1024, "Threads (0: as many as the process may use)"));
  command.from_environment(command.integer("-b,--batch-size", flags.batch_size, 1, 65536,
                                           "Most tokens of a prompt in one step (512)"));
  add_cache_type_flag(command, flags);
  command.toggle("--exact", flags.exact,
                 "Widen all weights to float: slower, larger, the reference's numbers");
  command.toggle("--no-pack-cache", flags.no_pack_cache,
                 "Neither use nor write packed models (inkstone cache)");
}

void add_cache_type_flag(Command& command, ModelFlags& flags) {
  command.from_environment(command.choice("--cache-type", flags.cache_type, cache_type_names(),
                                          "Keys and values of the context (i16; with --exact f32)"));
}

const std::vector<std::string>& cache_type_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const CacheType& type : kCacheTypes) all.emplace_back(type.name);
    return all;
  }();
  return names;
}

EngineOptions engine_options(const ModelFlags& flags) {
  EngineOptions options;
  override_with(options.context_tokens, flags.ctx_size);
  override_with(options.threads, flags.threads);
  override_with(options.batch_tokens, flags.batch_size);
  if (!flags.no_pack_cache) options.pack_cache = pack_cache_folder();
  if (flags.exact) {
    options.arithmetic = Arithmetic::kExact;
    options.cache_type = KvType::kF32;
  }
  for (const CacheType& type : kCacheTypes) {
    if (flags.cache_type == type.name) options.cache_type = type.type;
  }
  return options;
}

std::optional<bool> SamplingFlags::enable_thinking() const {
  if (reasoning_budget == 0) return false;
  if (!reasoning || *reasoning == "auto") return std::nullopt;
  return *reasoning == "on";
}

void add_sampling_flags(Command& command, SamplingFlags& flags) {
  const auto environment = [&](CLI::Option* option) { command.from_environment(option); };
  environment(command.integer("-n,--predict,--n-predict", flags.predict, -1, kMostTokens,
                              "Most tokens to generate (-1: until the model stops)"));
  environment(command.real("--temp,--temperature", flags.temperature, 0, 1000,
                           "Temperature (0: always the likeliest)"));
  environment(
      command.integer("--top-k", flags.top_k, 0, kMostTokens, "Keep the K likeliest tokens (0: all)"));
  environment(
      command.real("--top-p", flags.top_p, 0, 1, "Keep the likeliest tokens that make up P (1: all)"));
  environment(
      command.real("--min-p", flags.min_p, 0, 1, "Drop tokens less likely than P times the best (0: none)"));
  environment(command.text("-s,--seed", flags.seed, "Seed of the random draw (-1: a random one)"));
  environment(
      command.real("--repeat-penalty", flags.repeat_penalty, 0.01, 100, "Weaken seen tokens (1: off)"));
  environment(command.real("--presence-penalty", flags.presence_penalty, -100, 100,
                           "Weaken tokens once seen (0: off)"));
  environment(command.real("--frequency-penalty", flags.frequency_penalty, -100, 100,
                           "Weaken tokens for each time seen (0: off)"));
  environment(command.integer("--repeat-last-n", flags.repeat_last_n, -1, kMostTokens,
                              "How many tokens the penalties look at (-1: all, 0: none)"));
  command.texts("--logit-bias", flags.logit_bias,
                "Change a token's logit: ID+BIAS, ID-BIAS, ID-inf; repeatable");
  command.texts("-r,--stop,--reverse-prompt", flags.stop, "Stop before this text; repeatable");
  environment(command.choice("--reasoning", flags.reasoning, {"on", "off", "auto"},
                             "Whether the model thinks first"));
  environment(
      command.integer("--reasoning-budget", flags.reasoning_budget, -1, kMostTokens,
                      "Tokens of thinking before the answer must begin (-1: no limit, 0: no thinking)"));
  environment(command.integer("--lookup", flags.lookup, 0, 64,
                              "Most tokens guessed from what was said and checked together (15; 0: none)"));
  command.toggle("--context-shift", flags.context_shift,
                 "When the context is full, forget the older half and go on");
  command.integer("--keep", flags.keep, 0, kMostTokens,
                  "With --context-shift: first tokens that are never forgotten");
}

Result<GenerationOptions> generation_options(const SamplingFlags& flags, const GenerationDefaults& defaults,
                                             int64_t vocab_size) {
  GenerationOptions options;
  SamplingOptions& sampling = options.sampling;
  sampling = defaults.sampling;
  options.stop_tokens = defaults.stop_tokens;
  flags.apply_to(sampling);
  override_with(sampling.penalty_last_n, flags.repeat_last_n);
  override_with(sampling.logprobs, flags.logprobs);
  const auto seed = parse_seed(flags.seed.value_or("-1"));
  if (!seed.ok()) return seed.error();
  sampling.seed = *seed;
  for (const auto& text : flags.logit_bias) {
    const auto bias = parse_bias(text, vocab_size);
    if (!bias.ok()) return bias.error();
    sampling.logit_bias.push_back(*bias);
  }
  if (flags.predict == 0) return Error{ErrorKind::kInvalid, "--predict", "-1 or at least 1", "0", ""};
  override_with(options.max_tokens, flags.predict);
  for (const auto& stop : flags.stop) {
    if (stop.empty()) return Error{ErrorKind::kInvalid, "--stop", "text", "nothing", ""};
  }
  options.stop_strings = flags.stop;
  override_with(options.thinking_budget, flags.reasoning_budget);
  override_with(options.lookup_tokens, flags.lookup);
  options.context_shift = flags.context_shift;
  override_with(options.keep_tokens, flags.keep);
  return options;
}

void add_chat_flags(Command& command, ChatFlags& flags) {
  command.from_environment(
      command.text("--system-prompt", flags.system_prompt, "What the model is told first (also -sys)"));
  command.text("--tools", flags.tools_file, "JSON file with the functions that the model may call");
  command.from_environment(command.text("--chat-template", flags.chat_template,
                                        "Chat format instead of the model's own: " + chat_format_names()));
  command.toggle("--show-thinking", flags.show_thinking,
                 "Show thinking also where the output is not a terminal");
  command.toggle("--hide-thinking", flags.hide_thinking, "Never show thinking");
}

Result<std::vector<Json>> read_tools(const std::string& path) {
  const auto text = read_text_file(path, kMostToolBytes);
  if (!text.ok()) return text.error();
  auto parsed = parse_json(*text, path);
  if (!parsed.ok()) return parsed.error();
  if (!parsed->is_array())
    return Error{ErrorKind::kInvalid, path, "an array of function declarations", parsed->type_name(), ""};
  std::vector<Json> tools;
  for (size_t i = 0; i < parsed->size(); ++i) {
    const Json& tool = (*parsed)[i];
    const Json* function = &tool;
    if (tool.is_object() && tool.contains("function")) function = &tool["function"];
    if (!function->is_object() || !function->contains("name") || !(*function)["name"].is_string())
      return Error{ErrorKind::kInvalid, path + ": [" + std::to_string(i) + "]", "a function with a \"name\"",
                   json_excerpt(*function), ""};
    tools.push_back(tool);
  }
  return tools;
}

Status check_utf8(const std::string& where, std::string_view text) {
  const auto place = find_invalid_utf8(text);
  if (!place) return Done{};
  char byte[8];
  std::snprintf(byte, sizeof byte, "0x%02x", static_cast<unsigned char>(text[*place]));
  return Error{ErrorKind::kInvalid, where, "UTF-8 text",
               std::string(byte) + " at byte " + std::to_string(*place), ""};
}

std::string chat_format_names() {
  std::string names;
  for (int format = 0; format <= static_cast<int>(ChatFormat::kQwen25); ++format)
    names += (names.empty() ? "" : "|") + std::string(chat_traits(static_cast<ChatFormat>(format)).name);
  return names;
}

}  // namespace ink::cli
