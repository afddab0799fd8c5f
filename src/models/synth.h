// Checkpoints of the true shapes with random weights: for measuring speed and memory, and for testing
// readers, without having the real model. Everything about them is real but the numbers: names, shapes,
// types, metadata, vocabulary size. Weights stream to the file; memory stays small whatever the size.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "models/config.h"
#include "models/synth_vocabulary.h"
#include "tensor/checkpoint.h"
#include "tensor/checkpoint_output.h"
#include "tensor/dtype.h"

namespace ink {

// "Qwen3-0.6B", … in order of size; the shapes of reference tables of the Qwen3 report.
std::vector<std::string> known_shape_names();
// Upper and lower case are the same; with or without "Qwen3-".
std::optional<ModelConfig> find_known_shape(std::string_view name);

// The types of a model's matrices. A mix gives some of them more bits, as llama.cpp's of the same name does.
struct SynthTypes {
  Dtype most = Dtype::kQ8_0;
  Dtype head = Dtype::kQ8_0;  // of the head, or of the embedding that is the head as well
  bool widens = false;        // whether half of all v_proj and down_proj have Q6_K
};
// "q4_k_m", "q5_k_m", or a type, in upper or lower case. Of the older 4- and 5-bit types the head has Q6_K,
// unless the mix is to be `pure`. Nothing for a name that is not known.
std::optional<SynthTypes> find_synth_types(std::string_view name, bool pure);
std::vector<std::string> synth_type_names();

struct SynthOptions {
  std::string name;  // what the file says it is
  ModelConfig config;
  CheckpointFormat format = CheckpointFormat::kGguf;
  SynthTypes types;  // norms and routers are F32 in GGUF, of type `most` elsewhere
  uint64_t seed = 0;
  std::function<void(double)> progress;
};

// The tensors in the order they are written, under the format's names.
std::vector<PlannedTensor> plan_synthetic(const SynthOptions& options);

// Writes one .gguf file, or a folder with config.json, generation_config.json, tokenizer.json and
// model.safetensors. `path` must not exist yet; on an error nothing is left behind. Errors: kInvalid (path
// exists, rows that do not fill blocks), kUnsupported (a type that cannot be written, quantized safetensors),
// kIo.
Status write_synthetic(const std::filesystem::path& path, const SynthOptions& options,
                       const SynthVocabulary& vocabulary);

}  // namespace ink
