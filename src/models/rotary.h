// Rotary frequencies of a model: plain, linearly scaled, or YaRN (Peng et al. 2023, arXiv 2309.00071), as
// transformers' modeling_rope_utils computes them.
#pragma once

#include <vector>

#include "models/config.h"

namespace ink {

struct RotaryFrequencies {
  std::vector<float> inv_freq;  // [head_dim / 2]
  float magnitude = 1.0f;       // YaRN's attention factor: multiplies cosines and sines
};

RotaryFrequencies rotary_frequencies(const ModelConfig& config);

}  // namespace ink
