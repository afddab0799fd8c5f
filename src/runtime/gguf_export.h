// The metadata of a model file made from another checkpoint: a GGUF's own, unchanged, or, for a Hugging Face
// folder, the same facts from its JSON files.
#pragma once

#include "base/result.h"
#include "models/config.h"
#include "tensor/checkpoint.h"
#include "tensor/gguf_writer.h"

namespace ink {

// Everything but what says how the tensors are stored (general.file_type, general.quantization_version,
// quantize.*, split.*). A folder without a tokenizer gives a file without one. Errors: those of the JSON
// files.
Status add_model_metadata(GgufWriter& writer, const Checkpoint& source, const ModelConfig& config);

}  // namespace ink
