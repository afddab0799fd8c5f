// Quantized formats against the values and bytes of the reference, for whatever types the golden folders
// hold; and, for every type, what callers rely on for any bit pattern: the promised shape of the groups,
// ranges that agree with whole rows, and no read outside the blocks (buffers have the exact size: run under
// ASan to see it).
#include "tensor/quants.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "base/half.h"
#include "base/json.h"
#include "base/mapped_file.h"
#include "tests/golden_folder.h"

namespace ink {
namespace {

// The tensors of one golden folder. The file is read here and not by Checkpoint, which has no use for uint8.
class GoldenQuants {
 public:
  explicit GoldenQuants(const std::filesystem::path& folder) {
    const auto text = read_text_file(folder / "quants.json", 1 << 20);
    file_ = MappedFile::open(folder / "quants.safetensors").value();
    types_ = parse_json(text.value(), "quants.json").value();
    uint64_t header_bytes = 0;
    std::memcpy(&header_bytes, file_->bytes().data(), 8);
    const std::string_view header(reinterpret_cast<const char*>(file_->bytes().data()) + 8, header_bytes);
    tensors_ = parse_json(header, "quants.safetensors").value();
    data_ = file_->bytes().subspan(8 + header_bytes);
  }

  const Json& types() const { return types_; }

  template <typename T>
  std::vector<T> tensor(const std::string& name) const {
    const Json& entry = tensors_.at(name);
    EXPECT_EQ(entry["dtype"], (std::is_same_v<T, float> ? "F32" : "U8")) << name;
    const size_t begin = entry["data_offsets"][0], end = entry["data_offsets"][1];
    std::vector<T> values((end - begin) / sizeof(T));
    std::memcpy(values.data(), data_.subspan(begin, end - begin).data(), end - begin);
    return values;
  }

 private:
  std::shared_ptr<const MappedFile> file_;
  std::span<const std::byte> data_;
  Json types_, tensors_;
};

std::vector<GoldenQuants> golden_quants() {
  std::vector<GoldenQuants> found;
  for (const auto& folder : testing::require_golden_paths("gguf_quants")) found.emplace_back(folder);
  return found;
}

std::vector<DtypeInfo> all_dtypes() {
  std::vector<DtypeInfo> dtypes;
  for (uint32_t id = 0; id < 256; ++id) {
    if (const DtypeInfo* info = find_dtype(id)) dtypes.push_back(*info);
  }
  return dtypes;
}

std::vector<DtypeInfo> quantized_dtypes() {
  std::vector<DtypeInfo> dtypes = all_dtypes();
  std::erase_if(dtypes, [](const DtypeInfo& info) { return !info.is_quantized; });
  return dtypes;
}

std::vector<std::byte> random_bytes(std::mt19937& random, int64_t count) {
  std::vector<std::byte> bytes(static_cast<size_t>(count));
  for (std::byte& b : bytes) b = static_cast<std::byte>(random() & 255);
  return bytes;
}

std::vector<float> dequantize(Dtype dtype, std::span<const std::byte> row) {
  const DtypeInfo& info = dtype_info(dtype);
  const int64_t blocks = static_cast<int64_t>(row.size()) / info.block_bytes;
  std::vector<float> values(static_cast<size_t>(blocks * info.block_elements));
  dequantize_row(dtype, row.data(), blocks * info.block_elements, values.data());
  return values;
}

std::vector<std::byte> quantize(Dtype dtype, std::span<const float> values) {
  std::vector<std::byte> row(*size_bytes_of(dtype, values.size()));
  EXPECT_TRUE(quantize_row(dtype, values.data(), static_cast<int64_t>(values.size()), row.data()));
  return row;
}

bool same(float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); }

bool same_bytes(const Group32& a, const Group32& b) { return std::memcmp(&a, &b, sizeof(Group32)) == 0; }

TEST(QuantsGolden, TypesAreKnown) {
  for (const GoldenQuants& golden : golden_quants()) {
    for (const auto& [name, entry] : golden.types().items()) {
      const DtypeInfo* info = find_dtype(entry["id"]);
      ASSERT_NE(info, nullptr) << name;
      EXPECT_EQ(info->name, name);
      EXPECT_EQ(info->block_elements, entry["elements"].get<int>()) << name;
      EXPECT_EQ(info->block_bytes, entry["bytes"].get<int>()) << name;
      EXPECT_TRUE(dequantizable(info->dtype)) << name;
      EXPECT_TRUE(quantizable(info->dtype) || !entry["quantize"].get<bool>()) << name;
    }
  }
}

TEST(QuantsGolden, ValuesAreEqual) {
  for (const GoldenQuants& golden : golden_quants()) {
    for (const auto& [name, entry] : golden.types().items()) {
      const auto bytes = golden.tensor<uint8_t>(name + ".blocks");
      const auto expected = golden.tensor<float>(name + ".values");
      const auto values = dequantize(Dtype{entry["id"].get<uint32_t>()}, std::as_bytes(std::span(bytes)));
      ASSERT_EQ(values.size(), expected.size()) << name;
      for (size_t i = 0; i < values.size(); ++i)
        ASSERT_EQ(values[i], expected[i]) << name << " element " << i;
    }
  }
}

TEST(QuantsGolden, QuantizedBytesAreEqual) {
  for (const GoldenQuants& golden : golden_quants()) {
    for (const auto& [name, entry] : golden.types().items()) {
      if (!entry["quantize"].get<bool>()) continue;
      const Dtype dtype{entry["id"].get<uint32_t>()};
      const auto input = golden.tensor<float>(name + ".quantize_input");
      const auto expected = golden.tensor<uint8_t>(name + ".quantize_blocks");
      const auto row = quantize(dtype, input);
      ASSERT_EQ(row.size(), expected.size()) << name;
      for (size_t i = 0; i < row.size(); ++i) {
        ASSERT_EQ(std::to_integer<int>(row[i]), expected[i]) << name << " byte " << i;
      }
      EXPECT_EQ(dequantize(dtype, row), golden.tensor<float>(name + ".quantize_values")) << name;
    }
  }
}

TEST(Quants, GroupsKeepTheirPromises) {
  std::mt19937 random(1);
  for (const DtypeInfo& info : quantized_dtypes()) {
    const int64_t count = 200 * info.block_elements / 32;
    const auto row = random_bytes(random, 200 * info.block_bytes);
    std::vector<Group32> groups(static_cast<size_t>(count));
    decode_groups(info.dtype, row.data(), 0, count, groups.data());
    const auto values = dequantize(info.dtype, row);
    bool differing_scales = false, any_offset = false, outside_nibbles = false;
    for (size_t g = 0; g < groups.size(); ++g) {
      const Group32& group = groups[g];
      differing_scales |= !same(group.scale[0], group.scale[1]) || !same(group.offset[0], group.offset[1]);
      any_offset |= group.offset[0] != 0.0f || group.offset[1] != 0.0f;
      outside_nibbles |= std::any_of(group.q, group.q + 32, [](int q) { return q < 0 || q > 15; });
      for (size_t i = 0; i < 32; ++i) {
        const float value = group.scale[i / 16] * static_cast<float>(group.q[i]) + group.offset[i / 16];
        ASSERT_TRUE(same(value, values[32 * g + i])) << info.name << " element " << 32 * g + i;
      }
    }
    EXPECT_EQ(has_scale_per_32(info.dtype), !differing_scales) << info.name;
    EXPECT_EQ(is_symmetric(info.dtype), !any_offset) << info.name;
    if (is_nibble_type(info.dtype)) {
      EXPECT_FALSE(outside_nibbles) << info.name;
      EXPECT_TRUE(has_scale_per_32(info.dtype)) << info.name;
    }
  }
}

TEST(Quants, AnyRangeOfGroupsIsThatOfTheRow) {
  std::mt19937 random(2);
  for (const DtypeInfo& info : quantized_dtypes()) {
    const int64_t per_block = info.block_elements / 32, count = 3 * per_block;
    const auto row = random_bytes(random, 3 * info.block_bytes);
    std::vector<Group32> whole(static_cast<size_t>(count));
    decode_groups(info.dtype, row.data(), 0, count, whole.data());
    for (int64_t first = 0; first <= count; ++first) {
      for (int64_t n = 0; first + n <= count; ++n) {
        // Only the blocks that hold the range, at an odd address.
        const int64_t end_byte = (first + n + per_block - 1) / per_block * info.block_bytes;
        std::vector<std::byte> part(static_cast<size_t>(1 + end_byte));
        std::copy_n(row.begin(), end_byte, part.begin() + 1);
        std::vector<Group32> groups(static_cast<size_t>(n));
        decode_groups(info.dtype, part.data() + 1, first, n, groups.data());
        for (int64_t g = 0; g < n; ++g) {
          ASSERT_TRUE(same_bytes(groups[static_cast<size_t>(g)], whole[static_cast<size_t>(first + g)]))
              << info.name << " group " << first << " + " << g;
        }
      }
    }
  }
}

TEST(Quants, AnyBitsAreAccepted) {
  std::mt19937 random(3);
  for (const DtypeInfo& info : all_dtypes()) {
    if (!dequantizable(info.dtype)) continue;
    for (const int fill : {0x00, 0x7f, 0x80, 0xff, -1}) {
      auto row = random_bytes(random, 64 * info.block_bytes);
      if (fill >= 0) std::fill(row.begin(), row.end(), static_cast<std::byte>(fill));
      const auto values = dequantize(info.dtype, row);
      EXPECT_EQ(values.size(), static_cast<size_t>(64 * info.block_elements)) << info.name;
    }
  }
}

TEST(Quants, OnlyFloatsAndBlocksHaveValues) {
  for (const DtypeInfo& info : all_dtypes()) {
    const bool plain = info.dtype == Dtype::kF32 || info.dtype == Dtype::kF16 || info.dtype == Dtype::kBF16;
    EXPECT_EQ(dequantizable(info.dtype), plain || info.is_quantized) << info.name;
    EXPECT_FALSE(quantizable(info.dtype) && !dequantizable(info.dtype)) << info.name;
    if (!quantizable(info.dtype)) {
      std::byte untouched[256] = {};
      const float values[256] = {1.0f};
      EXPECT_FALSE(quantize_row(info.dtype, values, 256, untouched)) << info.name;
      EXPECT_EQ(untouched[0], std::byte{0}) << info.name;
    }
    if (!info.is_quantized) {
      EXPECT_FALSE(has_scale_per_32(info.dtype) || is_nibble_type(info.dtype) || is_symmetric(info.dtype))
          << info.name;
    }
  }
}

TEST(Quants, SmallestByteOfQ8) {
  std::vector<std::byte> row(34, std::byte{0x80});
  row[0] = std::byte{0x00};
  row[1] = std::byte{0x3c};  // 1.0
  Group32 group;
  decode_groups(Dtype::kQ8_0, row.data(), 0, 1, &group);
  EXPECT_EQ(group.q[31], -128);
  EXPECT_EQ(dequantize(Dtype::kQ8_0, row), std::vector<float>(32, -128.0f));
}

TEST(Quants, ZeroPointOfQ4LosesNothing) {
  // scale * q - 8 * scale must be scale * (q - 8) for every scale and nibble.
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    if ((bits & 0x7c00) == 0x7c00) continue;
    std::byte row[18];
    const uint16_t half = static_cast<uint16_t>(bits);
    std::memcpy(row, &half, 2);
    for (int i = 0; i < 16; ++i) row[2 + i] = static_cast<std::byte>(i);
    float values[32];
    dequantize_row(Dtype::kQ4_0, row, 32, values);
    for (int i = 0; i < 16; ++i) ASSERT_EQ(values[i], f16_to_f32(half) * static_cast<float>(i - 8)) << bits;
  }
}

TEST(Quants, HalvesAreExactBothWays) {
  std::vector<std::byte> row(2 * 0x10000);
  for (size_t bits = 0; bits < 0x10000; ++bits) {
    row[2 * bits] = static_cast<std::byte>(bits & 255);
    row[2 * bits + 1] = static_cast<std::byte>(bits >> 8);
  }
  for (const Dtype dtype : {Dtype::kF16, Dtype::kBF16}) {
    const auto values = dequantize(dtype, row);
    const auto again = quantize(dtype, values);
    for (size_t i = 0; i < values.size(); ++i) {
      if (std::isnan(values[i])) continue;
      ASSERT_TRUE(again[2 * i] == row[2 * i] && again[2 * i + 1] == row[2 * i + 1]) << i;
    }
    // Half way between neighbours the even one is taken.
    for (size_t i = 1; i + 1 < 0x7c00; ++i) {
      const float middle = (values[i] + values[i + 1]) / 2;
      if (middle - values[i] != values[i + 1] - middle)
        continue;  // bf16 subnormals: the middle is not a float
      const uint16_t rounded = dtype == Dtype::kF16 ? f32_to_f16(middle) : f32_to_bf16(middle);
      ASSERT_EQ(rounded, i + (i & 1)) << i;
    }
  }
}

TEST(Quants, FloatsAreKept) {
  const std::vector<float> values{0.0f, -0.0f, 1.5f, -3e38f, std::numeric_limits<float>::infinity(), 1e-45f};
  const auto row = quantize(Dtype::kF32, values);
  EXPECT_EQ(std::memcmp(row.data(), values.data(), row.size()), 0);
  EXPECT_EQ(dequantize(Dtype::kF32, row), values);
}

TEST(Quants, EmptyRows) {
  for (const DtypeInfo& info : all_dtypes()) {
    if (dequantizable(info.dtype)) dequantize_row(info.dtype, nullptr, 0, nullptr);
    EXPECT_EQ(quantize_row(info.dtype, nullptr, 0, nullptr), quantizable(info.dtype)) << info.name;
    if (info.is_quantized) decode_groups(info.dtype, nullptr, 0, 0, nullptr);
  }
}

TEST(Quants, QuantizingStrangeValuesIsDefined) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  for (const DtypeInfo& info : all_dtypes()) {
    if (!quantizable(info.dtype)) continue;
    for (const float strange : {kInf, -kInf, kNan, 3.4e38f, -3.4e38f, 1e-45f, -1e-45f, 1e-39f, 65520.0f}) {
      std::vector<float> values(256, 0.25f);
      values[3] = strange;
      const auto row = quantize(info.dtype, values);
      EXPECT_EQ(dequantize(info.dtype, row).size(), 256u) << info.name;
      values.assign(256, strange);
      quantize(info.dtype, values);
    }
  }
}

TEST(Quants, SubnormalBlocksBecomeZero) {
  // Their scale is 0 in f16 and its reciprocal infinite.
  std::vector<float> values(256);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = 1e-42f * static_cast<float>(static_cast<int>(i) - 128);
  for (const DtypeInfo& info : quantized_dtypes()) {
    if (!quantizable(info.dtype) || info.dtype == Dtype::kMXFP4) continue;
    EXPECT_EQ(dequantize(info.dtype, quantize(info.dtype, values)), std::vector<float>(256)) << info.name;
  }
}

TEST(Quants, SharedExponentJustBelowAPower) {
  // log2 of the float below 2^10 rounds to 10 in f32, and the reference takes the exponent from there.
  std::vector<float> values(32, 0.0f);
  values[0] = std::nextafter(1024.0f, 0.0f);
  EXPECT_EQ(std::to_integer<int>(quantize(Dtype::kMXFP4, values)[0]), 10 - 2 + 127);
  values[0] = std::nextafter(1.0f, 0.0f);
  EXPECT_EQ(std::to_integer<int>(quantize(Dtype::kMXFP4, values)[0]), -1 - 2 + 127);
}

}  // namespace
}  // namespace ink
