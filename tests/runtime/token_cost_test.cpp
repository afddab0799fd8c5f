// Bytes and operations of a token, counted by hand for small models of the family's shapes.
#include "runtime/token_cost.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "models/synth.h"

namespace ink {
namespace {

namespace fs = std::filesystem;

class TokenCostTest : public ::testing::Test {
 protected:
  void TearDown() override { fs::remove_all(path_); }

  TokenCost cost_of(const SynthOptions& options) {
    path_ = fs::path(::testing::TempDir()) /
            (options.format == CheckpointFormat::kGguf ? "inkstone-cost.gguf" : "inkstone-cost-folder");
    fs::remove_all(path_);
    const Status written = write_synthetic(path_, options, make_synth_vocabulary(options.config.vocab_size));
    EXPECT_TRUE(written.ok()) << written.error().message();
    const auto checkpoint = Checkpoint::open(path_);
    const auto config = read_config(*checkpoint);
    const TokenCost cost = token_cost(*checkpoint, *config, KvType::kF16);
    fs::remove_all(path_);
    return cost;
  }

  static SynthOptions small(const char* like) {
    SynthOptions options;
    options.name = like;
    options.config = *find_known_shape(like);
    options.config.vocab_size = 512;
    options.config.num_hidden_layers = 2;
    options.config.hidden_size = 64;
    options.config.intermediate_size = 96;
    options.config.num_attention_heads = 4;
    options.config.num_key_value_heads = 2;
    options.config.head_dim = 32;
    return options;
  }

  fs::path path_;
};

constexpr double kAttention = 64 * 128 + 2 * 64 * 64 + 128 * 64;  // q, k and v, o
constexpr double kHead = 512 * 64;
constexpr double kNorms = 2 * (2 * 64 + 2 * 32) + 64;

TEST_F(TokenCostTest, TiedHeadIsReadWhole) {
  const TokenCost cost = cost_of(small("Qwen3-0.6B"));
  const double body = 2 * (kAttention + 3 * 64 * 96);
  EXPECT_EQ(cost.body_operations, 2 * body);
  EXPECT_EQ(cost.head_operations, 2 * kHead);
  EXPECT_EQ(static_cast<double>(cost.weight_bytes), (body + kHead) * 34 / 32 + 4 * kNorms);  // Q8_0
  EXPECT_EQ(cost.score_operations, 4 * 2 * 4 * 32);
  EXPECT_EQ(cost.kv_bytes, 2u * 2 * 2 * 2 * 32);  // keys and values, layers, heads, f16
  EXPECT_FALSE(cost.is_routed);
}

TEST_F(TokenCostTest, OfAnEmbeddingBesideAHeadARowIsRead) {
  const TokenCost cost = cost_of(small("Qwen3-8B"));
  EXPECT_EQ(cost.head_operations, 2 * kHead);
  EXPECT_EQ(static_cast<double>(cost.weight_bytes),
            (2 * (kAttention + 3 * 64 * 96) + kHead) * 34 / 32 + 4 * kNorms);
}

TEST_F(TokenCostTest, OfExpertsTheChosenOnesAreRead) {
  SynthOptions options = small("Qwen3-30B-A3B");
  options.config.num_experts = 16;
  options.config.num_experts_per_tok = 4;
  options.config.moe_intermediate_size = 32;
  const double routers = 2 * 16 * 64;
  const double rest = 2 * (kAttention + 4 * 3 * 64 * 32);
  TokenCost cost = cost_of(options);
  EXPECT_TRUE(cost.is_routed);
  EXPECT_EQ(cost.body_operations, 2 * (routers + rest));
  EXPECT_EQ(static_cast<double>(cost.weight_bytes), (routers + kNorms) * 4 + (rest + kHead) * 34 / 32);
  options.format = CheckpointFormat::kSafetensors;  // one tensor for each expert
  options.types = *find_synth_types("bf16", false);
  cost = cost_of(options);
  EXPECT_EQ(static_cast<double>(cost.weight_bytes), (routers + rest + kHead + kNorms) * 2);
}

TEST_F(TokenCostTest, PromptsNeedTheHeadOnceAndSeeHalfOfThemselves) {
  TokenCost cost;
  cost.body_operations = 100;
  cost.head_operations = 10;
  cost.score_operations = 2;
  EXPECT_EQ(cost.operations(5), 120);
  EXPECT_EQ(cost.prompt_operations(4, 3), 10 + 4 * (100 + 2 * 5.0));
}

}  // namespace
}  // namespace ink
