// Quantizing whole models: what is written is a complete model in every type, from both kinds of files; what
// must not be done is refused and leaves nothing behind.
#include "runtime/quantize.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "models/synth.h"
#include "runtime/divergence.h"
#include "runtime/engine.h"
#include "runtime/importance_collector.h"
#include "runtime/scheduler.h"
#include "tensor/gguf_writer.h"
#include "tensor/quants.h"
#include "tests/tensor/checkpoint_samples.h"

namespace ink {
namespace {

namespace fs = std::filesystem;

// hidden 256 fills the blocks of the K types, feed-forward 96 does not.
ModelConfig small_config(int64_t experts) {
  ModelConfig config = *find_known_shape(experts > 0 ? "30b-a3b" : "0.6b");
  config.vocab_size = 512;
  config.hidden_size = 256;
  config.intermediate_size = 96;
  config.num_hidden_layers = 3;
  config.num_attention_heads = 4;
  config.num_key_value_heads = 2;
  config.head_dim = 64;
  config.max_position_embeddings = 256;
  config.num_experts = experts;
  config.num_experts_per_tok = experts > 0 ? 2 : 0;
  config.moe_intermediate_size = experts > 0 ? 96 : 0;
  return config;
}

class QuantizeTest : public ::testing::Test {
 protected:
  fs::path write_model(const std::string& name, CheckpointFormat format, int64_t experts = 0) {
    SynthOptions options;
    options.name = "small";
    options.config = small_config(experts);
    options.format = format;
    options.types = {Dtype::kF32, Dtype::kF32, false};
    const Status written = write_synthetic(folder_ / name, options, make_synth_vocabulary(512));
    EXPECT_TRUE(written.ok()) << written.error().message();
    return folder_ / name;
  }
  fs::path gguf_model() { return write_model("source.gguf", CheckpointFormat::kGguf); }

  static QuantizeOptions options(const char* recipe) {
    QuantizeOptions options;
    options.recipe = *find_recipe(recipe);
    options.threads = 2;
    return options;
  }

  std::vector<QuantizedTensor> good(const fs::path& source, const fs::path& to, const QuantizeOptions& how) {
    auto checkpoint = Checkpoint::open(source);
    EXPECT_TRUE(checkpoint.ok());
    auto report = quantize(*checkpoint, to, how);
    EXPECT_TRUE(report.ok()) << report.error().message();
    return report.ok() ? *report : std::vector<QuantizedTensor>();
  }

  Error refused(const fs::path& source, const fs::path& to, const QuantizeOptions& how) {
    const auto checkpoint = Checkpoint::open(source);
    EXPECT_TRUE(checkpoint.ok()) << checkpoint.error().message();
    const auto report = quantize(*checkpoint, to, how);
    EXPECT_FALSE(report.ok());
    for (const auto& entry : fs::directory_iterator(folder_.path()))
      EXPECT_EQ(entry.path().string().find(".partial"), std::string::npos) << entry.path();
    return report.ok() ? Error{} : report.error();
  }

  // A copy of the small model with one number of one tensor changed.
  fs::path damaged(const std::string& tensor, size_t element, float value) {
    const fs::path path = gguf_model();
    std::string bytes = testing::read_bytes(path);
    const auto checkpoint = Checkpoint::open(path);
    const FileTensor* found = checkpoint->find(tensor);
    const FileTensor& last = checkpoint->tensors().back();  // the file ends with it
    const size_t place =
        bytes.size() - static_cast<size_t>(last.bytes.data() + last.bytes.size() - found->bytes.data());
    std::memcpy(bytes.data() + place + 4 * element, &value, sizeof value);
    testing::write_bytes(folder_ / "damaged.gguf", bytes);
    return folder_ / "damaged.gguf";
  }

  testing::TemporaryFolder folder_;
};

std::vector<int32_t> sample_ids(size_t count) {
  std::vector<int32_t> ids(count);
  for (size_t i = 0; i < count; ++i) ids[i] = static_cast<int32_t>((i * 89 + i * i * 7) % 256);
  return ids;
}

std::vector<float> all_logits(const fs::path& path, const std::vector<int32_t>& ids) {
  EngineOptions options;
  options.threads = 1;
  options.context_tokens = 64;
  auto engine = Engine::open(*Checkpoint::open(path), options);
  EXPECT_TRUE(engine.ok()) << engine.error().message();
  auto scheduler = Scheduler::create(*engine);
  const int sequence = *(*scheduler)->open_sequence();
  std::vector<float> logits;
  const Feed feed{sequence, ids, true};
  const Status fed = (*scheduler)->forward(std::span(&feed, 1), [&](size_t, int64_t, std::span<float> row) {
    logits.insert(logits.end(), row.begin(), row.end());
    return true;
  });
  EXPECT_TRUE(fed.ok());
  return logits;
}

double mean_divergence(const std::vector<float>& reference, const std::vector<float>& logits) {
  double sum = 0;
  const size_t vocab = 512, rows = logits.size() / vocab;
  for (size_t r = 0; r < rows; ++r)
    sum += compare_predictions(std::span(reference).subspan(r * vocab, vocab),
                               std::span(logits).subspan(r * vocab, vocab), 0)
               .divergence;
  return sum / static_cast<double>(rows);
}

TEST_F(QuantizeTest, EveryRecipeWritesAModelThatRuns) {
  const fs::path source = gguf_model();
  const auto ids = sample_ids(24);
  const auto exact = all_logits(source, ids);
  for (const std::string& name : recipe_names()) {
    const fs::path path = folder_ / (name + ".gguf");
    const auto report = good(source, path, options(name.c_str()));
    const auto written = Checkpoint::open(path);
    ASSERT_TRUE(written.ok()) << written.error().message();
    EXPECT_EQ(written->meta_int("general.file_type"), find_recipe(name)->file_type) << name;
    EXPECT_EQ(report.size(), written->tensors().size());
    for (const QuantizedTensor& tensor : report) {
      const FileTensor* found = written->find(tensor.name);
      ASSERT_NE(found, nullptr) << tensor.name;
      EXPECT_EQ(found->dtype, tensor.to);
      EXPECT_EQ(found->bytes.size(), tensor.size_bytes);
      EXPECT_LT(tensor.error, 0.09) << name << " " << tensor.name;
      EXPECT_TRUE(tensor.to != Dtype::kF32 || tensor.error == 0) << tensor.name;
    }
    EXPECT_LT(mean_divergence(exact, all_logits(path, ids)), 0.02) << name;
  }
}

TEST_F(QuantizeTest, MetadataIsKeptAsItIs) {
  const fs::path source = gguf_model();
  good(source, folder_ / "out.gguf", options("q8_0"));
  const auto before = Checkpoint::open(source), after = Checkpoint::open(folder_ / "out.gguf");
  for (const EncodedMeta& entry : before->encoded_metadata()) {
    const auto& others = after->encoded_metadata();
    const auto same = std::find_if(others.begin(), others.end(),
                                   [&](const EncodedMeta& other) { return other.key == entry.key; });
    ASSERT_NE(same, others.end()) << entry.key;
    EXPECT_TRUE(std::ranges::equal(entry.value, same->value)) << entry.key;
  }
  // Once more, over its own result: what says how tensors are stored is replaced, not repeated.
  auto again = options("Q4_0");
  again.allow_requantize = true;
  good(folder_ / "out.gguf", folder_ / "again.gguf", again);
  EXPECT_EQ(Checkpoint::open(folder_ / "again.gguf")->meta_int("general.file_type"), 2);
}

TEST_F(QuantizeTest, AFolderGivesTheSameTensorsAsAGguf) {
  for (const int64_t experts : {0, 4}) {
    const std::string tag = std::to_string(experts);
    const fs::path one = write_model("one" + tag + ".gguf", CheckpointFormat::kGguf, experts);
    const fs::path two = write_model("two" + tag, CheckpointFormat::kSafetensors, experts);
    good(one, folder_ / "a.gguf", options("Q4_K_M"));
    good(two, folder_ / "b.gguf", options("Q4_K_M"));
    const auto a = Checkpoint::open(folder_ / "a.gguf"), b = Checkpoint::open(folder_ / "b.gguf");
    EXPECT_EQ(a->tensors().size(), b->tensors().size());
    for (const FileTensor& tensor : a->tensors()) {
      const FileTensor* other = b->find(tensor.name);
      ASSERT_NE(other, nullptr) << tensor.name;
      EXPECT_EQ(other->shape, tensor.shape) << tensor.name;
      EXPECT_TRUE(std::ranges::equal(other->bytes, tensor.bytes)) << tensor.name;
    }
    const auto ids = sample_ids(12);
    EXPECT_EQ(all_logits(folder_ / "a.gguf", ids), all_logits(folder_ / "b.gguf", ids));
    for (const char* key : {"tokenizer.ggml.tokens", "tokenizer.ggml.merges", "tokenizer.ggml.token_type"})
      EXPECT_EQ(*a->meta_array(key), *b->meta_array(key)) << key;
    EXPECT_EQ(b->meta_string("general.architecture"), experts > 0 ? "qwen3moe" : "qwen3");
    EXPECT_EQ(b->meta_float("general.sampling.temp"), static_cast<double>(0.6f));
  }
}

TEST_F(QuantizeTest, ThreadsDoNotChangeTheFile) {
  const fs::path source = gguf_model();
  for (const int threads : {1, 3}) {
    auto how = options("Q4_K_M");
    how.threads = threads;
    good(source, folder_ / std::to_string(threads), how);
  }
  EXPECT_EQ(testing::read_bytes(folder_ / "1"), testing::read_bytes(folder_ / "3"));
}

TEST_F(QuantizeTest, WishesWin) {
  auto how = options("Q4_K_M");
  how.wishes.token_embedding = Dtype::kQ5_K;
  how.wishes.by_name.emplace_back(std::regex("blk\\.[01]\\.attn_k"), Dtype::kQ8_0);
  good(gguf_model(), folder_ / "out.gguf", how);
  const auto written = Checkpoint::open(folder_ / "out.gguf");
  EXPECT_EQ(written->find("token_embd.weight")->dtype, Dtype::kQ5_K);
  EXPECT_EQ(written->find("blk.1.attn_k.weight")->dtype, Dtype::kQ8_0);
  EXPECT_EQ(written->find("blk.2.attn_k.weight")->dtype, Dtype::kQ4_K);
  EXPECT_EQ(written->find("blk.1.attn_k_norm.weight")->dtype, Dtype::kF32);
}

TEST_F(QuantizeTest, AnImportanceMatrixLowersTheWeightedErrors) {
  for (const int64_t experts : {0, 4}) {
    const fs::path source = write_model(std::to_string(experts) + ".gguf", CheckpointFormat::kGguf, experts);
    EngineOptions engine_options;
    engine_options.threads = 2;
    engine_options.context_tokens = 32;
    const auto engine = Engine::open(*Checkpoint::open(source), engine_options);
    ASSERT_TRUE(engine.ok());
    CollectOptions collect;
    collect.dataset = "numbers";
    const auto importance = collect_importance(*engine, sample_ids(100), collect);
    ASSERT_TRUE(importance.ok()) << importance.error().message();
    EXPECT_EQ(importance->chunks, 3u);
    EXPECT_EQ(importance->chunk_tokens, 32u);
    ASSERT_TRUE(write_importance(folder_ / "imatrix.gguf", *importance).ok());
    const auto read = read_importance(folder_ / "imatrix.gguf");
    ASSERT_TRUE(read.ok()) << read.error().message();
    EXPECT_EQ(read->datasets, std::vector<std::string>{"numbers"});
    EXPECT_EQ(read->entries.at("blk.0.attn_q.weight").counts, std::vector<float>{96});
    if (experts > 0) {
      const auto& counts = read->entries.at("blk.1.ffn_up_exps.weight").counts;
      EXPECT_EQ(counts.size(), 4u);
      EXPECT_EQ(counts[0] + counts[1] + counts[2] + counts[3], 2 * 96.0f);  // two experts a token
    }
    auto how = options("Q4_K_M");
    how.importance = &*read;
    how.importance_name = "imatrix.gguf";
    double weighted = 0, plain = 0;
    for (const auto& tensor : good(source, folder_ / "with.gguf", how)) {
      if (!dtype_info(tensor.to).is_quantized) continue;
      EXPECT_TRUE(tensor.has_importance || tensor.name == "token_embd.weight") << tensor.name;
      weighted += tensor.weighted_error;
      plain += tensor.error;
    }
    EXPECT_LT(weighted, plain);
    const auto written = Checkpoint::open(folder_ / "with.gguf");
    EXPECT_EQ(written->meta_string("quantize.imatrix.file"), "imatrix.gguf");
    EXPECT_EQ(written->meta_int("quantize.imatrix.chunks_count"), 3);
  }
}

TEST_F(QuantizeTest, AnotherModelsImportanceIsRefused) {
  ImportanceMatrix importance;
  importance.entries["blk.0.attn_q.weight"] = {1, 128, std::vector<float>(128, 1.0f), {1.0f}};
  auto how = options("Q4_K_M");
  how.importance = &importance;
  const Error error = refused(gguf_model(), folder_ / "out.gguf", how);
  EXPECT_NE(error.message().find("blk.0.attn_q.weight"), std::string::npos) << error.message();
  EXPECT_FALSE(fs::exists(folder_ / "out.gguf"));
}

TEST_F(QuantizeTest, NotOntoTheSource) {
  const fs::path source = gguf_model();
  const std::string before = testing::read_bytes(source);
  fs::create_symlink(source, folder_ / "link.gguf");
  fs::create_hard_link(source, folder_ / "hard.gguf");
  for (const char* name : {"source.gguf", "link.gguf", "hard.gguf"})
    EXPECT_EQ(refused(source, folder_ / name, options("Q4_0")).kind, ErrorKind::kInvalid) << name;
  const fs::path folder = write_model("folder", CheckpointFormat::kSafetensors);
  refused(folder, folder / "model.safetensors", options("Q4_0"));
  refused(folder, folder, options("Q4_0"));
  EXPECT_EQ(testing::read_bytes(source), before);
}

TEST_F(QuantizeTest, QuantizedWeightsNeedPermission) {
  const fs::path source = gguf_model();
  good(source, folder_ / "q8.gguf", options("Q8_0"));
  const Error error = refused(folder_ / "q8.gguf", folder_ / "q4.gguf", options("Q4_K_M"));
  EXPECT_NE(error.message().find("--allow-requantize"), std::string::npos);
  good(folder_ / "q8.gguf", folder_ / "same.gguf", options("Q8_0"));  // nothing is quantized twice
  const auto first = Checkpoint::open(folder_ / "q8.gguf"), second = Checkpoint::open(folder_ / "same.gguf");
  for (const FileTensor& tensor : first->tensors())
    EXPECT_TRUE(std::ranges::equal(tensor.bytes, second->find(tensor.name)->bytes)) << tensor.name;
}

TEST_F(QuantizeTest, WeightsThatAreNotNumbersAreNamed) {
  for (const char* tensor : {"blk.1.ffn_down.weight", "blk.2.attn_norm.weight"}) {
    for (const float strange : {std::nanf(""), -std::numeric_limits<float>::infinity()}) {
      const Error error = refused(damaged(tensor, 7, strange), folder_ / "out.gguf", options("Q4_K_M"));
      EXPECT_EQ(error.kind, ErrorKind::kInvalid);
      EXPECT_NE(error.message().find(tensor), std::string::npos) << error.message();
      EXPECT_FALSE(fs::exists(folder_ / "out.gguf"));
      fs::remove(folder_ / "source.gguf");
    }
  }
}

TEST_F(QuantizeTest, StoppingAndFailingLeaveNothing) {
  const fs::path source = gguf_model();
  auto stopped = options("Q4_0");
  stopped.progress = [](double fraction) { return fraction < 0.5; };
  testing::write_bytes(folder_ / "old.gguf", "what was there before");
  EXPECT_EQ(refused(source, folder_ / "old.gguf", stopped).kind, ErrorKind::kCancelled);
  EXPECT_EQ(testing::read_bytes(folder_ / "old.gguf"), "what was there before");
  EXPECT_EQ(refused(source, folder_ / "no/such/folder.gguf", options("Q4_0")).kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace ink
