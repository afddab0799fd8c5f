// What is wrong with a checkpoint is said before anything runs: configurations that cannot be, architectures
// we do not have, and every missing or misshapen tensor at once. Each case edits the config of a golden
// model.
#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "models/qwen3.h"
#include "tests/golden_folder.h"

namespace ink {
namespace {

namespace fs = std::filesystem;

class LoadingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) / "inkstone-loading-test";
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  // A copy of a golden model whose config.json was edited.
  Checkpoint edited(const std::string& architecture, const std::function<void(Json&)>& edit) {
    for (const auto& models : testing::require_golden_paths("models")) {
      for (const auto& entry : fs::directory_iterator(models)) {
        auto text = read_text_file(entry.path() / "config.json", 1 << 20);
        if (!text.ok() || text->find(architecture) == std::string::npos) continue;
        Json config = *parse_json(*text, "config.json");
        edit(config);
        std::ofstream(folder_ / "config.json") << config.dump();
        fs::copy_file(entry.path() / "model.safetensors", folder_ / "model.safetensors",
                      fs::copy_options::overwrite_existing);
        auto checkpoint = Checkpoint::open(folder_);
        EXPECT_TRUE(checkpoint.ok()) << checkpoint.error().message();
        return std::move(*checkpoint);
      }
    }
    ADD_FAILURE() << "no golden model with " << architecture;
    std::abort();
  }

  Error config_error(const std::function<void(Json&)>& edit,
                     const std::string& architecture = "Qwen3ForCausalLM") {
    const auto config = read_config(edited(architecture, edit));
    EXPECT_FALSE(config.ok());
    return config.ok() ? Error{} : config.error();
  }

  Error load_error(const std::function<void(Json&)>& edit,
                   const std::string& architecture = "Qwen3ForCausalLM") {
    const Checkpoint checkpoint = edited(architecture, edit);
    const auto config = read_config(checkpoint);
    EXPECT_TRUE(config.ok()) << config.error().message();
    ThreadPool threads(1);
    const auto model = Qwen3Model::load(checkpoint, *config, Arithmetic::kFast, threads, {});
    EXPECT_FALSE(model.ok());
    return model.ok() ? Error{} : model.error();
  }

  fs::path folder_;
};

TEST_F(LoadingTest, BothStylesOfConfigDescribeTheSameModel) {
  for (const auto& models : testing::require_golden_paths("models")) {
    for (const auto& entry : fs::directory_iterator(models)) {
      const auto newer = Checkpoint::open(entry.path());
      if (!newer.ok() || !read_config(*newer).ok() ||
          !fs::exists(entry.path() / "config.published_style.json"))
        continue;
      fs::copy_file(entry.path() / "config.published_style.json", folder_ / "config.json",
                    fs::copy_options::overwrite_existing);
      fs::copy_file(entry.path() / "model.safetensors", folder_ / "model.safetensors",
                    fs::copy_options::overwrite_existing);
      const auto published = Checkpoint::open(folder_);
      const auto a = read_config(*newer);
      const auto b = read_config(*published);
      ASSERT_TRUE(b.ok()) << entry.path() << b.error().message();
      EXPECT_EQ(a->rope_theta, b->rope_theta) << entry.path();
      EXPECT_EQ(a->rope_scaling.kind, b->rope_scaling.kind) << entry.path();
      EXPECT_EQ(a->rope_scaling.factor, b->rope_scaling.factor) << entry.path();
      EXPECT_EQ(a->rope_scaling.original_max_position_embeddings,
                b->rope_scaling.original_max_position_embeddings);
      EXPECT_EQ(a->num_experts, b->num_experts) << entry.path();
      EXPECT_EQ(a->norm_topk_prob, b->norm_topk_prob) << entry.path();
      EXPECT_EQ(a->head_dim, b->head_dim) << entry.path();
    }
  }
}

TEST_F(LoadingTest, AnotherArchitectureIsNamedWithWhatIsSupported) {
  const Error error = config_error([](Json& c) { c["architectures"] = {"LlamaForCausalLM"}; });
  EXPECT_EQ(error.kind, ErrorKind::kUnsupported);
  EXPECT_NE(error.message().find("LlamaForCausalLM"), std::string::npos);
  EXPECT_NE(error.message().find("Qwen3MoeForCausalLM"), std::string::npos);
}

TEST_F(LoadingTest, ImpossibleNumbersAreRefusedByName) {
  const std::pair<const char*, Json> cases[] = {
      {"hidden_size", 0},
      {"hidden_size", -64},
      {"vocab_size", "many"},
      {"num_hidden_layers", 1000000},
      {"num_hidden_layers", 0},
      {"num_attention_heads", 3},
      {"head_dim", 31},
      {"rms_norm_eps", -1.0},
      {"num_key_value_heads", 0},
      {"max_position_embeddings", 9223372036854775807},
      {"intermediate_size", 1e30},
      {"vocab_size", 18446744073709551615u},
  };
  for (const auto& [name, value] : cases) {
    const Error error = config_error([&](Json& c) { c[name] = value; });
    EXPECT_EQ(error.kind, ErrorKind::kInvalid) << name;
    EXPECT_NE(error.message().find(name), std::string::npos) << error.message();
  }
}

TEST_F(LoadingTest, WhatWeDoNotComputeIsRefused) {
  EXPECT_EQ(config_error([](Json& c) { c["use_sliding_window"] = true; }).kind, ErrorKind::kUnsupported);
  EXPECT_EQ(config_error([](Json& c) { c["hidden_act"] = "gelu"; }).kind, ErrorKind::kUnsupported);
  EXPECT_EQ(config_error([](Json& c) {
              c["quantization_config"] = {{"quant_method", "bitsandbytes"}};
            }).kind,
            ErrorKind::kUnsupported);
  EXPECT_EQ(config_error([](Json& c) {
              c["rope_parameters"] = {{"rope_type", "longrope"}};
            }).kind,
            ErrorKind::kUnsupported);
}

TEST_F(LoadingTest, EveryWrongShapeIsReportedAtOnce) {
  const Error error = load_error([](Json& c) { c["intermediate_size"] = 224; });
  for (const char* name : {"layers.0.mlp.gate_proj", "layers.0.mlp.up_proj", "layers.0.mlp.down_proj",
                           "layers.1.mlp.down_proj", "expected [224, "}) {
    EXPECT_NE(error.message().find(name), std::string::npos) << name << " in " << error.message();
  }
  EXPECT_EQ(error.kind, ErrorKind::kInvalid);
}

TEST_F(LoadingTest, EveryMissingTensorIsReportedAtOnce) {
  const Error error =
      load_error([](Json& c) { c["num_hidden_layers"] = c["num_hidden_layers"].get<int>() + 1; });
  EXPECT_EQ(error.kind, ErrorKind::kNotFound);
  for (const char* name : {"input_layernorm", "q_proj", "k_norm", "o_proj", "down_proj", "11 tensors"}) {
    EXPECT_NE(error.message().find(name), std::string::npos) << name << " in " << error.message();
  }
}

// Numbers that are not finite are found while loading, in matrices, norms and the embedding, all at once.
TEST_F(LoadingTest, EveryTensorWithNumbersThatAreNotFiniteIsNamed) {
  const std::vector<std::string> broken = {"model.embed_tokens", "model.layers.0.self_attn.q_norm",
                                           "model.layers.1.mlp.down_proj", "model.layers.1.self_attn.k_proj"};
  std::vector<std::pair<int64_t, uint16_t>> patches;  // place in the file, bits: the last number of each
  {
    const Checkpoint whole = edited("Qwen3ForCausalLM", [](Json&) {});
    const std::byte* end = nullptr;
    for (const FileTensor& tensor : whole.tensors())
      end = std::max(end, tensor.bytes.data() + tensor.bytes.size());
    for (const std::string& name : broken) {
      const auto bytes = whole.find(name + ".weight")->bytes;
      patches.emplace_back(bytes.data() + bytes.size() - end, 0x7fc0);  // NaN in F32 and BF16
    }
  }
  const fs::path path = folder_ / "model.safetensors";
  const auto size_bytes = static_cast<int64_t>(fs::file_size(path));
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  for (const auto& [place, bits] : patches) {
    file.seekp(size_bytes + place - 2);
    file.write(reinterpret_cast<const char*>(&bits), sizeof bits);
  }
  file.close();
  const auto checkpoint = Checkpoint::open(folder_);
  const auto config = read_config(*checkpoint);
  ThreadPool threads(2);
  const auto model = Qwen3Model::load(*checkpoint, *config, Arithmetic::kFast, threads, {});
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().kind, ErrorKind::kInvalid);
  for (const std::string& name : broken) {
    EXPECT_NE(model.error().message().find(name), std::string::npos)
        << name << " in " << model.error().message();
  }
  EXPECT_NE(model.error().message().find("column"), std::string::npos) << model.error().message();
}

TEST_F(LoadingTest, ATensorThatIsUsedTwiceIsReportedOnce) {
  const Error error = load_error([](Json& c) {
    c["tie_word_embeddings"] = true;
    c["vocab_size"] = c["vocab_size"].get<int>() + 1;
  });
  EXPECT_NE(error.message().find("1 tensors are wrong: model.embed_tokens.weight: "), std::string::npos)
      << error.message();
}

TEST_F(LoadingTest, MissingExpertsAreNamed) {
  const Error error =
      load_error([](Json& c) { c["num_experts"] = c["num_local_experts"] = 64; }, "Qwen3MoeForCausalLM");
  EXPECT_NE(error.message().find("mlp.experts."), std::string::npos) << error.message();
  EXPECT_NE(error.message().find("mlp.gate.weight: expected [64, "), std::string::npos) << error.message();
}

TEST(GgufNames, TranslateTheCheckpointsNames) {
  EXPECT_EQ(gguf_name("model.embed_tokens.weight"), "token_embd.weight");
  EXPECT_EQ(gguf_name("lm_head.weight"), "output.weight");
  EXPECT_EQ(gguf_name("model.layers.17.self_attn.q_norm.weight"), "blk.17.attn_q_norm.weight");
  EXPECT_EQ(gguf_name("model.layers.3.self_attn.o_proj.bias"), "blk.3.attn_output.bias");
  // A model that was saved without its head.
  EXPECT_EQ(gguf_name("embed_tokens.weight"), "token_embd.weight");
  EXPECT_EQ(gguf_name("norm.weight"), "output_norm.weight");
  EXPECT_EQ(gguf_name("layers.0.mlp.down_proj.weight"), "blk.0.ffn_down.weight");
  EXPECT_EQ(gguf_name("score.weight"), "cls.output.weight");
  EXPECT_EQ(gguf_name("layers.0.unknown.weight"), "layers.0.unknown.weight");
  EXPECT_EQ(gguf_name("model.layers.3.mlp.experts.up_proj.weight"), "blk.3.ffn_up_exps.weight");
  EXPECT_EQ(gguf_name("model.layers.3.something.else.weight"), "model.layers.3.something.else.weight");
}

}  // namespace
}  // namespace ink
