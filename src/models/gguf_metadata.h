// What a GGUF file says about its model, as llama.cpp's readers want it.
#pragma once

#include "models/config.h"
#include "models/gguf_vocabulary.h"
#include "tensor/gguf_writer.h"

namespace ink {

// The architecture's numbers, with rope scaling; config.cpp reads them back.
void add_hyperparameters(GgufWriter& writer, const ModelConfig& config);

// Kind, tokens, types and merges of Qwen's byte-level vocabulary.
void add_vocabulary(GgufWriter& writer, const GgufVocabulary& vocabulary);

}  // namespace ink
