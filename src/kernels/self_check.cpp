// See kernels/self_check.h.
#include "kernels/self_check.h"

#include <cstdio>
#include <cstring>
#include <vector>

#include "kernels/panel_layout.h"

namespace ink {
namespace {

constexpr int64_t kRows = 33;  // whole tiles of 16 and a row more
constexpr int64_t kFirstRow = 1;

class Words {
 public:
  // 16 bits of a linear congruential generator (Knuth's constants), the upper ones.
  uint16_t next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint16_t>(state_ >> 48);
  }

 private:
  uint64_t state_ = 1;
};

std::vector<std::byte> any_bytes(int64_t count, Words& words) {
  std::vector<std::byte> bytes(static_cast<size_t>(count));
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(words.next());
  return bytes;
}

// Bytes that are ordinary numbers of either sign as f16 (2^-4 to 1) and as f32 (2^-39 to 2^-8), and anything
// as integers.
std::vector<std::byte> any_scales(int64_t count, Words& words) {
  std::vector<std::byte> bytes(static_cast<size_t>(count));
  for (size_t i = 0; i + 2 <= bytes.size(); i += 2) {
    const uint16_t word = words.next();
    const auto number = static_cast<uint16_t>((word & 0x83ff) | ((11 + (word >> 10) % 4) << 10));
    std::memcpy(bytes.data() + i, &number, sizeof number);
  }
  return bytes;
}

struct MadeUpRows {
  std::vector<int8_t> q;
  std::vector<float> scale;
  std::vector<int32_t> sum16;
  int64_t cols;
  QuantizedRows view() { return {q.data(), scale.data(), sum16.data(), cols}; }
};

MadeUpRows any_rows(int64_t rows, int64_t cols, Words& words) {
  MadeUpRows made = {{}, {}, {}, cols};
  for (int64_t i = 0; i < rows * cols; ++i) {
    if (i % 16 == 0) made.sum16.push_back(0);
    if (i % kGroup == 0) made.scale.push_back(static_cast<float>(words.next()) / 65536.0f);
    made.q.push_back(static_cast<int8_t>(words.next() % 255 - 127));
    made.sum16.back() += made.q.back();
  }
  return made;
}

bool same_panel(const KernelTable& table, const KernelTable& reference, WeightClass weight_class) {
  const bool super = weight_class == WeightClass::kInt4Super || weight_class == WeightClass::kInt6Super;
  const int64_t cols = super ? 512 : 544;
  Words words;
  const auto panel = any_bytes(panel_bytes(weight_class, cols), words);
  const auto scales = any_scales(panel_scale_bytes(weight_class, cols), words);
  MadeUpRows x = any_rows(kFirstRow + kRows, cols, words);
  std::vector<float> wanted(static_cast<size_t>(kRows * kPanelRows));
  std::vector<float> got(wanted.size());
  reference.integer_panel(weight_class)(x.view(), kFirstRow, kRows, panel.data(), scales.data(),
                                        wanted.data());
  table.integer_panel(weight_class)(x.view(), kFirstRow, kRows, panel.data(), scales.data(), got.data());
  return std::memcmp(got.data(), wanted.data(), got.size() * sizeof(float)) == 0;
}

}  // namespace

bool same_integer_panels(const KernelTable& table, const KernelTable& reference) {
  for (int i = 0; i < kWeightClasses; ++i) {
    const auto weight_class = static_cast<WeightClass>(i);
    if (is_integer_class(weight_class) && !same_panel(table, reference, weight_class)) return false;
  }
  return true;
}

void offer_if_same(const KernelTable& table, const KernelTable& reference, KernelTables& tables) {
  if (same_integer_panels(table, reference)) {
    tables.table[tables.count++] = &table;
  } else {
    std::fprintf(stderr, "inkstone: internal error: the kernels %s are not used: they differ from %s here\n",
                 table.name, reference.name);
  }
}

}  // namespace ink
