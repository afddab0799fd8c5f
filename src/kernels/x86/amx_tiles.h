// The instructions of AMX that the panels use, one function each; tests put a model of them in this place
// (tests/kernels/tile_model.h). Written as assembly, not with the compiler's intrinsics: those of GCC 12 do
// not say which memory they read, so that it drops the stores that filled a configuration or a tile before
// them. Everything is static: see avx2_vectors.h.
#pragma once

#include <cstdint>

namespace ink {
namespace {

// What ldtilecfg reads (Intel's manual, volume 1, 18.3): palette 1 has 8 tiles of at most 16 rows of 64
// bytes.
struct TileConfig {
  uint8_t palette;
  uint8_t start_row;
  uint8_t reserved[14];
  uint16_t row_bytes[16];  // of tiles 0 to 7; the others must be 0, here and below
  uint8_t rows[16];
};
static_assert(sizeof(TileConfig) == 64);

struct Tiles {
  // Of this thread. Until release() a switch of tasks saves and restores 8 KiB of tiles.
  static void configure(const TileConfig& config) { asm volatile("ldtilecfg %0" : : "m"(config)); }
  static void release() { asm volatile("tilerelease"); }

  template <int kTile>
  static void zero() {
    asm volatile("tilezero %%tmm%c0" : : "i"(kTile));
  }
  // Rows at distances of `stride` bytes.
  template <int kTile>
  static void load(const void* rows, int64_t stride) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(rows), "r"(stride), "i"(kTile) : "memory");
  }
  template <int kTile>
  static void store(void* rows, int64_t stride) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(rows), "r"(stride), "i"(kTile) : "memory");
  }
  // sums[m][n] += the products of signed bytes x[m][4j + i] * weights[j][4n + i], over all j and i.
  template <int kSums, int kX, int kWeights>
  static void add_products() {
    asm volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kSums), "i"(kX), "i"(kWeights));
  }
};

}  // namespace
}  // namespace ink
