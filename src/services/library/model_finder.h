// Where models are: named by a path, or found by name in the places a person keeps them. Nothing is
// downloaded and nothing is loaded here; folders are searched a few levels deep and no further.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "tensor/checkpoint.h"

namespace ink {

struct FoundModel {
  std::string name;            // what -m accepts: "Qwen3-0.6B-Q8_0", "Qwen/Qwen3-0.6B"
  std::filesystem::path path;  // empty for the embedded model
  std::string place;           // "embedded", "folder", "INKSTONE_MODELS", "data", "huggingface", "path"
  std::string format;          // "gguf", "safetensors"
  uint64_t bytes = 0;          // of the weight files
};

// The embedded model first, then ./, $INKSTONE_MODELS (folders separated by ':'),
// $XDG_DATA_HOME/inkstone/models and the Hugging Face cache; sorted by name within a place. The first of
// equal names is the one that -m takes.
std::vector<FoundModel> find_models();

// The model that a name means (services/library/model_names.h); empty: the embedded one. Never a path: this
// is what names from the network go through. Errors: kNotFound.
Result<FoundModel> find_model(const std::string& name);

// What a person at this machine names: a path that exists, else a name. Errors: kNotFound.
Result<FoundModel> find_model_or_path(const std::string& model);

// Errors: all of Checkpoint::open.
Result<Checkpoint> open_found(const FoundModel& model);

// Opens what find_model_or_path finds.
Result<Checkpoint> open_model(const std::string& model);

}  // namespace ink
