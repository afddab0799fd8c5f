// The Qwen3 causal language model, dense and mixture of experts: embeddings, a stack of decoder layers, a
// norm and a head. Immutable after loading; forward may run on any Ops.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kernels/ops.h"
#include "models/config.h"
#include "models/decoder.h"
#include "models/rotary.h"
#include "models/weights.h"

namespace ink {

// What forward gives for the chosen rows.
enum class ModelOutput {
  kLogits,
  kHidden,  // the state after the final norm [hidden_size]: what embeddings are made of
};

class Qwen3Model {
 public:
  // Loads and packs every weight. Reports all missing or misshapen tensors in one Error. `progress` is called
  // with 0 … 1 while packing. `packed` (may be null): where the packed form is kept.
  static Result<std::unique_ptr<Qwen3Model>> load(const Checkpoint& checkpoint, const ModelConfig& config,
                                                  Arithmetic arithmetic, ThreadPool& threads,
                                                  const std::function<void(double)>& progress,
                                                  const PackedPlace* packed = nullptr);

  const ModelConfig& config() const { return config_; }
  // Logits [batch.output_rows, vocab_size] of the chosen rows, or their hidden states [.., hidden_size];
  // valid until the caller's scope on `op` ends. Logits only where gives_logits().
  Tensor forward(Ops& op, const Batch& batch, ModelOutput output = ModelOutput::kLogits) const;

  bool gives_logits() const { return config_.head == ModelConfig::Head::kVocabulary; }
  // A row [hidden_size] of the head, a token's or a class's, with the file's own values: what a state is
  // multiplied with where only a few rows are wanted. Only where there is a head.
  void read_head_row(int64_t row, float* values) const;

  // The largest scratch a forward of `tokens` tokens with `outputs` output rows takes.
  static uint64_t scratch_bytes(const ModelConfig& config, int64_t tokens, int64_t outputs);
  // What load would make of this checkpoint, without packing it; tensors that are missing or misshapen are
  // left out.
  static PlannedWeights plan_weights(const Checkpoint& checkpoint, const ModelConfig& config,
                                     Arithmetic arithmetic);
  uint64_t weight_bytes() const { return weights_->size_bytes(); }
  const MatrixName* name_of(const PackedMatrix* matrix) const { return weights_->name_of(matrix); }

 private:
  Qwen3Model(const Checkpoint& checkpoint, const ModelConfig& config, Arithmetic arithmetic);

  ModelConfig config_;
  std::unique_ptr<Weights> weights_;
  const WeightRows* embed_tokens_ = nullptr;
  RotaryFrequencies rotary_;
  std::vector<DecoderLayer> layers_;
  Norm norm_;
  Linear lm_head_;
  const WeightRows* head_rows_ = nullptr;  // of lm_head or of the classes
};

}  // namespace ink
