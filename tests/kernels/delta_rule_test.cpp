// The gated delta rule against the reference's recurrent and chunked forms.
#include "kernels/delta_rule.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "tensor/checkpoint.h"
#include "tests/golden_folder.h"
#include "tests/kernels/kernel_inputs.h"

namespace ink {
namespace {

using testing::index;

constexpr double kTolerance = 1e-5;  // the README's

struct GoldenTensor {
  std::vector<int64_t> shape;
  std::vector<float> values;
};

// Empty when there is no such tensor.
GoldenTensor read(const Checkpoint& golden, const std::string& name) {
  const FileTensor* tensor = golden.find(name);
  if (tensor == nullptr || tensor->dtype != Dtype::kF32) return {};
  GoldenTensor result = {tensor->shape, std::vector<float>(index(tensor->elements()))};
  std::memcpy(result.values.data(), tensor->bytes.data(), tensor->bytes.size());
  return result;
}

void expect_near(const std::vector<float>& got, const GoldenTensor& wanted, const char* what) {
  ASSERT_EQ(got.size(), wanted.values.size()) << what;
  for (size_t i = 0; i < got.size(); ++i)
    ASSERT_NEAR(got[i], wanted.values[i], kTolerance) << what << " at " << i;
}

struct GoldenCase {
  GoldenTensor query, key, value, decay, beta, initial;
  std::vector<float> state;
  std::vector<float> out;

  GoldenCase(const Checkpoint& golden, const std::string& name)
      : query(read(golden, name + ".query")),
        key(read(golden, name + ".key")),
        value(read(golden, name + ".value")),
        decay(read(golden, name + ".decay")),
        beta(read(golden, name + ".beta")),
        initial(read(golden, name + ".initial_state")) {}

  bool complete() const { return query.shape.size() == 3 && value.shape.size() == 3; }

  // `piece` tokens to a call, with the state carried over.
  void execute(int64_t piece) {
    const int64_t tokens = query.shape[0], key_heads = query.shape[1], key_size = query.shape[2];
    const int64_t value_heads = value.shape[1], value_size = value.shape[2];
    state = initial.values;
    state.resize(index(value_heads * key_size * value_size), 0.0f);
    out.assign(value.values.size(), -1.0f);
    std::vector<float> scratch(index(2 * key_size + value_size));
    for (int64_t t = 0; t < tokens; t += piece) {
      delta_rule({.tokens = std::min(piece, tokens - t),
                  .key_heads = key_heads,
                  .value_heads = value_heads,
                  .key_size = key_size,
                  .value_size = value_size,
                  .query = query.values.data() + t * key_heads * key_size,
                  .key = key.values.data() + t * key_heads * key_size,
                  .value = value.values.data() + t * value_heads * value_size,
                  .decay = decay.values.data() + t * value_heads,
                  .beta = beta.values.data() + t * value_heads,
                  .state = state.data(),
                  .scratch = scratch.data(),
                  .out = out.data() + t * value_heads * value_size});
    }
  }
};

TEST(DeltaRuleGolden, OutputsAndStatesOfBothForms) {
  for (const auto& path : testing::require_golden_paths("operators/delta_rule/golden.safetensors")) {
    auto golden = Checkpoint::open(path);
    ASSERT_TRUE(golden.ok()) << golden.error().message();
    int cases = 0;
    for (const FileTensor& tensor : golden->tensors()) {
      if (!tensor.name.ends_with(".query")) continue;
      const std::string name = tensor.name.substr(0, tensor.name.size() - 6);
      SCOPED_TRACE(path.string() + ": " + name);
      ++cases;
      GoldenCase run(*golden, name);
      ASSERT_TRUE(run.complete());
      run.execute(run.query.shape[0]);
      expect_near(run.out, read(*golden, name + ".output_recurrent"), "recurrent output");
      expect_near(run.out, read(*golden, name + ".output_chunk"), "chunked output");
      expect_near(run.state, read(*golden, name + ".state_recurrent"), "recurrent state");
      expect_near(run.state, read(*golden, name + ".state_chunk"), "chunked state");
    }
    EXPECT_GT(cases, 0) << path;
  }
}

TEST(DeltaRuleGolden, PiecesGiveTheSameBits) {
  for (const auto& path : testing::require_golden_paths("operators/delta_rule/golden.safetensors")) {
    auto golden = Checkpoint::open(path);
    ASSERT_TRUE(golden.ok()) << golden.error().message();
    GoldenCase run(*golden, "two_chunks");
    ASSERT_TRUE(run.complete());
    run.execute(run.query.shape[0]);
    const std::vector<float> out = run.out;
    const std::vector<float> state = run.state;
    for (const int64_t piece : {1, 7, 64}) {
      run.execute(piece);
      EXPECT_TRUE(testing::same_floats(run.out, out)) << piece;
      EXPECT_TRUE(testing::same_floats(run.state, state)) << piece;
    }
  }
}

}  // namespace
}  // namespace ink
