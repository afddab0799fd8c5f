// The sums of a tile of 16 rows of x: the products of a block of groups by tiles, then the float operations
// of kernel_table.h. See amx_panels.h. Everything is static: see avx2_vectors.h.
#pragma once

#include "kernels/x86/amx_blocks.h"
#include "kernels/x86/amx_tiles.h"

namespace ink {
namespace {

inline constexpr int kTileRows = 16;

// Tiles 0 to 3 are dot products: two groups of one part or of two. 4 and 6 are x, 5 and 7 weights.
template <int kParts>
constexpr TileConfig tile_config() {
  constexpr int kPartCols = kGroup / kParts;
  TileConfig config = {};
  config.palette = 1;
  for (int tile = 0; tile < 8; ++tile) {
    const bool is_x = tile >= 4 && tile % 2 == 0;
    const bool is_weights = tile >= 4 && tile % 2 == 1;
    config.row_bytes[tile] = static_cast<uint16_t>(is_x ? kPartCols : kPanelRows * 4);
    config.rows[tile] = static_cast<uint8_t>(is_weights ? kPartCols / 4 : kTileRows);
  }
  return config;
}

// Sixteen rows of x from the first group of a block on.
struct TileOfRows {
  const int8_t* q;
  const float* scale;
  const int32_t* sum16;
  int64_t cols;
  int64_t groups;  // in a row
};

template <typename Machine, typename Scales>
class TileSums {
 public:
  TileSums(const TileOfRows& x, const PanelBlock<Scales::kParts>& block) : x_(x), block_(block) {
    if (block.groups == kBlockGroups) {  // a count that the compiler knows
      read_x(kBlockGroups);
    } else {
      read_x(block.groups);
    }
  }

  // sums += what the block adds, groups ascending.
  void add_to(Floats16 (&sums)[kTileRows]) {
    Floats16 sum[kTileRows];
#pragma GCC unroll 16
    for (int r = 0; r < kTileRows; ++r) sum[r] = sums[r];
    multiply<0>(0);
    for (int64_t g = 0; g < block_.groups; g += 2) {
      if (g + 1 < block_.groups) multiply<1>(g + 1);
      scale<0>(g, sum);
      if (g + 1 == block_.groups) break;
      if (g + 2 < block_.groups) multiply<0>(g + 2);
      scale<1>(g + 1, sum);
    }
#pragma GCC unroll 16
    for (int r = 0; r < kTileRows; ++r) sums[r] = sum[r];
  }

 private:
  static constexpr int kParts = Scales::kParts;

  // Side by side, so that a row's are one short address away; the sums of q as floats, exact.
  void read_x(int64_t groups) {
    for (int r = 0; r < kTileRows; ++r) {
      for (int64_t g = 0; g < groups; ++g) x_scale_[r][g] = x_.scale[r * x_.groups + g];
      if (!Scales::kOffsets) continue;
      const int32_t* halves = x_.sum16 + r * x_.groups * 2;
      for (int64_t i = 0; i < groups * kParts; ++i)
        x_sum_[r][i] = static_cast<float>(kParts == 1 ? halves[2 * i] + halves[2 * i + 1] : halves[i]);
    }
  }

  // Starts the dot products of group g of the block with the tiles of set kSet.
  template <int kSet>
  void multiply(int64_t g) {
    multiply_part<kSet, 0>(g);
    if constexpr (kParts == 2) multiply_part<kSet, 1>(g);
  }
  template <int kSet, int kPart>
  void multiply_part(int64_t g) {
    constexpr int kDots = kSet * kParts + kPart;
    constexpr int kX = 4 + 2 * (kDots % 2);
    constexpr int kWeights = kX + 1;
    constexpr int kPartCols = kGroup / kParts;
    Machine::template zero<kDots>();
    Machine::template load<kX>(x_.q + g * kGroup + kPart * kPartCols, x_.cols);
    Machine::template load<kWeights>(block_.weights + g * kTileGroupBytes + kPart * kPartCols * kPanelRows,
                                     kPanelRows * 4);
    Machine::template add_products<kDots, kX, kWeights>();
    Machine::template store<kDots>(dots_[kSet][kPart], kPanelRows * 4);
  }

  // The float operations of kernel_table.h.
  template <int kSet>
  void scale(int64_t g, Floats16 (&sum)[kTileRows]) const {
#pragma GCC unroll 16
    for (int r = 0; r < kTileRows; ++r) {
      Floats16 value = {};
#pragma GCC unroll 2
      for (int part = 0; part < kParts; ++part) {
        const Floats16 product =
            block_.scale[g][part] * __builtin_convertvector(dots_[kSet][part][r], Floats16);
        value = part == 0 ? product : value + product;
        if (Scales::kOffsets) value = value + block_.offset[g][part] * x_sum_[r][g * kParts + part];
      }
      sum[r] += x_scale_[r][g] * value;
    }
  }

  const TileOfRows& x_;
  const PanelBlock<kParts>& block_;
  Ints16 dots_[2][kParts][kTileRows];
  float x_scale_[kTileRows][kBlockGroups];
  float x_sum_[kTileRows][kBlockGroups * kParts];
};

}  // namespace
}  // namespace ink
