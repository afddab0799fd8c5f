// Quantized safetensors checkpoints: the values of matrices as each format's own code unpacks them, what
// becomes of them in integers, and checkpoints that contradict themselves. Each case of the last kind edits a
// golden one.
#include "models/quantized_weights.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>

#include "models/qwen3.h"
#include "tensor/safetensors_writer.h"
#include "tests/golden_folder.h"

namespace ink {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> golden_models() {
  std::vector<fs::path> found;
  for (const auto& folder : testing::require_golden_paths("quantized_models")) {
    for (const auto& entry : fs::directory_iterator(folder)) found.push_back(entry.path());
  }
  return found;
}

float float_at(const FileTensor& tensor, int64_t index) {
  float value = 0;
  std::memcpy(&value, tensor.bytes.data() + index * 4, sizeof value);
  return value;
}

// Calls `check` with each recorded matrix of each golden checkpoint: its rows and the reference's values.
int for_each_recorded(const std::function<void(const WeightRows&, const FileTensor&)>& check) {
  int count = 0;
  for (const fs::path& folder : golden_models()) {
    const auto checkpoint = Checkpoint::open(folder);
    const auto golden = Checkpoint::open(folder / "golden.safetensors");
    const auto config = read_config(*checkpoint);
    EXPECT_TRUE(config.ok()) << config.error().message();
    for (const FileTensor& values : golden->tensors()) {
      constexpr std::string_view kPrefix = "weights.";
      if (!values.name.starts_with(kPrefix)) continue;
      const std::string name = values.name.substr(kPrefix.size());
      SCOPED_TRACE(folder.filename().string() + ": " + name);
      WeightProblems problems;
      const auto rows = open_quantized(*checkpoint, config->quantization,
                                       {name, values.shape[0], values.shape[1]}, problems);
      EXPECT_TRUE(problems.list.empty()) << problems.report("it").error().message();
      if (rows == nullptr) continue;
      check(*rows, values);
      ++count;
    }
  }
  return count;
}

TEST(GoldenQuantizedWeights, FloatsAreTheReferencesBitForBit) {
  const int count = for_each_recorded([](const WeightRows& rows, const FileTensor& values) {
    std::vector<float> row(static_cast<size_t>(rows.cols()));
    int64_t different = 0;
    for (int64_t r = 0; r < rows.rows(); ++r) {
      rows.read_floats(r, row.data());
      for (int64_t c = 0; c < rows.cols(); ++c)
        different += row[static_cast<size_t>(c)] == float_at(values, r * rows.cols() + c) ? 0 : 1;
    }
    EXPECT_EQ(different, 0);
  });
  if (IsSkipped()) return;
  EXPECT_GE(count, 22);
}

// Where groups fit, integers are the same numbers, but for one rounding of an offset; where not, they are
// within half a step of 1/127 of the largest of 32.
TEST(GoldenQuantizedWeights, IntegersAreExactOrRoundedAsStated) {
  std::map<RowKind, int> seen;
  for_each_recorded([&](const WeightRows& rows, const FileTensor&) {
    ++seen[rows.kind()];
    std::vector<float> row(static_cast<size_t>(rows.cols()));
    std::vector<Group32> groups(static_cast<size_t>(rows.cols() / 32));
    double squares = 0;
    double errors = 0;
    for (int64_t r = 0; r < rows.rows(); ++r) {
      rows.read_floats(r, row.data());
      rows.read_groups(r, groups.data());
      for (size_t g = 0; g < groups.size(); ++g) {
        float largest = 0;
        for (size_t i = 0; i < 32; ++i) largest = std::max(largest, std::abs(row[32 * g + i]));
        for (size_t i = 0; i < 32; ++i) {
          const float got =
              groups[g].scale[i / 16] * static_cast<float>(groups[g].q[i]) + groups[g].offset[i / 16];
          const double error = std::abs(static_cast<double>(got) - static_cast<double>(row[32 * g + i]));
          EXPECT_LE(error, static_cast<double>(largest) / (rows.kind() == RowKind::kBytes ? 253.9 : 8e6));
          squares += static_cast<double>(row[32 * g + i]) * static_cast<double>(row[32 * g + i]);
          errors += error * error;
        }
      }
    }
    if (errors > 0) {
      std::printf("kind %d: relative error %.2g\n", static_cast<int>(rows.kind()),
                  std::sqrt(errors / squares));
    }
  });
  if (IsSkipped()) return;
  EXPECT_GT(seen[RowKind::kNibbles], 0);
  EXPECT_GT(seen[RowKind::kBytes], 0);
  EXPECT_GT(seen[RowKind::kFineBytes], 0);
  EXPECT_GT(seen[RowKind::kHalfNibbles], 0);
  EXPECT_GT(seen[RowKind::kHalfBytes], 0);
}

class BrokenCheckpoint : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) / "inkstone-quantized-test";
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  // The message with which a golden checkpoint is refused after an edit of its config and its tensors.
  std::string refusal(const std::string& name, const std::function<void(Json&)>& edit_config,
                      const std::function<void(std::map<std::string, FileTensor>&)>& edit_tensors = {}) {
    const fs::path golden = testing::require_golden_paths("quantized_models/" + name).front();
    const auto original = Checkpoint::open(golden);
    Json config = *original->read_json("config.json");
    edit_config(config.contains("quantization") ? config["quantization"] : config["quantization_config"]);
    std::ofstream(folder_ / "config.json") << config.dump();
    std::map<std::string, FileTensor> tensors;
    for (const FileTensor& tensor : original->tensors()) tensors.emplace(tensor.name, tensor);
    if (edit_tensors) edit_tensors(tensors);
    write(tensors);
    const auto checkpoint = Checkpoint::open(folder_);
    EXPECT_TRUE(checkpoint.ok()) << checkpoint.error().message();
    const auto read = read_config(*checkpoint);
    if (!read.ok()) return read.error().message();
    ThreadPool threads(2);
    const auto model = Qwen3Model::load(*checkpoint, *read, Arithmetic::kFast, threads, {});
    return model.ok() ? "" : model.error().message();
  }

  void write(const std::map<std::string, FileTensor>& tensors) {
    SafetensorsWriter writer;
    std::vector<std::span<const std::byte>> bytes;
    for (const auto& [name, tensor] : tensors) {
      writer.add_tensor({name, tensor.dtype, tensor.shape});
      bytes.push_back(tensor.bytes);
    }
    const auto written =
        writer.write(folder_ / "model.safetensors",
                     [&](size_t index, const TensorSink& sink) { return sink(bytes[index]); });
    ASSERT_TRUE(written.ok()) << written.error().message();
  }

  // Another copy of a tensor's bytes with one element replaced.
  template <typename T>
  void replace(FileTensor& tensor, int64_t index, T value) {
    auto& copy = copies_.emplace_back(tensor.bytes.begin(), tensor.bytes.end());
    std::memcpy(copy.data() + index * static_cast<int64_t>(sizeof(T)), &value, sizeof(T));
    tensor.bytes = copy;
  }

  fs::path folder_;
  std::deque<std::vector<std::byte>> copies_;
};

void expect_words(const std::string& message, std::initializer_list<const char*> words) {
  for (const char* word : words)
    EXPECT_NE(message.find(word), std::string::npos) << word << " in: " << message;
}

TEST_F(BrokenCheckpoint, AnUneditedOneLoads) {
  for (const fs::path& folder : golden_models())
    EXPECT_EQ(refusal(folder.filename().string(), [](Json&) {}), "") << folder;
}

TEST_F(BrokenCheckpoint, AWrongGroupSizeIsSaidForEveryMatrixAtOnce) {
  expect_words(refusal("gptq_4bit_act_order", [](Json& c) { c["group_size"] = 64; }),
               {"layers.0.self_attn.q_proj.scales: expected [1, 64] (4 bits in groups of 64), got [2, 64]",
                "layers.0.self_attn.q_proj.qzeros", "layers.1.mlp.up_proj.scales", "28 tensors are wrong"});
  expect_words(refusal("awq", [](Json& c) { c["group_size"] = 32; }), {"down_proj.qzeros: expected [4, 8]"});
  expect_words(refusal("mlx_experts", [](Json& c) { c["group_size"] = 128; }),
               {"mlp.switch_mlp.gate_proj.scales: expected [4, 32, 1]"});
  expect_words(refusal("fp8_blocks",
                       [](Json& c) {
                         c["weight_block_size"] = {64, 64};
                       }),
               {"q_proj.weight_scale_inv: expected [1, 3] (e4m3 in blocks of 64x64), got [1, 2]"});
}

TEST_F(BrokenCheckpoint, WrongBitsAndShapesAreNamed) {
  expect_words(refusal("gptq_8bit_offsets", [](Json& c) { c["bits"] = 4; }),
               {"k_proj.qweight: expected [8, 32]", "got [16, 32]"});
  const auto drop = [](const char* name) {
    return [name](std::map<std::string, FileTensor>& tensors) { tensors.erase(name); };
  };
  expect_words(refusal(
                   "awq", [](Json&) {}, drop("model.layers.1.mlp.up_proj.qzeros")),
               {"up_proj.qzeros: missing"});
  expect_words(refusal(
                   "compressed_w4a16", [](Json&) {}, drop("model.layers.0.mlp.up_proj.weight_packed")),
               {"up_proj.weight_packed: missing"});
  expect_words(refusal(
                   "mlx_mixed", [](Json&) {}, drop("model.embed_tokens.biases")),
               {"embed_tokens.biases: missing"});
  expect_words(refusal(
                   "fp8_blocks", [](Json&) {},
                   [](std::map<std::string, FileTensor>& tensors) {
                     tensors["model.layers.0.mlp.up_proj.weight"].dtype = Dtype::kI8;
                   }),
               {"up_proj.weight: type I8 is not expected here"});
}

TEST_F(BrokenCheckpoint, AGroupOutOfRangeIsNamed) {
  for (const int32_t group : {2, -2, std::numeric_limits<int32_t>::max()}) {
    expect_words(refusal(
                     "gptq_4bit_act_order", [](Json&) {},
                     [&](std::map<std::string, FileTensor>& tensors) {
                       replace(tensors["model.layers.0.self_attn.k_proj.g_idx"], 33, group);
                     }),
                 {"k_proj.g_idx: column 33 is in group", "of 2"});
  }
}

TEST_F(BrokenCheckpoint, NumbersThatAreNotFiniteAreFoundInEveryPart) {
  constexpr uint16_t kNanHalf = 0x7e01;
  constexpr uint16_t kInfinityBf16 = 0x7f80;
  expect_words(refusal(
                   "gptq_4bit_128", [](Json&) {},
                   [&](std::map<std::string, FileTensor>& tensors) {
                     // group 1 of row 5 in a matrix of 128 rows
                     replace(tensors["model.layers.0.mlp.down_proj.scales"], 128 + 5, kNanHalf);
                     replace(tensors["model.layers.1.mlp.gate_proj.scales"], 7, kNanHalf);
                   }),
               {"model.layers.0.mlp.down_proj: the scale of row 5, column 128 is not finite",
                "model.layers.1.mlp.gate_proj: the scale of row 7, column 0", "2 tensors"});
  expect_words(refusal(
                   "mlx_mixed", [](Json&) {},
                   [&](std::map<std::string, FileTensor>& tensors) {
                     replace(tensors["model.layers.1.self_attn.o_proj.biases"], 3, kInfinityBf16);
                   }),
               {"o_proj: the offset of row 1, column 32 is not finite"});
  expect_words(refusal(
                   "compressed_fp8", [](Json&) {},
                   [&](std::map<std::string, FileTensor>& tensors) {
                     replace(tensors["model.layers.1.self_attn.o_proj.weight"], 64 + 3, uint8_t{0xff});
                   }),
               {"o_proj: row 1, column 3 is not finite"});
  expect_words(refusal(
                   "gptq_4bit_act_order", [](Json&) {},
                   [&](std::map<std::string, FileTensor>& tensors) {
                     replace(tensors["model.layers.1.self_attn.o_proj.scales"], 9, kNanHalf);
                   }),
               {"o_proj: the scale of row 9"});
}

}  // namespace
}  // namespace ink
