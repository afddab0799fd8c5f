// The flags that several commands share, under llama.cpp's names, and what they mean for the runtime. What is
// not given stays the model's own recommendation.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "runtime/engine.h"
#include "runtime/session.h"

namespace ink::cli {

// -m: which model; the rest: how it is run.
struct ModelFlags {
  std::optional<std::string>
      model;  // a path or a name (see services/library/model_finder.h); none: the embedded model
  std::optional<int64_t> ctx_size;
  std::optional<int64_t> threads;
  std::optional<int64_t> batch_size;
  std::optional<std::string> cache_type;  // one of cache_type_names
  bool exact = false;
  bool no_pack_cache = false;
};
void add_model_flag(Command& command, ModelFlags& flags);
void add_run_flags(Command& command, ModelFlags& flags);     // without -m
void add_engine_flags(Command& command, ModelFlags& flags);  // both
void add_cache_type_flag(Command& command, ModelFlags& flags);
const std::vector<std::string>& cache_type_names();
EngineOptions engine_options(const ModelFlags& flags);

struct SamplingFlags : SamplingChanges {
  std::optional<std::string> seed;
  std::optional<int64_t> repeat_last_n;
  std::vector<std::string> logit_bias;
  std::optional<int64_t> logprobs;

  std::optional<int64_t> predict;
  std::vector<std::string> stop;
  std::optional<std::string> reasoning;  // on, off, auto
  std::optional<int64_t> reasoning_budget;
  std::optional<int64_t> lookup;
  bool context_shift = false;
  std::optional<int64_t> keep;

  // nullopt: the format's own default.
  std::optional<bool> enable_thinking() const;
};
void add_sampling_flags(Command& command, SamplingFlags& flags);

// The model's defaults with the flags on top. Errors: kInvalid for a seed or a bias that cannot be read, or a
// biased id outside the vocabulary. A seed that is not given is drawn at random and stands in the result.
Result<GenerationOptions> generation_options(const SamplingFlags& flags, const GenerationDefaults& defaults,
                                             int64_t vocab_size);

// How a conversation is put to the model and shown.
struct ChatFlags {
  std::optional<std::string> system_prompt;
  std::optional<std::string> tools_file;
  std::optional<std::string> chat_template;
  bool show_thinking = false;
  bool hide_thinking = false;
};
void add_chat_flags(Command& command, ChatFlags& flags);

// The declarations in a --tools file: a JSON array of OpenAI tools or of bare function declarations. Order is
// kept.
Result<std::vector<Json>> read_tools(const std::string& path);

// Text from outside. Errors: kInvalid with the byte where it stops being UTF-8.
Status check_utf8(const std::string& where, std::string_view text);

// "qwen3|qwen3-instruct|…"
std::string chat_format_names();

}  // namespace ink::cli
