// Synthetic models have the shapes and types of real ones, and weights of a sane size whatever the type.
#include "models/synth.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "models/weights.h"
#include "tensor/quants.h"

namespace ink {
namespace {

namespace fs = std::filesystem;

SynthOptions options_for(const char* like, const char* types, bool pure = false) {
  SynthOptions options;
  options.name = like;
  options.config = *find_known_shape(like);
  options.types = *find_synth_types(types, pure);
  return options;
}

Dtype type_of(const std::vector<PlannedTensor>& tensors, const std::string& name) {
  for (const auto& tensor : tensors) {
    if (tensor.name == name) return tensor.dtype;
  }
  ADD_FAILURE() << name << " is not planned";
  return Dtype::kI8;
}

TEST(Synth, EveryShapeHasItsParameters) {
  // Of the model cards, in billions.
  const std::pair<const char*, double> cards[] = {{"0.6B", 0.6}, {"1.7B", 1.7}, {"4B", 4.0},      {"8B", 8.2},
                                                  {"14B", 14.8}, {"32B", 32.8}, {"30B-A3B", 30.5}};
  EXPECT_EQ(known_shape_names().size(), std::size(cards));
  for (const auto& [name, billions] : cards) {
    double count = 0;
    for (const auto& tensor : plan_synthetic(options_for(name, "f16"))) {
      double elements = 1;
      for (const int64_t size : tensor.shape) elements *= static_cast<double>(size);
      count += elements;
    }
    EXPECT_NEAR(count / 1e9, billions, 0.05) << name;
  }
}

TEST(Synth, MixesWidenWhatLlamaCppWidens) {
  const auto tensors = plan_synthetic(options_for("Qwen3-0.6B", "Q4_K_M"));
  // What llama-quantize makes of 28 layers.
  const std::vector<int> wide = {0, 1, 2, 5, 8, 11, 14, 17, 20, 23, 24, 25, 26, 27};
  for (int layer = 0; layer < 28; ++layer) {
    const std::string block = "blk." + std::to_string(layer) + ".";
    const bool is_wide = std::find(wide.begin(), wide.end(), layer) != wide.end();
    EXPECT_EQ(type_of(tensors, block + "attn_v.weight"), is_wide ? Dtype::kQ6_K : Dtype::kQ4_K) << layer;
    EXPECT_EQ(type_of(tensors, block + "ffn_down.weight"), is_wide ? Dtype::kQ6_K : Dtype::kQ4_K) << layer;
    EXPECT_EQ(type_of(tensors, block + "attn_q.weight"), Dtype::kQ4_K);
    EXPECT_EQ(type_of(tensors, block + "attn_norm.weight"), Dtype::kF32);
  }
  EXPECT_EQ(type_of(tensors, "token_embd.weight"), Dtype::kQ6_K);  // it is the head
  const auto untied = plan_synthetic(options_for("Qwen3-30B-A3B", "q4_k_m"));
  EXPECT_EQ(type_of(untied, "token_embd.weight"), Dtype::kQ4_K);
  EXPECT_EQ(type_of(untied, "output.weight"), Dtype::kQ6_K);
  EXPECT_EQ(type_of(untied, "blk.0.ffn_down_exps.weight"), Dtype::kQ6_K);
  EXPECT_EQ(type_of(untied, "blk.0.ffn_gate_inp.weight"), Dtype::kF32);
}

TEST(Synth, OlderTypesHaveAWiderHeadUnlessPure) {
  EXPECT_EQ(find_synth_types("Q4_0", false)->head, Dtype::kQ6_K);
  EXPECT_EQ(find_synth_types("q4_0", true)->head, Dtype::kQ4_0);
  EXPECT_EQ(find_synth_types("q8_0", false)->head, Dtype::kQ8_0);
  EXPECT_EQ(find_synth_types("bf16", false)->head, Dtype::kBF16);
  EXPECT_FALSE(find_synth_types("q4_k_m", true));
  EXPECT_FALSE(find_synth_types("q9", false));
}

TEST(Synth, WeightsOfAllKindsAreOfOneSize) {
  const fs::path path = fs::path(::testing::TempDir()) / "inkstone-synth-test.gguf";
  for (const std::string name : {"q4_k_m", "q4_0", "q8_0", "bf16"}) {
    SynthOptions options = options_for("0.6B", name.c_str());
    options.config.num_hidden_layers = 1;
    options.config.vocab_size = 512;
    fs::remove(path);
    ASSERT_TRUE(write_synthetic(path, options, make_synth_vocabulary(512)).ok()) << name;
    const auto checkpoint = Checkpoint::open(path);
    ASSERT_TRUE(checkpoint.ok()) << name;
    for (const char* tensor : {"token_embd.weight", "blk.0.ffn_down.weight", "blk.0.attn_q.weight"}) {
      const FileTensor* found = checkpoint->find(tensor);
      ASSERT_NE(found, nullptr);
      std::vector<float> values(static_cast<size_t>(found->shape[1]));
      dequantize_row(found->dtype, found->bytes.data(), found->shape[1], values.data());
      double sum = 0, squares = 0;
      for (const float value : values) {
        sum += value;
        squares += static_cast<double>(value) * value;
      }
      const auto count = static_cast<double>(values.size());
      EXPECT_NEAR(sum / count, 0, 0.004) << name << " " << tensor;
      EXPECT_NEAR(std::sqrt(squares / count), 0.02, 0.008) << name << " " << tensor;
    }
  }
  fs::remove(path);
}

}  // namespace
}  // namespace ink
