// Importance matrices: what is written is read, in the layout that other tools know; damaged ones are
// refused.
#include "tensor/importance.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tensor/checkpoint.h"
#include "tests/tensor/checkpoint_samples.h"

namespace ink {
namespace {

ImportanceMatrix sample() {
  ImportanceMatrix matrix;
  matrix.entries["blk.0.attn_q.weight"] = {1, 3, {2, 4, 6}, {2}};
  matrix.entries["blk.0.ffn_up_exps.weight"] = {2, 2, {1, 2, 0, 0}, {4, 0}};
  matrix.datasets = {"text.txt"};
  matrix.chunks = 5;
  matrix.chunk_tokens = 512;
  return matrix;
}

TEST(Importance, WhatIsWrittenIsRead) {
  const testing::TemporaryFolder folder;
  ASSERT_TRUE(write_importance(folder / "imatrix.gguf", sample()).ok());
  const auto read = read_importance(folder / "imatrix.gguf");
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(read->datasets, sample().datasets);
  EXPECT_EQ(read->chunks, 5u);
  EXPECT_EQ(read->chunk_tokens, 512u);
  ASSERT_EQ(read->entries.size(), 2u);
  EXPECT_EQ(read->entries.at("blk.0.ffn_up_exps.weight").sums, (std::vector<float>{1, 2, 0, 0}));
  EXPECT_EQ(read->entries.at("blk.0.ffn_up_exps.weight").counts, (std::vector<float>{4, 0}));
}

TEST(Importance, TheLayoutIsTheOneOthersRead) {
  const testing::TemporaryFolder folder;
  ASSERT_TRUE(write_importance(folder / "imatrix.gguf", sample()).ok());
  const auto file = Checkpoint::open(folder / "imatrix.gguf");
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->meta_string("general.type"), "imatrix");
  using Shape = std::vector<int64_t>;
  EXPECT_EQ(file->find("blk.0.attn_q.weight.in_sum2")->shape, Shape({3}));
  EXPECT_EQ(file->find("blk.0.attn_q.weight.counts")->shape, Shape({1}));
  EXPECT_EQ(file->find("blk.0.ffn_up_exps.weight.in_sum2")->shape, Shape({2, 2}));
  EXPECT_EQ(file->find("blk.0.ffn_up_exps.weight.counts")->shape, Shape({2, 1}));
}

TEST(Importance, MeansOfWhatWasSeen) {
  const ImportanceMatrix matrix = sample();
  EXPECT_EQ(matrix.column_importance("blk.0.attn_q.weight", 0), (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(matrix.column_importance("blk.0.ffn_up_exps.weight", 0), (std::vector<float>{0.25f, 0.5f}));
  EXPECT_TRUE(matrix.column_importance("blk.0.ffn_up_exps.weight", 1).empty());  // never chosen
  EXPECT_TRUE(matrix.column_importance("blk.0.ffn_up_exps.weight", 2).empty());
  EXPECT_TRUE(matrix.column_importance("blk.1.attn_q.weight", 0).empty());
}

TEST(Importance, DamagedFilesAreRefused) {
  const testing::TemporaryFolder folder;
  const auto refused = [&](const char* name, const ImportanceMatrix& matrix) {
    EXPECT_TRUE(write_importance(folder / name, matrix).ok());
    const auto read = read_importance(folder / name);
    EXPECT_FALSE(read.ok()) << name;
    return read.ok() ? Error{} : read.error();
  };
  for (const float strange : {std::nanf(""), INFINITY, -1.0f}) {
    ImportanceMatrix matrix = sample();
    matrix.entries["blk.0.attn_q.weight"].sums[1] = strange;
    EXPECT_EQ(refused("strange.gguf", matrix).kind, ErrorKind::kInvalid);
  }
  EXPECT_EQ(refused("empty.gguf", {}).kind, ErrorKind::kInvalid);
  EXPECT_EQ(read_importance(folder / "none.gguf").error().kind, ErrorKind::kNotFound);

  GgufWriter writer;
  const std::vector<PlannedTensor> alone = {{"blk.0.attn_q.weight.in_sum2", Dtype::kF32, {3}}};
  testing::write_sample_gguf(folder / "alone.gguf", alone, writer);
  EXPECT_EQ(read_importance(folder / "alone.gguf").error().kind, ErrorKind::kNotFound);
  const std::vector<PlannedTensor> uneven = {{"x.in_sum2", Dtype::kF32, {2, 3}},
                                             {"x.counts", Dtype::kF32, {3}}};
  testing::write_sample_gguf(folder / "uneven.gguf", uneven, writer);
  EXPECT_EQ(read_importance(folder / "uneven.gguf").error().kind, ErrorKind::kInvalid);

  ASSERT_TRUE(write_importance(folder / "whole.gguf", sample()).ok());
  const std::string whole = testing::read_bytes(folder / "whole.gguf");
  for (size_t size = 0; size + 40 < whole.size(); size += 13) {
    testing::write_bytes(folder / "cut.gguf", whole.substr(0, size));
    EXPECT_FALSE(read_importance(folder / "cut.gguf").ok()) << size;
  }
}

}  // namespace
}  // namespace ink
