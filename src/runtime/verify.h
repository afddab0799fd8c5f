// Does the engine still compute the reference implementation's numbers? Golden vectors
// (tests/golden/README.md) hold a prompt, the logits after it, and 16 greedy steps with theirs; they are
// replayed through the scheduler, step by step as a real answer would be, on any kernel table. For models
// without golden vectors: runs that must agree with each other bit for bit.
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/engine.h"

namespace ink {

// One model with golden vectors.
struct GoldenModel {
  std::string name;               // "dense_tied_f32", "qwen3-q8_0"
  std::filesystem::path model;    // what Checkpoint::open takes
  std::filesystem::path vectors;  // the golden.safetensors
  std::string prefix;             // of the tensors in it: "" or "qwen3-q8_0."
};

// The golden models at `path`: a model folder or a GGUF file with golden vectors beside it, or folders of
// such, two levels deep, in order of their names. Folders of other model kinds (embedding, vision, …) are
// left out.
std::vector<GoldenModel> find_golden_models(const std::filesystem::path& path);

// The id of the largest logit, the lowest one of equals.
int32_t best_id(std::span<const float> logits);

struct GoldenReplay {
  std::string kernels;
  Arithmetic arithmetic = Arithmetic::kFast;
  double max_difference = 0;  // of logits; infinite when one is NaN
  double mean_difference = 0;
  double allowed_max = 0;  // infinite where only the mean is bounded
  double allowed_mean = 0;
  int ids = 0;  // greedy choices compared
  int wrong_ids = 0;
  bool ids_must_match = true;  // not where activations are rounded to 8 bits
  bool passed() const {
    return max_difference <= allowed_max && mean_difference <= allowed_mean &&
           (wrong_ids == 0 || !ids_must_match);
  }
};

// Replays one model's vectors on one kernel table. Errors: those of opening the files, and kInvalid for
// vectors that do not fit the model.
Result<GoldenReplay> replay_golden(const GoldenModel& golden, const std::string& kernels,
                                   Arithmetic arithmetic);

// Every kernel table this processor has, with kFast, and for quantized weights also with kExact.
Result<std::vector<GoldenReplay>> replay_golden_everywhere(const GoldenModel& golden);

// A run that must equal the plain one in every bit of every logit.
struct Consistency {
  std::string what;  // "1 thread", "prompt in pieces of 7", "beside another sequence", "reused prefix"
  int ids = 0;
  bool equal = false;
};
// Opens the model twice, one after the other; `open` gives its checkpoint each time.
Result<std::vector<Consistency>> check_consistency(const std::function<Result<Checkpoint>()>& open,
                                                   EngineOptions options);

}  // namespace ink
