// Which tensor gets which type.
#include "models/recipe.h"

#include <gtest/gtest.h>

namespace ink {
namespace {

ModelConfig config_of(int64_t layers, bool tied, int64_t experts = 0) {
  ModelConfig config;
  config.num_hidden_layers = layers;
  config.tie_word_embeddings = tied;
  config.num_experts = experts;
  return config;
}

Dtype type_in(const char* recipe, const std::string& name, std::vector<int64_t> shape = {512, 1024},
              const ModelConfig& config = config_of(28, true), const TypeWishes& wishes = {}) {
  return recipe_type(*find_recipe(recipe), wishes, config, name, shape);
}

TEST(Recipe, NamesAreFoundInAnyCase) {
  for (const std::string& name : recipe_names()) EXPECT_EQ(find_recipe(name)->name, name);
  EXPECT_STREQ(find_recipe("q4_k_m")->name, "Q4_K_M");
  EXPECT_STREQ(find_recipe("Q4_K")->name, "Q4_K_M");
  EXPECT_STREQ(find_recipe("q5_K")->name, "Q5_K_M");
  for (const char* unknown : {"", "Q4", "Q4_K_M ", "Q9_0"}) EXPECT_FALSE(find_recipe(unknown)) << unknown;
}

TEST(Recipe, BitsGoWhereTheyMatter) {
  EXPECT_EQ(type_in("Q4_K_M", "blk.3.ffn_up.weight"), Dtype::kQ4_K);
  EXPECT_EQ(type_in("Q4_K_M", "blk.3.attn_q.weight"), Dtype::kQ4_K);
  EXPECT_EQ(type_in("Q4_K_M", "blk.3.attn_v.weight"), Dtype::kQ6_K);
  EXPECT_EQ(type_in("Q4_K_M", "blk.3.ffn_down.weight"), Dtype::kQ5_K);
  EXPECT_EQ(type_in("Q4_K_L", "blk.3.attn_output.weight"), Dtype::kQ6_K);
  EXPECT_EQ(type_in("Q6_K", "blk.3.ffn_down.weight"), Dtype::kQ6_K);
}

TEST(Recipe, TheHeadIsTheEmbeddingsWhereThereIsNoOther) {
  EXPECT_EQ(type_in("Q4_K_M", "token_embd.weight", {512, 1024}, config_of(28, true)), Dtype::kQ6_K);
  EXPECT_EQ(type_in("Q4_K_M", "token_embd.weight", {512, 1024}, config_of(28, false)), Dtype::kQ4_K);
  EXPECT_EQ(type_in("Q4_K_M", "output.weight", {512, 1024}, config_of(28, false)), Dtype::kQ6_K);
}

TEST(Recipe, ChosenLayers) {
  int ends = 0, half = 0, outer = 0;
  for (int layer = 0; layer < 28; ++layer) {
    const std::string name = "blk." + std::to_string(layer) + ".ffn_down.weight";
    ends += type_in("Q4_K_S", name) == Dtype::kQ5_K ? 1 : 0;
    half += type_in("Q5_K_M", name) == Dtype::kQ6_K ? 1 : 0;
    outer += type_in("Q4_K_M", name) == Dtype::kQ5_K ? 1 : 0;
  }
  EXPECT_EQ(ends, 8);
  EXPECT_EQ(half, 14);
  EXPECT_EQ(outer, 21);
  EXPECT_EQ(type_in("Q4_K_S", "blk.0.ffn_down.weight", {512, 1024}, config_of(1, true)), Dtype::kQ5_K);
}

TEST(Recipe, AttentionOfAMixtureOfExpertsIsOneStepWider) {
  const ModelConfig experts = config_of(48, false, 128);
  EXPECT_EQ(type_in("Q4_K_M", "blk.3.attn_q.weight", {512, 1024}, experts), Dtype::kQ6_K);
  EXPECT_EQ(type_in("Q4_K_M", "blk.3.attn_v.weight", {512, 1024}, experts), Dtype::kQ8_0);
  EXPECT_EQ(type_in("Q4_K_M", "blk.3.ffn_up_exps.weight", {128, 512, 1024}, experts), Dtype::kQ4_K);
  EXPECT_EQ(type_in("Q4_K_M", "blk.3.ffn_down_exps.weight", {128, 512, 1024}, experts), Dtype::kQ5_K);
}

TEST(Recipe, RowsThatDoNotFillBlocksGetTheNextWiderType) {
  EXPECT_EQ(type_in("Q4_K_M", "blk.3.ffn_up.weight", {512, 160}), Dtype::kQ5_0);
  EXPECT_EQ(type_in("Q5_K_S", "blk.3.ffn_up.weight", {512, 160}), Dtype::kQ5_1);
  EXPECT_EQ(type_in("Q6_K", "blk.3.ffn_up.weight", {512, 160}), Dtype::kQ8_0);
  EXPECT_EQ(type_in("IQ4_XS", "blk.3.ffn_up.weight", {512, 160}), Dtype::kIQ4_NL);
  for (const char* recipe : {"Q4_0", "Q4_K_M", "Q8_0", "IQ4_XS"})
    EXPECT_EQ(type_in(recipe, "blk.3.ffn_up.weight", {512, 33}), Dtype::kF16) << recipe;
  EXPECT_EQ(type_in("BF16", "blk.3.ffn_up.weight", {512, 33}), Dtype::kBF16);
}

TEST(Recipe, WishesCountInOrder) {
  TypeWishes wishes;
  wishes.pure = true;
  wishes.output = Dtype::kQ8_0;
  wishes.by_name.emplace_back(std::regex("attn_.*"), Dtype::kQ5_K);
  wishes.by_name.emplace_back(std::regex("attn_v"), Dtype::kQ8_0);
  const auto type = [&](const char* name) {
    return type_in("Q4_K_M", name, {512, 1024}, config_of(28, false), wishes);
  };
  EXPECT_EQ(type("blk.3.ffn_down.weight"), Dtype::kQ4_K);
  EXPECT_EQ(type("blk.3.attn_v.weight"), Dtype::kQ5_K);
  EXPECT_EQ(type("output.weight"), Dtype::kQ8_0);
  EXPECT_EQ(type("token_embd.weight"), Dtype::kQ4_K);
}

TEST(Recipe, NormsBiasesAndRoutersAreLeftAlone) {
  EXPECT_TRUE(is_quantized_tensor("blk.0.attn_q.weight", {8, 8}));
  EXPECT_TRUE(is_quantized_tensor("blk.0.ffn_up_exps.weight", {4, 8, 8}));
  EXPECT_FALSE(is_quantized_tensor("blk.0.attn_norm.weight", {8}));
  EXPECT_FALSE(is_quantized_tensor("blk.0.attn_q.bias", {8}));
  EXPECT_FALSE(is_quantized_tensor("blk.0.ffn_gate_inp.weight", {4, 8}));
}

}  // namespace
}  // namespace ink
