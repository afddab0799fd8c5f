// Panels of integer weights with AMX tiles: the same bits as portable/integer_panels.cpp. A group of 32
// columns of a panel, as bytes, is one tile of weights; 16 rows of x are another; one instruction makes their
// 256 dot products. Rows below 16 are left to the table that the tiles were added to.
//
// What decides the speed is not the tiles but the float operations that follow every group, two 512-bit
// operations a cycle. For 16 rows and a group, counted (no machine with AMX was at hand to measure on):
//   kInt4Half, kInt8, kInt8Half   convert, scale, scale of x, add:  4 a row, 32 cycles   VNNI 104
//   kInt4, kInt4Super             and the offset's two:             6 a row, 48 cycles   VNNI 136
//   kInt6Super                    halves apart:                     7 a row, 56 cycles   VNNI 176
//   kInt8Fine                     halves with offsets:             11 a row, 88 cycles   VNNI 200
// Beside them run the tiles (16 cycles, 32 with halves), their stores (as many) and 28 to 44 cycles of loads.
// An earlier trial that scaled after every 32 columns took 63 cycles on a loaded machine, and VNNI, too, was
// measured at half of what the count allows: expect twice the speed of VNNI rather than three times. So:
//   - weights and scales are unpacked once for a block of eight groups, for up to 64 rows (2 to 7 cycles);
//   - 16 sums of a tile of rows stay in registers for a block;
//   - the products of the next group are under way while those of this one are scaled: two sets of tiles;
//   - where rows are not a multiple of 16, the last tile begins earlier and does some rows twice, to the same
//     bits: a tile costs no more than 5 rows of VNNI. With 8 rows VNNI still keeps up with the memory that
//     the weights come from, so that fewer than 16 are not worth tiles of another shape.
// bf16 weights get no tiles, on purpose: those round x to bf16, which single rows must not (law 1).
//
// The vectors are those of GCC and Clang, and `Machine` gives the rest, so that tests run this very text on
// processors that have neither AMX nor AVX-512. Everything is static: see avx2_vectors.h.
#pragma once

#include "kernels/kernel_table.h"
#include "kernels/x86/amx_tiles.h"

namespace ink {
namespace {

using Floats16 = float __attribute__((vector_size(64)));
using Ints16 = int32_t __attribute__((vector_size(64)));
using Bytes64 = uint8_t __attribute__((vector_size(64)));
using Words16 = uint32_t __attribute__((vector_size(64)));

constexpr int kTileRows = 16;
constexpr int kTilesInPass = 4;
constexpr int kBlockGroups = kGroupsInSuper;
constexpr int kTileGroupBytes = kGroup * kPanelRows;

// Weights: a block of groups as tiles of signed bytes [8][16][4], in `space` unless they already are.

struct BytesForTiles {
  static constexpr int64_t kGroupBytes = kTileGroupBytes;
  static const uint8_t* unpack(const uint8_t* weights, int64_t, uint8_t*) { return weights; }
};

inline void load_words(const uint8_t* bytes, Words16& words) {
  __builtin_memcpy(&words, bytes, sizeof words);
}
inline void store_less(const Words16& words, uint8_t zero, uint8_t* out) {
  const Bytes64 bytes = reinterpret_cast<Bytes64>(words) - zero;
  __builtin_memcpy(out, &bytes, sizeof bytes);
}

template <int kZero>
struct NibblesForTiles {
  static constexpr int64_t kGroupBytes = kTileGroupBytes / 2;
  static const uint8_t* unpack(const uint8_t* weights, int64_t groups, uint8_t* space) {
    for (int64_t i = 0; i < 4 * groups; ++i) {
      Words16 both;
      load_words(weights + i * 64, both);
      uint8_t* out = space + i / 4 * kTileGroupBytes + i % 4 * 64;
      store_less(both & 0x0f0f0f0f, kZero, out);
      store_less(both >> 4 & 0x0f0f0f0f, kZero, out + 4 * 64);
    }
    return space;
  }
};

struct SixBitsForTiles {
  static constexpr int64_t kGroupBytes = kTileGroupBytes / 4 * 3;
  static const uint8_t* unpack(const uint8_t* weights, int64_t groups, uint8_t* space) {
    for (int64_t i = 0; i < 4 * groups; ++i) {
      const uint8_t* group = weights + i / 4 * kGroupBytes;
      const auto j = static_cast<unsigned>(i % 4);
      Words16 low;
      Words16 high;  // of columns 4j, then from the fifth bit on of columns 16 + 4j
      load_words(group + j * 64, low);
      load_words(group + (4 + j % 2) * 64, high);
      high >>= j / 2 * 2;
      uint8_t* out = space + i / 4 * kTileGroupBytes + j * 64;
      store_less((low & 0x0f0f0f0f) | (high << 4 & 0x30303030), 32, out);
      store_less((low >> 4 & 0x0f0f0f0f) | (high & 0x30303030), 32, out + 4 * 64);
    }
    return space;
  }
};

// Scale planes: for one group, scales and offsets of all rows of a panel.

template <typename Byte>
inline void widen_bytes(const uint8_t* bytes, Floats16& out) {
  Byte small __attribute__((vector_size(16)));
  __builtin_memcpy(&small, bytes, sizeof small);
  out = __builtin_convertvector(__builtin_convertvector(small, Ints16), Floats16);
}

template <int kPartCount, bool kHasOffsets>
struct FloatScalesOfTiles {
  static constexpr int kParts = kPartCount;
  static constexpr bool kOffsets = kHasOffsets;
  template <typename Machine>
  static void read(const uint8_t* plane, int64_t group, Floats16* scale, Floats16* offset) {
    const uint8_t* scales = plane + group * kParts * (kOffsets ? 2 : 1) * kPanelRows * 4;
    __builtin_memcpy(scale, scales, sizeof *scale * kParts);
    if (kOffsets) __builtin_memcpy(offset, scales + sizeof *scale * kParts, sizeof *offset * kParts);
  }
};

struct HalfScalesOfTiles {
  static constexpr int kParts = 1;
  static constexpr bool kOffsets = false;
  template <typename Machine>
  static void read(const uint8_t* plane, int64_t group, Floats16* scale, Floats16*) {
    Machine::widen_halves(plane + group * kPanelRows * 2, *scale);
  }
};

struct SuperScalesWithMinimaOfTiles {
  static constexpr int kParts = 1;
  static constexpr bool kOffsets = true;
  template <typename Machine>
  static void read(const uint8_t* plane, int64_t group, Floats16* scale, Floats16* offset) {
    const uint8_t* super = plane + group / kGroupsInSuper * (4 + 2 * kGroupsInSuper) * kPanelRows;
    const uint8_t* small = super + (4 + 2 * (group % kGroupsInSuper)) * kPanelRows;
    Floats16 factor;
    Floats16 whole;
    Machine::widen_halves(super, factor);
    widen_bytes<uint8_t>(small, whole);
    *scale = factor * whole;
    Machine::widen_halves(super + kPanelRows * 2, factor);
    widen_bytes<uint8_t>(small + kPanelRows, whole);
    *offset = -(factor * whole);
  }
};

struct SuperScalesOfTiles {
  static constexpr int kParts = 2;
  static constexpr bool kOffsets = false;
  template <typename Machine>
  static void read(const uint8_t* plane, int64_t group, Floats16* scale, Floats16*) {
    const uint8_t* super = plane + group / kGroupsInSuper * (2 + 2 * kGroupsInSuper) * kPanelRows;
    const uint8_t* small = super + (2 + 2 * (group % kGroupsInSuper)) * kPanelRows;
    Floats16 factor;
    Machine::widen_halves(super, factor);
    for (int part = 0; part < 2; ++part) {
      Floats16 whole;
      widen_bytes<int8_t>(small + part * kPanelRows, whole);
      scale[part] = factor * whole;
    }
  }
};

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

// Up to eight groups of a panel, ready for every tile of rows.
template <int kParts>
struct PanelBlock {
  int64_t groups;
  const uint8_t* weights;
  Floats16 scale[kBlockGroups][kParts];
  Floats16 offset[kBlockGroups][kParts];
  alignas(64) uint8_t space[kBlockGroups * kTileGroupBytes];
};

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
    constexpr int kX = 4 + 2 * (kParts == 1 ? kSet : kPart);
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

// Up to 64 rows: tile t has the rows from first[t] on.
template <typename Machine, typename Weights, typename Scales>
void multiply_pass(const QuantizedRows& x, const int64_t (&first)[kTilesInPass], int tiles,
                   const uint8_t* weights, const uint8_t* plane, Floats16 (&sums)[kTilesInPass][kTileRows]) {
  const int64_t groups = x.cols / kGroup;
  PanelBlock<Scales::kParts> block;
  for (int64_t g = 0; g < groups; g += kBlockGroups) {
    block.groups = groups - g < kBlockGroups ? groups - g : kBlockGroups;
    block.weights = Weights::unpack(weights + g * Weights::kGroupBytes, block.groups, block.space);
    for (int64_t i = 0; i < block.groups; ++i)
      Scales::template read<Machine>(plane, g + i, block.scale[i], block.offset[i]);
    for (int t = 0; t < tiles; ++t) {
      const int64_t place = first[t] * groups + g;
      const TileOfRows rows = {x.q + place * kGroup, x.scale + place, x.sum16 + place * 2, x.cols, groups};
      TileSums<Machine, Scales>(rows, block).add_to(sums[t]);
    }
  }
}

// For fewer rows than a tile has: the functions of the table that the tiles were added to.
KernelTable::IntegerPanel panels_of_few_rows[kWeightClasses] = {};

template <typename Machine, WeightClass kClass, typename Weights, typename Scales>
void tile_panel(const QuantizedRows& x, int64_t first_row, int64_t rows, const void* data, const void* scales,
                float* out) {
  if (rows < kTileRows)
    return panels_of_few_rows[static_cast<int>(kClass)](x, first_row, rows, data, scales, out);
  static constexpr TileConfig kConfig = tile_config<Scales::kParts>();
  Machine::configure(kConfig);
  constexpr int kPassRows = kTilesInPass * kTileRows;
  for (int64_t r = 0; r < rows; r += kPassRows) {
    int64_t first[kTilesInPass];
    Floats16 sums[kTilesInPass][kTileRows] = {};
    int tiles = 0;
    for (int64_t row = r; row < rows && tiles < kTilesInPass; row += kTileRows)
      first[tiles++] = first_row + (row < rows - kTileRows ? row : rows - kTileRows);
    multiply_pass<Machine, Weights, Scales>(x, first, tiles, static_cast<const uint8_t*>(data),
                                            static_cast<const uint8_t*>(scales), sums);
    for (int t = 0; t < tiles; ++t)
      __builtin_memcpy(out + (first[t] - first_row) * kPanelRows, sums[t], sizeof sums[t]);
  }
  Machine::release();
}

template <typename Machine, WeightClass kClass, typename Weights, typename Scales>
void install_tile_panel(KernelTable& table) {
  panels_of_few_rows[static_cast<int>(kClass)] = table.integer_panel(kClass);
  table.integer_panel(kClass) = tile_panel<Machine, kClass, Weights, Scales>;
}

// Adds tiles to a table whose integer panels are whole.
template <typename Machine>
void install_tile_panels(KernelTable& table) {
  install_tile_panel<Machine, WeightClass::kInt4, NibblesForTiles<0>, FloatScalesOfTiles<1, true>>(table);
  install_tile_panel<Machine, WeightClass::kInt4Half, NibblesForTiles<8>, HalfScalesOfTiles>(table);
  install_tile_panel<Machine, WeightClass::kInt4Super, NibblesForTiles<0>, SuperScalesWithMinimaOfTiles>(
      table);
  install_tile_panel<Machine, WeightClass::kInt6Super, SixBitsForTiles, SuperScalesOfTiles>(table);
  install_tile_panel<Machine, WeightClass::kInt8, BytesForTiles, FloatScalesOfTiles<1, false>>(table);
  install_tile_panel<Machine, WeightClass::kInt8Half, BytesForTiles, HalfScalesOfTiles>(table);
  install_tile_panel<Machine, WeightClass::kInt8Fine, BytesForTiles, FloatScalesOfTiles<2, true>>(table);
}

}  // namespace
}  // namespace ink
