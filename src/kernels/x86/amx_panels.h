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

#include "kernels/x86/amx_tile_sums.h"

namespace ink {
namespace {

inline constexpr int kTilesInPass = 4;

// Up to 64 rows: tile t has the rows from first[t] on.
template <typename Machine, typename Weights, typename Scales>
void multiply_pass(const QuantizedRows& x, const int64_t (&first)[kTilesInPass], int tiles,
                   const uint8_t* weights, const uint8_t* plane, Floats16 (&sums)[kTilesInPass][kTileRows]) {
  const int64_t groups = x.cols / kGroup;
  PanelBlock<Scales::kParts> block;
  for (int64_t g = 0; g < groups; g += kBlockGroups) {
    const int64_t count = groups - g < kBlockGroups ? groups - g : kBlockGroups;
    block.template read<Machine, Weights, Scales>(weights, plane, g, count);
    for (int t = 0; t < tiles; ++t) {
      const int64_t place = first[t] * groups + g;
      const TileOfRows rows = {x.q + place * kGroup, x.scale + place, x.sum16 + place * 2, x.cols, groups};
      TileSums<Machine, Scales>(rows, block).add_to(sums[t]);
    }
  }
}

// For fewer rows than a tile has: the functions of the table that the tiles were added to.
inline KernelTable::IntegerPanel panels_of_few_rows[kWeightClasses] = {};

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
