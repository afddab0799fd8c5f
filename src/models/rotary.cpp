// See models/rotary.h.
#include "models/rotary.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace ink {
namespace {

// The dimension whose wave turns `rotations` times within the original context.
double correction_dimension(double rotations, const ModelConfig& config) {
  const auto original = static_cast<double>(config.rope_scaling.original_max_position_embeddings);
  return static_cast<double>(config.head_dim) * std::log(original / (rotations * 2 * std::numbers::pi)) /
         (2 * std::log(config.rope_theta));
}

}  // namespace

RotaryFrequencies rotary_frequencies(const ModelConfig& config) {
  const RopeScaling& scaling = config.rope_scaling;
  const int64_t half = config.head_dim / 2;
  RotaryFrequencies result;
  double low = 0;
  double high = 0;
  if (scaling.kind == RopeScaling::Kind::kYarn) {
    low = correction_dimension(scaling.beta_fast, config);
    high = correction_dimension(scaling.beta_slow, config);
    if (scaling.truncate) {
      low = std::floor(low);
      high = std::ceil(high);
    }
    low = std::max(low, 0.0);
    high = std::min(high, static_cast<double>(config.head_dim - 1));
    if (low == high) high += 0.001;
    const double factor = scaling.attention_factor;
    result.magnitude = static_cast<float>(factor != 0 ? factor : 0.1 * std::log(scaling.factor) + 1.0);
  }
  for (int64_t i = 0; i < half; ++i) {
    const float exponent = static_cast<float>(2 * i) / static_cast<float>(config.head_dim);
    const float plain = 1.0f / std::pow(static_cast<float>(config.rope_theta), exponent);
    const float stretched = plain / static_cast<float>(scaling.factor);
    float frequency = plain;
    if (scaling.kind == RopeScaling::Kind::kLinear) frequency = stretched;
    if (scaling.kind == RopeScaling::Kind::kYarn) {
      const auto ramp =
          static_cast<float>(std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0));
      frequency = stretched * ramp + plain * (1.0f - ramp);
    }
    result.inv_freq.push_back(frequency);
  }
  return result;
}

}  // namespace ink
